internal import Sys

/// The records of one PAX extended header (POSIX.1-2001 pax, "pax Extended Header"): `LENGTH KEYWORD=VALUE\n`.
struct PAXRecords {
    /// The last record of a keyword counts.
    private(set) var values: [[UInt8]: [UInt8]] = [:]
    /// Keywords in the order of their first record.
    private(set) var order: [[UInt8]] = []
    /// GNU.sparse.offset and GNU.sparse.numbytes of sparse format 0.0, which repeats them.
    private(set) var sparsePairs: [[UInt8]] = []

    init() {}

    /// Nil when the text breaks a rule: all readers then disagree, so nobody may use the header.
    init?(parsing text: [UInt8]) {
        var rest = text[...]
        while !rest.isEmpty {
            guard let record = PAXRecords.next(&rest), add(record.key, record.value) else { return nil }
        }
        if sparsePairs.count % 2 != 0 { return nil }
    }

    subscript(key: StaticString) -> [UInt8]? {
        guard let value = values[PAXRecords.bytes(key)], !value.isEmpty else { return nil }
        return value
    }

    /// A decimal number; nil when there is none, an error when it is no number.
    func number(_ key: StaticString) throws(MemberError) -> Int64? {
        guard let text = self[key] else { return nil }
        guard let value = PAXRecords.decimal(text[...]) else {
            throw .malformed("PAX record \(key) is not a number")
        }
        return value
    }

    private static func next(_ rest: inout ArraySlice<UInt8>) -> (key: [UInt8], value: [UInt8])? {
        guard let space = rest.firstIndex(of: 0x20), let length = decimal(rest[rest.startIndex..<space]),
            length >= 5, length <= rest.count
        else { return nil }
        let end = rest.startIndex + Int(length)
        guard end > space + 1, rest[end - 1] == 0x0a else { return nil }
        let body = rest[(space + 1)..<(end - 1)]
        rest = rest[end...]
        guard let equals = body.firstIndex(of: UInt8(ascii: "=")), equals > body.startIndex else { return nil }
        return (Array(body[..<equals]), Array(body[(equals + 1)...]))
    }

    private mutating func add(_ key: [UInt8], _ value: [UInt8]) -> Bool {
        if key.contains(0) { return false }
        let names: [StaticString] = ["path", "linkpath", "uname", "gname", "GNU.sparse.name"]
        if names.contains(where: { PAXRecords.bytes($0) == key }), value.contains(0) { return false }
        let isOffset = key == PAXRecords.bytes("GNU.sparse.offset")
        if isOffset || key == PAXRecords.bytes("GNU.sparse.numbytes") {
            if isOffset != (sparsePairs.count % 2 == 0) { return false }
            sparsePairs.append(value)
            return true
        }
        if values.updateValue(value, forKey: key) == nil { order.append(key) }
        return true
    }

    private static func bytes(_ text: StaticString) -> [UInt8] { text.withUTF8Buffer { Array($0) } }

    /// Decimal digits with an optional minus sign; nil for anything else and for what 64 bits do not hold.
    static func decimal(_ text: ArraySlice<UInt8>) -> Int64? {
        let negative = text.first == UInt8(ascii: "-")
        let digits = negative ? text.dropFirst() : text
        if digits.isEmpty { return nil }
        var value: Int64 = 0
        for byte in digits {
            guard byte >= 0x30, byte <= 0x39 else { return nil }
            let (product, high) = value.multipliedReportingOverflow(by: 10)
            let digit = Int64(byte - 0x30)
            let (sum, over) = product.addingReportingOverflow(negative ? -digit : digit)
            if high || over { return nil }
            value = sum
        }
        return value
    }

    /// Seconds and at most nine places after the point; further ones are cut.
    static func time(_ text: [UInt8]) -> FileTime? {
        let parts = text.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let whole = parts.first, let seconds = decimal(whole) else { return nil }
        guard parts.count == 2 else { return FileTime(seconds: seconds, nanoseconds: 0) }
        guard parts[1].allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) else { return nil }
        var nanoseconds: Int64 = 0
        for place in 0..<9 {
            let index = parts[1].startIndex + place
            nanoseconds = nanoseconds * 10 + (index < parts[1].endIndex ? Int64(parts[1][index] - 0x30) : 0)
        }
        if whole.first == UInt8(ascii: "-"), nanoseconds > 0 {
            let (lower, overflow) = seconds.subtractingReportingOverflow(1)
            return overflow ? nil : FileTime(seconds: lower, nanoseconds: 1_000_000_000 - nanoseconds)
        }
        return FileTime(seconds: seconds, nanoseconds: nanoseconds)
    }
}
