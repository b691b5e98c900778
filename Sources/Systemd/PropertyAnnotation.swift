internal import OCI

extension UnitProperty {
    private static let prefix = "org.systemd.property."
    /// Where a container is, is not an annotation's to say.
    private static let kept: Set<String> = ["PIDs", "Slice", "Delegate", "ControlGroup"]

    /// The annotations `org.systemd.property.NAME`, whose values are in GVariant's text form, as runc and crun take them.
    package static func of(annotations: [String: String]) throws(SystemdError) -> [UnitProperty] {
        var result: [UnitProperty] = []
        for (key, text) in annotations.sorted(by: { $0.key < $1.key }) where key.hasPrefix(prefix) {
            let name = String(key.dropFirst(prefix.count))
            let isFit = name.utf8.allSatisfy { byte in
                (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte)
                    || (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            }
            if name.utf8.count < 3 || name.utf8.count > 128 || !isFit {
                throw .property(key, reason: "a property's name is made of letters")
            }
            if kept.contains(name) { throw .property(key, reason: "\(name) is set by the runtime itself") }
            guard let value = VariantText.parse(text) else {
                throw .property(
                    key,
                    reason: "\"\(ForeignText(text, limit: 120))\" is no value such as true, 'text', uint64 5 or ['a']")
            }
            result.append(try inMicroseconds(key, name, value))
        }
        return result
    }

    /// Unit files have times in seconds, as `TimeoutStopSec`, the interface in microseconds, as `TimeoutStopUSec`.
    private static func inMicroseconds(
        _ key: String, _ name: String, _ value: DBusValue
    ) throws(SystemdError) -> UnitProperty {
        let stem = name.dropLast(3)
        guard name.hasSuffix("Sec"), let last = stem.utf8.last, last >= UInt8(ascii: "a") else {
            return UnitProperty(name, value)
        }
        let seconds: UInt64?
        switch value {
        case .int16(let number): seconds = UInt64(exactly: number)
        case .int32(let number): seconds = UInt64(exactly: number)
        case .int64(let number): seconds = UInt64(exactly: number)
        case .double(let number):
            guard let exact = UInt64(exactly: (number * 1_000_000).rounded()) else {
                throw .property(key, reason: "\(number) is no time in seconds")
            }
            return UnitProperty("\(stem)USec", .uint64(exact))
        default: seconds = value.unsigned
        }
        guard let (whole, isTooMuch) = seconds?.multipliedReportingOverflow(by: 1_000_000), !isTooMuch else {
            throw .property(key, reason: "its value is no time in seconds")
        }
        return UnitProperty("\(stem)USec", .uint64(whole))
    }
}
