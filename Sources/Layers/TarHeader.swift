/// What is wrong with one member; its reader adds where it stands.
enum MemberError: Error {
    case malformed(String)
    case limit(ExtractionLimits.Kind, allowed: UInt64)
    case input(LayerError)
}

/// One 512-byte header block as it stands: V7, ustar (POSIX.1-1988), star and GNU.
///
/// Why not libarchive's reader (tried, 3.6.2): it reads a PAX size `4x` as 4 and a PAX path `a NUL b` as `a`, takes
/// unknown types for regular files, lets a hard link's PAX size swallow the next header, goes on after a single zero
/// block, and gives names in the locale's character set or none. Go's archive/tar, which every other engine reads
/// layers with, does otherwise in each case; what one tool scans must be what another unpacks. This reader is as strict as
/// Go's, or stricter.
struct TarHeader {
    enum Format { case v7, ustar, star, gnu }

    let format: Format
    let type: UInt8
    var name: [UInt8]
    var linkName: [UInt8]
    var mode: Int64
    var user: Int64
    var group: Int64
    var size: Int64
    var modified: Int64
    var deviceMajor: Int64 = 0
    var deviceMinor: Int64 = 0
    /// Old GNU sparse: the file's size; nil when it is no number.
    var realSize: Int64?

    /// `block` has 512 bytes.
    static func parse(_ block: [UInt8]) throws(MemberError) -> TarHeader {
        guard let sum = octal(block[148..<156]), checksumMatches(block, sum) else {
            throw .malformed("wrong header check sum")
        }
        guard let header = TarHeader(block) else { throw .malformed("invalid number in header") }
        if header.size < 0 { throw .malformed("negative size") }
        return header
    }

    private init?(_ block: [UInt8]) {
        guard let mode = TarHeader.number(block[100..<108]), let user = TarHeader.number(block[108..<116]),
            let group = TarHeader.number(block[116..<124]), let size = TarHeader.number(block[124..<136]),
            let modified = TarHeader.number(block[136..<148])
        else { return nil }
        self.mode = mode
        self.user = user
        self.group = group
        self.size = size
        self.modified = modified
        format = TarHeader.format(of: block)
        type = block[156]
        name = TarHeader.text(block[0..<100])
        linkName = TarHeader.text(block[157..<257])
        if format == .v7 { return }
        guard let major = TarHeader.number(block[329..<337]), let minor = TarHeader.number(block[337..<345]) else {
            return nil
        }
        deviceMajor = major
        deviceMinor = minor
        if format == .gnu { realSize = TarHeader.number(block[483..<495]) }
        let prefix = TarHeader.prefix(of: block, format)
        if !prefix.isEmpty { name = prefix + [UInt8(ascii: "/")] + name }
    }

    private static func format(of block: [UInt8]) -> Format {
        let magic = block[257..<263]
        if magic.elementsEqual(Array("ustar\0".utf8)) {
            return block[508..<512].elementsEqual(Array("tar\0".utf8)) ? .star : .ustar
        }
        return magic.elementsEqual(Array("ustar ".utf8)) && block[263] == 0x20 && block[264] == 0 ? .gnu : .v7
    }

    private static func prefix(of block: [UInt8], _ format: Format) -> [UInt8] {
        switch format {
        case .v7: return []
        case .ustar: return text(block[345..<500])
        case .star: return text(block[345..<476])
        case .gnu:
            // GNU keeps times here. Go before 1.8 wrote ustar prefixes under GNU's magic; images of that age exist.
            let times = [block[345..<357], block[357..<369]]
            if times.allSatisfy({ $0.first == 0 || number($0) != nil }) { return [] }
            let prefix = text(block[345..<500])
            return prefix.allSatisfy { $0 < 0x80 } ? prefix : []
        }
    }

    private static func checksumMatches(_ block: [UInt8], _ expected: UInt64) -> Bool {
        // The field itself counts as spaces. Old tars summed signed bytes.
        var unsigned: Int64 = 8 * 0x20
        var signed: Int64 = 8 * 0x20
        block.withUnsafeBufferPointer { bytes in
            for index in 0..<512 where index < 148 || index >= 156 {
                unsigned += Int64(bytes[index])
                signed += Int64(Int8(bitPattern: bytes[index]))
            }
        }
        return expected == UInt64(bitPattern: unsigned) || expected == UInt64(bitPattern: signed)
    }

    /// Up to the first NUL.
    static func text(_ field: ArraySlice<UInt8>) -> [UInt8] { Array(field.prefix { $0 != 0 }) }

    /// Octal text, or two's complement with the first bit set (GNU's base-256). Nil when it is neither or too large.
    static func number(_ field: ArraySlice<UInt8>) -> Int64? {
        guard let first = field.first else { return 0 }
        if first & 0x80 == 0 { return octal(field).flatMap { Int64(exactly: $0) } }
        let invert: UInt8 = first & 0x40 != 0 ? 0xff : 0
        var value: UInt64 = 0
        for (index, byte) in field.enumerated() {
            var digit = byte ^ invert
            if index == 0 { digit &= 0x7f }
            if value >> 56 != 0 { return nil }
            value = value << 8 | UInt64(digit)
        }
        guard let positive = Int64(exactly: value) else { return nil }
        return invert == 0 ? positive : ~positive
    }

    static func octal(_ field: ArraySlice<UInt8>) -> UInt64? {
        func blank(_ byte: UInt8) -> Bool { byte == 0 || byte == 0x20 }
        var digits = field.drop(while: blank)
        while let last = digits.last, blank(last) { digits.removeLast() }
        var value: UInt64 = 0
        for byte in digits {
            if byte == 0 { break }
            guard byte >= 0x30, byte <= 0x37, value >> 61 == 0 else { return nil }
            value = value << 3 | UInt64(byte - 0x30)
        }
        return value
    }
}
