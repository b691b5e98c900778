internal import Sys

/// The header blocks of one member as POSIX has them (pax(1), "ustar Interchange Format"): a ustar header, and before it
/// an extended header with what does not fit. Owners are numbers only: names would be this machine's.
struct TarHeaderBlock {
    private static let blockSize = 512
    private static let nameSize = 100
    private static let prefixSize = 155
    /// What readers take, `ExtractionLimits.extendedHeaderSize` and Go's archive/tar.
    private static let largestExtension = 1 << 20

    private var records: [(key: [UInt8], value: [UInt8])] = []
    private var block = [UInt8](repeating: 0, count: blockSize)

    /// All blocks before the member's data.
    static func bytes(_ entry: TarEntry) throws(LayerError) -> [UInt8] {
        var header = TarHeaderBlock()
        header.describe(entry)
        header.close()
        if header.records.isEmpty { return header.block }
        return try header.extensions(of: entry) + header.block
    }

    private mutating func describe(_ entry: TarEntry) {
        putName(entry.kind == .directory ? entry.name + [UInt8(ascii: "/")] : entry.name)
        putNumber(Int64(entry.mode), at: 100, digits: 7, key: "mode")
        putNumber(Int64(entry.user), at: 108, digits: 7, key: "uid")
        putNumber(Int64(entry.group), at: 116, digits: 7, key: "gid")
        putNumber(Int64(clamping: entry.size), at: 124, digits: 11, key: "size")
        putTime(entry.modified)
        block[156] = entry.kind.typeFlag
        putLink(entry.linkName)
        putText("ustar", at: 257)
        putText("00", at: 263)
        if entry.kind == .characterDevice || entry.kind == .blockDevice {
            putNumber(entry.deviceMajor, at: 329, digits: 7, key: "SCHILY.devmajor")
            putNumber(entry.deviceMinor, at: 337, digits: 7, key: "SCHILY.devminor")
        }
        for attribute in entry.attributes {
            records.append((Array("SCHILY.xattr.".utf8) + attribute.name, attribute.value))
        }
    }

    // MARK: Fields

    private mutating func put(_ bytes: some Collection<UInt8>, at offset: Int) {
        block.replaceSubrange(offset..<offset + bytes.count, with: bytes)
    }

    private mutating func putText(_ text: String, at offset: Int) { put(Array(text.utf8), at: offset) }

    private mutating func record(_ key: String, _ value: [UInt8]) { records.append((Array(key.utf8), value)) }

    /// Up to 100 bytes as they are, up to 255 where a slash divides them rightly.
    private mutating func putName(_ name: [UInt8]) {
        if name.count <= TarHeaderBlock.nameSize { return put(name, at: 0) }
        let slash = name.indices.last { index in
            name[index] == UInt8(ascii: "/") && (1...TarHeaderBlock.prefixSize).contains(index)
                && index < name.count - 1
        }
        if let slash, name.count - slash - 1 <= TarHeaderBlock.nameSize {
            put(name[(slash + 1)...], at: 0)
            put(name[..<slash], at: 345)
            return
        }
        record("path", name)
        put(name.prefix(TarHeaderBlock.nameSize), at: 0)
    }

    private mutating func putLink(_ target: [UInt8]) {
        if target.count > TarHeaderBlock.nameSize { record("linkpath", target) }
        put(target.prefix(TarHeaderBlock.nameSize), at: 157)
    }

    /// Octal digits and a NUL; a number that has no room there becomes a record.
    private mutating func putNumber(_ value: Int64, at offset: Int, digits: Int, key: String) {
        let fits = value >= 0 && value < Int64(1) << Int64(3 * digits)
        if !fits { record(key, Array(String(value).utf8)) }
        let text = String(fits ? value : 0, radix: 8)
        putText(String(repeating: "0", count: digits - text.utf8.count) + text, at: offset)
    }

    /// Whole seconds stand in the header; a fraction needs a record.
    private mutating func putTime(_ time: FileTime) {
        if time.nanoseconds == 0 { return putNumber(time.seconds, at: 136, digits: 11, key: "mtime") }
        record("mtime", Array(TarHeaderBlock.decimal(time).utf8))
        let fits = time.seconds >= 0 && time.seconds < Int64(1) << 33
        putNumber(fits ? time.seconds : 0, at: 136, digits: 11, key: "mtime")
    }

    /// `-1.5` is a second and a half before 1970, which is -2 seconds and 500,000,000 nanoseconds.
    static func decimal(_ time: FileTime) -> String {
        let isBefore = time.seconds < 0
        let seconds = isBefore ? (time.seconds + 1).magnitude : time.seconds.magnitude
        let fraction = isBefore ? 1_000_000_000 - time.nanoseconds : time.nanoseconds
        var digits = String(fraction)
        digits = String(repeating: "0", count: 9 - digits.utf8.count) + digits
        while digits.hasSuffix("0") { digits.removeLast() }
        return "\(isBefore ? "-" : "")\(seconds).\(digits)"
    }

    /// The sum of all bytes, counting its own field as spaces.
    private mutating func close() {
        put([UInt8](repeating: UInt8(ascii: " "), count: 8), at: 148)
        let sum = String(block.reduce(0) { $0 + Int($1) }, radix: 8)
        putText(String(repeating: "0", count: 6 - sum.utf8.count) + sum + "\0 ", at: 148)
    }

    // MARK: Extended header

    private func extensions(of entry: TarEntry) throws(LayerError) -> [UInt8] {
        var data: [UInt8] = []
        for (key, value) in records.sorted(by: { $0.key.lexicographicallyPrecedes($1.key) }) {
            data += TarHeaderBlock.record(key, value)
        }
        if data.count > TarHeaderBlock.largestExtension {
            throw .limit(
                .extendedHeaderSize, entry: PathBytes.printable(entry.name),
                allowed: UInt64(TarHeaderBlock.largestExtension))
        }
        var header = TarHeaderBlock()
        header.putText("PaxHeaders.0/member", at: 0)
        header.putText("0000644", at: 100)
        header.putText("0000000", at: 108)
        header.putText("0000000", at: 116)
        header.putNumber(Int64(data.count), at: 124, digits: 11, key: "size")
        header.putText("00000000000", at: 136)
        header.block[156] = UInt8(ascii: "x")
        header.putText("ustar", at: 257)
        header.putText("00", at: 263)
        header.close()
        let padding = (TarHeaderBlock.blockSize - data.count % TarHeaderBlock.blockSize) % TarHeaderBlock.blockSize
        return header.block + data + [UInt8](repeating: 0, count: padding)
    }

    /// `LENGTH KEY=VALUE\n`, where the length counts its own digits.
    private static func record(_ key: [UInt8], _ value: [UInt8]) -> [UInt8] {
        let rest = [UInt8(ascii: " ")] + key + [UInt8(ascii: "=")] + value + [UInt8(ascii: "\n")]
        var length = rest.count + 1
        while String(length).utf8.count + rest.count != length { length = String(length).utf8.count + rest.count }
        return Array(String(length).utf8) + rest
    }
}

extension TarEntry.Kind {
    /// The byte that stands for it in a header.
    var typeFlag: UInt8 {
        switch self {
        case .regular: UInt8(ascii: "0")
        case .hardLink: UInt8(ascii: "1")
        case .symbolicLink: UInt8(ascii: "2")
        case .characterDevice: UInt8(ascii: "3")
        case .blockDevice: UInt8(ascii: "4")
        case .directory: UInt8(ascii: "5")
        case .fifo: UInt8(ascii: "6")
        }
    }
}
