/// Makes tars by hand, one 512-byte block after the other, so that they can be as wrong as an attacker wants them.
package struct TarForge: Sendable {
    package enum Format: Sendable { case ustar, gnu, v7, star }

    /// A header block; what is not said is what a plain file of root has.
    package struct Header: Sendable {
        package var name: [UInt8]
        package var type: UInt8
        package var mode: Int64 = 0o644
        package var uid: Int64 = 0
        package var gid: Int64 = 0
        package var size: Int64 = 0
        package var mtime: Int64 = 1_700_000_000
        package var link: [UInt8] = []
        package var major: Int64 = 0
        package var minor: Int64 = 0
        package var format = Format.ustar
        package var prefix: [UInt8] = []
        /// Bytes put at offsets after all else, before the check sum.
        package var patches: [(offset: Int, bytes: [UInt8])] = []

        package init(_ name: [UInt8], type: Character = "0") {
            self.name = name
            self.type = type.asciiValue ?? 0
        }

        package init(_ name: String, type: Character = "0") { self.init(Array(name.utf8), type: type) }

        package func with(_ change: (inout Header) -> Void) -> Header {
            var copy = self
            change(&copy)
            return copy
        }
    }

    /// The tar so far, without an end marker.
    package private(set) var bytes: [UInt8] = []

    package init() {}

    /// A whole tar with its end marker.
    package static func make(_ build: (inout TarForge) -> Void) -> [UInt8] {
        var forge = TarForge()
        build(&forge)
        return forge.bytes + [UInt8](repeating: 0, count: 1024)
    }

    // MARK: Parts

    package mutating func raw(_ more: [UInt8]) { bytes += more }

    package mutating func header(_ header: Header) { bytes += TarForge.block(header) }

    /// Data and what fills its last block.
    package mutating func data(_ data: [UInt8]) {
        bytes += data
        bytes += [UInt8](repeating: 0, count: (512 - data.count % 512) % 512)
    }

    package mutating func member(_ head: Header, _ contents: [UInt8]) {
        header(head.with { $0.size = Int64(contents.count) })
        data(contents)
    }

    package mutating func file(
        _ name: String, _ contents: String = "", _ change: (inout Header) -> Void = { _ in }
    ) {
        member(Header(name).with(change), Array(contents.utf8))
    }

    package mutating func directory(_ name: String, _ change: (inout Header) -> Void = { _ in }) {
        header(Header(name, type: "5").with { $0.mode = 0o755 }.with(change))
    }

    package mutating func symlink(
        _ name: String, to target: String, _ change: (inout Header) -> Void = { _ in }
    ) {
        header(
            Header(name, type: "2").with {
                $0.mode = 0o777; $0.link = Array(target.utf8)
            }.with(change))
    }

    package mutating func hardLink(
        _ name: String, to target: String, _ change: (inout Header) -> Void = { _ in }
    ) {
        header(Header(name, type: "1").with { $0.link = Array(target.utf8) }.with(change))
    }

    /// A PAX extended header with these records; `type` "g" makes it a global one.
    package mutating func pax(_ records: [(String, [UInt8])], type: Character = "x") {
        let text = records.flatMap { TarForge.record($0.0, $0.1) }
        member(Header("PaxHeaders/x", type: type), text)
    }

    package mutating func pax(_ records: [(String, String)], type: Character = "x") {
        pax(records.map { ($0.0, Array($0.1.utf8)) }, type: type)
    }

    /// A GNU long name ("L") or long link ("K").
    package mutating func long(_ type: Character, _ text: String) {
        member(Header("././@LongLink", type: type).with { $0.format = .gnu }, Array(text.utf8) + [0])
    }

    /// One PAX record with the right length in front.
    package static func record(_ key: String, _ value: [UInt8]) -> [UInt8] {
        let body = Array(" \(key)=".utf8) + value + [0x0a]
        var length = body.count + 1
        while "\(length)".utf8.count + body.count != length { length += 1 }
        return Array("\(length)".utf8) + body
    }

    // MARK: A block

    package static func block(_ header: Header) -> [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ bytes: [UInt8], at offset: Int, room: Int) {
            for (index, byte) in bytes.prefix(room).enumerated() { block[offset + index] = byte }
        }
        put(header.name, at: 0, room: 100)
        put(number(header.mode, 8), at: 100, room: 8)
        put(number(header.uid, 8), at: 108, room: 8)
        put(number(header.gid, 8), at: 116, room: 8)
        put(number(header.size, 12), at: 124, room: 12)
        put(number(header.mtime, 12), at: 136, room: 12)
        block[156] = header.type
        put(header.link, at: 157, room: 100)
        switch header.format {
        case .v7: break
        case .gnu: put(Array("ustar  \0".utf8), at: 257, room: 8)
        case .ustar, .star: put(Array("ustar\u{0}00".utf8), at: 257, room: 8)
        }
        if header.format == .star { put(Array("tar\0".utf8), at: 508, room: 4) }
        if header.format != .v7 {
            put(number(header.major, 8), at: 329, room: 8)
            put(number(header.minor, 8), at: 337, room: 8)
            put(header.prefix, at: 345, room: 155)
        }
        for patch in header.patches { put(patch.bytes, at: patch.offset, room: 512 - patch.offset) }
        seal(&block)
        return block
    }

    /// Writes the check sum.
    package static func seal(_ block: inout [UInt8]) {
        for index in 148..<156 { block[index] = 0x20 }
        let sum = block.reduce(0) { $0 + Int($1) }
        let digits = String(sum, radix: 8)
        let text = Array((String(repeating: "0", count: max(0, 6 - digits.count)) + digits).utf8) + [0, 0x20]
        for (index, byte) in text.enumerated() { block[148 + index] = byte }
    }

    /// Octal where it fits, else GNU's base-256.
    package static func number(_ value: Int64, _ width: Int) -> [UInt8] {
        let digits = value < 0 ? "" : String(value, radix: 8)
        if value >= 0, digits.utf8.count < width {
            return Array((String(repeating: "0", count: width - 1 - digits.utf8.count) + digits).utf8) + [0]
        }
        return base256(value, width)
    }

    package static func base256(_ value: Int64, _ width: Int) -> [UInt8] {
        var field = [UInt8](repeating: value < 0 ? 0xff : 0, count: width)
        for index in 0..<min(8, width) {
            field[width - 1 - index] = UInt8(truncatingIfNeeded: value >> Int64(8 * index))
        }
        field[0] = value < 0 ? 0xff : (width > 8 ? 0x80 : field[0] | 0x80)
        return field
    }
}
