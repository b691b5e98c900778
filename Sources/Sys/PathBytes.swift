internal import Glibc

/// A path or a name as the kernel takes it: any bytes but NUL. A `String` would change names that are not UTF-8.
package struct PathBytes: Hashable, Sendable {
    /// The bytes and a closing NUL.
    private var terminated: [UInt8]

    /// Nil when `bytes` has a NUL inside.
    package init?(_ bytes: some Collection<UInt8>) {
        var copy = [UInt8]()
        copy.reserveCapacity(bytes.count + 1)
        copy.append(contentsOf: bytes)
        if copy.contains(0) { return nil }
        copy.append(0)
        self.terminated = copy
    }

    /// A name that the program itself knows.
    package init(_ name: StaticString) {
        self.terminated = name.withUTF8Buffer { Array($0) } + [0]
    }

    /// The bytes up to the NUL that a C call wrote.
    package init(cString: UnsafePointer<CChar>) {
        let count = strlen(cString)
        self.terminated = [UInt8](UnsafeRawBufferPointer(start: cString, count: count)) + [0]
    }

    /// Whether it is `.` or `..`.
    var isDots: Bool { terminated == [0x2e, 0] || terminated == [0x2e, 0x2e, 0] }

    /// The bytes without the NUL.
    package var bytes: ArraySlice<UInt8> { terminated.dropLast() }
    package var count: Int { terminated.count - 1 }
    package var isEmpty: Bool { count == 0 }

    package func hasPrefix(_ prefix: StaticString) -> Bool {
        prefix.withUTF8Buffer { terminated.dropLast().starts(with: $0) }
    }

    package func withCString<R, E: Error>(_ body: (UnsafePointer<CChar>) throws(E) -> R) throws(E) -> R {
        try terminated.withUnsafeBufferPointer { (buffer) throws(E) -> R in
            guard let base = buffer.baseAddress else { preconditionFailure("a terminated name is never empty") }
            return try body(UnsafeRawPointer(base).assumingMemoryBound(to: CChar.self))
        }
    }
}

extension PathBytes: CustomStringConvertible {
    /// For messages: control characters and bytes that are not UTF-8 as `\xNN`, so that a hostile name cannot draw on
    /// the user's terminal.
    package var description: String { PathBytes.printable(bytes) }

    /// As `description`, cut after 200 characters.
    package static func printable(_ bytes: some Collection<UInt8>) -> String {
        var text = ""
        var rest = Array(bytes.prefix(800))[...]
        while let first = rest.first, text.count < 200 {
            let length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4
            let piece = rest.prefix(length)
            if first >= 0x20, first != 0x7f, let scalar = String(validating: piece, as: UTF8.self) {
                // C1 controls are two bytes in UTF-8 and drive terminals as well.
                if let value = scalar.unicodeScalars.first?.value, !(0x80..<0xa0).contains(value) {
                    text += scalar
                    rest = rest.dropFirst(length)
                    continue
                }
            }
            let hex = String(first, radix: 16)
            text += "\\x" + (hex.count == 1 ? "0" : "") + hex
            rest = rest.dropFirst()
        }
        return rest.isEmpty && bytes.count <= 800 ? text : text + "…"
    }
}
