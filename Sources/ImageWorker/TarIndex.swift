internal import OCI
internal import Sys

/// The members of an uncompressed tar file by name: ustar (POSIX.1-2017, pax), with pax and GNU headers for long names and
/// sizes. Only headers are read.
enum TarIndex {
    struct Member: Hashable, Sendable {
        var offset: Int64
        /// nil: no regular file, or a name that is there twice, which readers take differently.
        var length: Int64?
        /// The name that a symbolic link leads to from where it stands, inside the archive.
        var link: String?
    }

    private static let block: Int64 = 512
    private static let entryLimit = 100_000
    private static let headerLimit: Int64 = 1 << 20

    static func read(_ fd: Int32, size: Int64, name: String) throws(WorkerError) -> [String: Member] {
        var reader = Reader(fd: fd, size: size, name: name)
        return try reader.members()
    }

    private struct Reader {
        let fd: Int32
        let size: Int64
        let name: String
        var position: Int64 = 0
        /// From extended headers, for the next member.
        var longName: String?
        var longSize: Int64?

        mutating func members() throws(WorkerError) -> [String: Member] {
            var result: [String: Member] = [:]
            var count = 0
            while position + block <= size {
                let header = try bytes(at: position, count: block)
                if header.allSatisfy({ $0 == 0 }) { break }
                count += 1
                guard count <= entryLimit else { throw fail("it has more than \(entryLimit) members") }
                try take(header, into: &result)
            }
            guard count > 0 else { throw fail("it is no tar archive") }
            // Archivers leave the end marker out at times, but never write a part of a block.
            guard position + block <= size || position == size else { throw fail("it ends early") }
            return result
        }

        private mutating func take(_ header: [UInt8], into result: inout [String: Member]) throws(WorkerError) {
            guard TarIndex.hasChecksum(header) else { throw fail("no tar header at byte \(position)") }
            let type = header[156]
            let isExtension = [UInt8(ascii: "x"), UInt8(ascii: "L"), UInt8(ascii: "K"), UInt8(ascii: "g")].contains(
                type)
            guard let stored = TarIndex.number(header[124..<136]) else { throw fail("bad size at byte \(position)") }
            let length = isExtension ? stored : longSize ?? stored
            let data = position + block
            let (padded, overflow) = length.addingReportingOverflow(block - 1)
            guard !overflow, length >= 0, padded / block * block <= size - data else {
                throw fail("a member at byte \(position) reaches beyond its end")
            }
            defer { position = data + padded / block * block }
            if isExtension {
                return try takeExtension(type, try bytes(at: data, count: checked(length)))
            }
            let path = TarIndex.clean(longName ?? TarIndex.path(header))
            (longName, longSize) = (nil, nil)
            let isFile = type == UInt8(ascii: "0") || type == 0 || type == UInt8(ascii: "7")
            let isKnown = result[path] != nil
            var member = Member(offset: data, length: isFile && !isKnown ? length : nil)
            if type == UInt8(ascii: "2"), !isKnown { member.link = TarIndex.target(header, of: path) }
            result[path] = member
        }

        private mutating func takeExtension(_ type: UInt8, _ content: [UInt8]) throws(WorkerError) {
            switch type {
            case UInt8(ascii: "L"):
                longName = String(decoding: content.prefix { $0 != 0 }, as: UTF8.self)
            case UInt8(ascii: "x"):
                guard let records = TarIndex.records(content) else { throw fail("bad pax header at byte \(position)") }
                if let path = records["path"] { longName = path }
                if let text = records["size"] {
                    guard let value = Int64(text), value >= 0 else { throw fail("bad pax size at byte \(position)") }
                    longSize = value
                }
            case UInt8(ascii: "g"):
                guard let records = TarIndex.records(content), records["path"] == nil, records["size"] == nil else {
                    throw fail("a global pax header at byte \(position) that renames its members")
                }
            default:
                break
            }
        }

        private func checked(_ length: Int64) throws(WorkerError) -> Int64 {
            guard length <= headerLimit else { throw fail("an extended header of \(length) bytes") }
            return length
        }

        private func bytes(at offset: Int64, count: Int64) throws(WorkerError) -> [UInt8] {
            let result = try system("read", name) { () throws(Errno) in
                try File.bytes(fd, at: offset, count: Int(count))
            }
            guard Int64(result.count) == count else { throw fail("it ends early") }
            return result
        }

        private func fail(_ reason: String) -> WorkerError { .source(name, reason: reason) }
    }

    // MARK: Fields

    /// The sum of all bytes, the checksum's own counted as spaces.
    static func hasChecksum(_ header: [UInt8]) -> Bool {
        var sum: Int64 = 0
        for (index, byte) in header.enumerated() { sum += (148..<156).contains(index) ? 32 : Int64(byte) }
        return number(header[148..<156]) == sum
    }

    /// Octal digits, or GNU's base-256 with the top bit set; nil when it is neither or negative.
    static func number(_ field: ArraySlice<UInt8>) -> Int64? {
        guard let first = field.first else { return nil }
        if first & 0x80 != 0 {
            guard first == 0x80 else { return nil }
            var value: Int64 = 0
            for byte in field.dropFirst() {
                guard value <= Int64.max >> 8 else { return nil }
                value = value << 8 | Int64(byte)
            }
            return value
        }
        let digits = field.drop { $0 == 32 }.prefix { $0 != 0 && $0 != 32 }
        guard digits.allSatisfy({ (48...55).contains($0) }), digits.count <= 20 else { return nil }
        return digits.isEmpty ? 0 : Int64(String(decoding: digits, as: UTF8.self), radix: 8)
    }

    static func path(_ header: [UInt8]) -> String {
        func text(_ range: Range<Int>) -> String { String(decoding: header[range].prefix { $0 != 0 }, as: UTF8.self) }
        let prefix = header[257..<262].elementsEqual("ustar".utf8) && header[263] != 32 ? text(345..<500) : ""
        return prefix.isEmpty ? text(0..<100) : "\(prefix)/\(text(0..<100))"
    }

    /// Where a link of a ustar header leads; nil for one that leaves the archive, or is longer than the field.
    static func target(_ header: [UInt8], of path: String) -> String? {
        let field = header[157..<257].prefix { $0 != 0 }
        let text = String(decoding: field, as: UTF8.self)
        guard field.count < 100, !text.isEmpty, !text.hasPrefix("/") else { return nil }
        var parts = Array(path.split(separator: "/").dropLast())
        for part in text.split(separator: "/") where part != "." {
            if part != ".." {
                parts.append(part)
            } else if parts.popLast() == nil {
                return nil
            }
        }
        return parts.joined(separator: "/")
    }

    /// Without the `./` that many archivers put in front.
    static func clean(_ path: String) -> String {
        var rest = path[...]
        while rest.hasPrefix("./") { rest = rest.dropFirst(2) }
        return String(rest)
    }

    /// `LENGTH KEY=VALUE\n` records; a later one wins.
    static func records(_ content: [UInt8]) -> [String: String]? {
        var result: [String: String] = [:]
        var rest = content[...]
        while let first = rest.first, first != 0 {
            guard let space = rest.firstIndex(of: 32), space - rest.startIndex <= 8,
                let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length > 0, length <= rest.count
            else { return nil }
            let record = rest[rest.startIndex..<rest.startIndex + length]
            guard record.last == 10, space + 1 < record.endIndex, let mark = record[(space + 1)...].firstIndex(of: 61)
            else { return nil }
            let key = String(decoding: record[(space + 1)..<mark], as: UTF8.self)
            result[key] = String(decoding: record[(mark + 1)...].dropLast(), as: UTF8.self)
            rest = rest[record.endIndex...]
        }
        return result
    }
}
