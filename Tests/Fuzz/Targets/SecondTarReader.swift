/// A tar reader of its own for comparison, over the whole tar in memory: what Go's archive/tar makes of it. nil: it is
/// refused.
struct SecondTarReader {
    struct Member {
        /// The type's digit.
        var kind: UInt8
        var name: [UInt8]
        var linkName: [UInt8]
        var mode: Int64
        var user: Int64
        var group: Int64
        var seconds: Int64
        var nanoseconds: Int64 = 0
        var size: Int64
        var major: Int64
        var minor: Int64
        var extents: [[Int64]]?
        var data: [UInt8] = []
        /// Of SCHILY.xattr records.
        var attributes: [[UInt8]: [UInt8]] = [:]
    }

    /// Fields of a header block, by the standard's numbers.
    private struct Block {
        let bytes: ArraySlice<UInt8>

        subscript(_ from: Int, _ to: Int) -> ArraySlice<UInt8> {
            bytes[(bytes.startIndex + from)..<(bytes.startIndex + to)]
        }

        func text(_ from: Int, _ to: Int) -> [UInt8] { Array(self[from, to].prefix { $0 != 0 }) }

        func number(_ from: Int, _ to: Int) -> Int64? { SecondTarReader.number(Array(self[from, to])) }

        var isZero: Bool { !bytes.contains { $0 != 0 } }
        var isGNU: Bool { self[257, 265].equals("ustar  \0") }
        var isPOSIX: Bool { self[257, 263].equals("ustar\0") }
        var isStar: Bool { isPOSIX && self[508, 512].equals("tar\0") }
    }

    private let bytes: [UInt8]
    private var at = 0
    private var records: [[UInt8]: [UInt8]] = [:]
    private var pairs: [[UInt8]] = []
    private var hasRecords = false
    private var longName: [UInt8]?
    private var longLink: [UInt8]?

    static func members(of bytes: [UInt8]) -> [Member]? {
        var reader = SecondTarReader(bytes: bytes)
        var members: [Member] = []
        while true {
            switch reader.next() {
            case .member(let member): members.append(member)
            case .end: return members
            case .refused: return nil
            }
        }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private enum Step {
        case member(Member), end, refused
    }

    private mutating func next() -> Step {
        while at < bytes.count {
            guard let block = takeBlock() else { return .refused }
            if block.isZero {
                if at == bytes.count { return isPending ? .refused : .end }
                guard let other = takeBlock(), other.isZero, !isPending else { return .refused }
                return .end
            }
            guard SecondTarReader.isSealed(block), let size = block.number(124, 136), size >= 0 else { return .refused }
            let type = block[156, 157].first ?? 0
            switch type {
            case UInt8(ascii: "x"), UInt8(ascii: "g"), UInt8(ascii: "L"), UInt8(ascii: "K"):
                guard headerNumbersRead(block), let text = takeData(size), extend(type, text) else { return .refused }
            default:
                guard let member = member(block, type, size) else { return .refused }
                (records, pairs, hasRecords, longName, longLink) = ([:], [], false, nil, nil)
                return .member(member)
            }
        }
        return isPending ? .refused : .end
    }

    private var isPending: Bool { hasRecords || longName != nil || longLink != nil }

    private mutating func takeBlock() -> Block? {
        guard bytes.count - at >= 512 else { return nil }
        defer { at += 512 }
        return Block(bytes: bytes[at..<(at + 512)])
    }

    /// Data and its padding; that of the last member may be missing.
    private mutating func takeData(_ size: Int64) -> [UInt8]? {
        guard let count = Int(exactly: size), count <= bytes.count - at else { return nil }
        let data = Array(bytes[at..<(at + count)])
        at += count
        at += (512 - count % 512) % 512
        return at <= bytes.count ? data : nil
    }

    private func headerNumbersRead(_ block: Block) -> Bool {
        for (from, to) in [(100, 108), (108, 116), (116, 124), (136, 148)] where block.number(from, to) == nil {
            return false
        }
        guard block.isGNU || block.isPOSIX else { return true }
        return block.number(329, 337) != nil && block.number(337, 345) != nil
    }

    private mutating func extend(_ type: UInt8, _ text: [UInt8]) -> Bool {
        switch type {
        case UInt8(ascii: "L"): longName = Array(text.prefix { $0 != 0 })
        case UInt8(ascii: "K"): longLink = Array(text.prefix { $0 != 0 })
        default:
            guard let (parsed, pairs) = SecondTarReader.records(text) else { return false }
            if type == UInt8(ascii: "g") { return !isPending }
            (records, self.pairs, hasRecords) = (parsed, pairs, true)
        }
        return true
    }

    private func record(_ key: String) -> [UInt8]? {
        guard let value = records[Array(key.utf8)], !value.isEmpty else { return nil }
        return value
    }

    // MARK: A member

    private mutating func member(_ block: Block, _ type: UInt8, _ stored: Int64) -> Member? {
        guard headerNumbersRead(block), var member = plain(block, type, stored) else { return nil }
        guard merge(into: &member) else { return nil }
        if let longName, !longName.isEmpty { member.name = longName }
        if let longLink, !longLink.isEmpty { member.linkName = longLink }
        if type == 0 {
            member.kind = member.name.last == UInt8(ascii: "/") ? UInt8(ascii: "5") : UInt8(ascii: "0")
        } else if type == UInt8(ascii: "S") {
            member.kind = UInt8(ascii: "0")
        }
        guard (UInt8(ascii: "0")...UInt8(ascii: "6")).contains(member.kind), member.size >= 0 else { return nil }
        guard takeContents(of: &member, block, isOldSparse: type == UInt8(ascii: "S")) else { return nil }
        return member
    }

    private func plain(_ block: Block, _ type: UInt8, _ stored: Int64) -> Member? {
        guard let mode = block.number(100, 108), let user = block.number(108, 116), let group = block.number(116, 124),
            let seconds = block.number(136, 148)
        else { return nil }
        var member = Member(
            kind: type, name: block.text(0, 100), linkName: block.text(157, 257), mode: mode, user: user, group: group,
            seconds: seconds, size: stored, major: 0, minor: 0)
        if block.isGNU || block.isPOSIX {
            guard let major = block.number(329, 337), let minor = block.number(337, 345) else { return nil }
            (member.major, member.minor) = (major, minor)
        }
        let prefix = SecondTarReader.prefix(block)
        if !prefix.isEmpty { member.name = prefix + [UInt8(ascii: "/")] + member.name }
        return member
    }

    private static func prefix(_ block: Block) -> [UInt8] {
        if block.isStar { return block.text(345, 476) }
        if block.isPOSIX { return block.text(345, 500) }
        guard block.isGNU else { return [] }
        let isTime = { (from: Int, to: Int) in block[from, to].first == 0 || block.number(from, to) != nil }
        if isTime(345, 357), isTime(357, 369) { return [] }
        let text = block.text(345, 500)
        return text.contains { $0 >= 0x80 } ? [] : text
    }

    private func merge(into member: inout Member) -> Bool {
        if let path = record("path") { member.name = path }
        if let link = record("linkpath") { member.linkName = link }
        for (key, field) in [("uid", \Member.user), ("gid", \Member.group), ("size", \Member.size)] {
            guard let text = record(key) else { continue }
            guard let value = SecondTarReader.decimal(text) else { return false }
            member[keyPath: field] = value
        }
        if let text = record("mtime") {
            guard let (seconds, nanoseconds) = SecondTarReader.time(text) else { return false }
            (member.seconds, member.nanoseconds) = (seconds, nanoseconds)
        }
        let prefix = Array("SCHILY.xattr.".utf8)
        for (key, value) in records where key.starts(with: prefix) {
            member.attributes[Array(key.dropFirst(prefix.count))] = value
        }
        return true
    }

    private mutating func takeContents(of member: inout Member, _ block: Block, isOldSparse: Bool) -> Bool {
        let isFile = member.kind == UInt8(ascii: "0")
        var stored = isFile ? member.size : 0
        let start = at
        if isOldSparse {
            guard block.isGNU, let real = block.number(483, 495), let map = oldMap(block) else { return false }
            (member.size, member.extents) = (real, map)
        } else if let isInData = sparseForm() {
            if let name = record("GNU.sparse.name") { member.name = name }
            if let text = record("GNU.sparse.size") ?? record("GNU.sparse.realsize") {
                guard let real = SecondTarReader.decimal(text) else { return false }
                member.size = real
            }
            guard isFile, let map = isInData ? mapInData(stored) : mapInRecords() else { return false }
            member.extents = map
            stored -= Int64(isInData ? at - start : 0)
        }
        if let map = member.extents, !SecondTarReader.isValid(map, member.size, stored) { return false }
        guard let data = takeData(stored) else { return false }
        member.data = data
        if !isFile { member.size = 0 }
        return true
    }

    // MARK: Maps of sparse files

    /// Whether the map is in the data; nil: not sparse.
    private func sparseForm() -> Bool? {
        let major = record("GNU.sparse.major").map { String(decoding: $0, as: UTF8.self) } ?? ""
        let minor = record("GNU.sparse.minor").map { String(decoding: $0, as: UTF8.self) } ?? ""
        if major == "0", minor == "0" || minor == "1" { return false }
        if major == "1", minor == "0" { return true }
        if major != "" || minor != "" { return nil }
        return record("GNU.sparse.map") != nil || !pairs.isEmpty ? false : nil
    }

    private mutating func oldMap(_ block: Block) -> [[Int64]]? {
        var map: [[Int64]] = []
        var (table, count, flag) = (Array(block[386, 482]), 4, block[482, 483].first ?? 0)
        while true {
            for index in 0..<count {
                let entry = Array(table[(24 * index)..<(24 * index + 24)])
                if entry[0] == 0 { break }
                guard let offset = SecondTarReader.number(Array(entry[..<12])),
                    let length = SecondTarReader.number(Array(entry[12...]))
                else { return nil }
                map.append([offset, length])
            }
            if flag == 0 { return map }
            guard let more = takeBlock() else { return nil }
            (table, count, flag) = (Array(more[0, 504]), 21, more[504, 505].first ?? 0)
        }
    }

    private func mapInRecords() -> [[Int64]]? {
        var texts = pairs
        if texts.isEmpty, let list = record("GNU.sparse.map") {
            texts = list.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false).map { Array($0) }
        }
        guard let text = record("GNU.sparse.numblocks"), let count = SecondTarReader.decimal(text), count >= 0,
            count <= Int64(texts.count), 2 * count == Int64(texts.count)
        else { return nil }
        return SecondTarReader.map(texts)
    }

    private static func map(_ texts: [[UInt8]]) -> [[Int64]]? {
        var map: [[Int64]] = []
        for index in stride(from: 0, to: texts.count, by: 2) {
            guard let offset = decimal(texts[index]), let length = decimal(texts[index + 1]) else { return nil }
            map.append([offset, length])
        }
        return map
    }

    private mutating func mapInData(_ stored: Int64) -> [[Int64]]? {
        let end = min(Int64(bytes.count), Int64(at).addingReportingOverflow(stored).partialValue)
        var lines: [[UInt8]] = []
        var line: [UInt8] = []
        var wanted = 1
        while lines.count < wanted {
            guard Int64(at) + 512 <= end, let block = takeBlock() else { return nil }
            for byte in block.bytes {
                if byte != 0x0a {
                    line.append(byte)
                    continue
                }
                lines.append(line)
                line = []
                if lines.count == 1 {
                    guard let count = SecondTarReader.decimal(lines[0]), (0...1_000_000).contains(count) else {
                        return nil
                    }
                    wanted = 1 + 2 * Int(count)
                }
                if lines.count == wanted { break }
            }
        }
        return SecondTarReader.map(Array(lines.dropFirst()))
    }

    private static func isValid(_ map: [[Int64]], _ size: Int64, _ stored: Int64) -> Bool {
        var end: Int64 = 0
        var sum: Int64 = 0
        for part in map {
            guard part[0] >= end, part[1] >= 0, part[0] <= Int64.max - part[1], part[0] + part[1] <= size else {
                return false
            }
            end = part[0] + part[1]
            sum += part[1]
        }
        return size >= 0 && sum == stored
    }

    // MARK: Texts and numbers

    private static func isSealed(_ block: Block) -> Bool {
        guard let wanted = octal(Array(block[148, 156])) else { return false }
        let bytes = Array(block[0, 148]) + [UInt8](repeating: 0x20, count: 8) + Array(block[156, 512])
        let unsigned = bytes.reduce(Int64(0)) { $0 + Int64($1) }
        let signed = bytes.reduce(Int64(0)) { $0 + Int64(Int8(bitPattern: $1)) }
        return wanted == unsigned || wanted == signed
    }

    private static func number(_ field: [UInt8]) -> Int64? {
        guard field[0] & 0x80 != 0 else { return octal(field) }
        // Two's complement of any width, big-endian, the mark of base 256 taken for the sign's neighbour.
        let isNegative = field[0] & 0x40 != 0
        var digits = field
        digits[0] = isNegative ? field[0] | 0x80 : field[0] & 0x7f
        let high = digits.dropLast(8)
        guard high.allSatisfy({ $0 == (isNegative ? 0xff : 0) }) else { return nil }
        let low = digits.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
        let value = Int64(bitPattern: low)
        return (value < 0) == isNegative ? value : nil
    }

    private static func octal(_ field: [UInt8]) -> Int64? {
        let text = String(decoding: field.map { $0 < 0x80 ? $0 : UInt8(ascii: "?") }, as: UTF8.self)
        let blank: (Character) -> Bool = { $0 == " " || $0 == "\0" }
        var trimmed = text.drop(while: blank)
        while let last = trimmed.last, blank(last) { trimmed.removeLast() }
        let digits = trimmed.prefix { $0 != "\0" }
        if digits.isEmpty { return 0 }
        return digits.first?.isNumber == true ? Int64(digits, radix: 8) : nil
    }

    private static func decimal(_ text: [UInt8]) -> Int64? {
        guard let first = text.first, first != UInt8(ascii: "+"), text.allSatisfy({ $0 < 0x80 }) else { return nil }
        return Int64(String(decoding: text, as: UTF8.self))
    }

    private static func time(_ text: [UInt8]) -> (Int64, Int64)? {
        let parts = text.split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
        guard let seconds = decimal(Array(parts[0])) else { return nil }
        let places = parts.count == 2 ? Array(parts[1]) : []
        guard places.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let padded = Array((places + [UInt8](repeating: 0x30, count: 9)).prefix(9))
        guard let nanoseconds = decimal(padded) else { return nil }
        guard parts[0].first == UInt8(ascii: "-"), nanoseconds > 0 else { return (seconds, nanoseconds) }
        return seconds == .min ? nil : (seconds - 1, 1_000_000_000 - nanoseconds)
    }

    private static func records(_ text: [UInt8]) -> (records: [[UInt8]: [UInt8]], pairs: [[UInt8]])? {
        var records: [[UInt8]: [UInt8]] = [:]
        var pairs: [[UInt8]] = []
        var at = 0
        while at < text.count {
            guard let space = text[at...].firstIndex(of: 0x20), let length = decimal(Array(text[at..<space])),
                length >= 5, length <= Int64(text.count - at)
            else { return nil }
            let end = at + Int(length)
            guard space + 1 < end, text[end - 1] == 0x0a,
                let equals = text[(space + 1)..<(end - 1)].firstIndex(of: UInt8(ascii: "=")), equals > space + 1
            else { return nil }
            let (key, value) = (Array(text[(space + 1)..<equals]), Array(text[(equals + 1)..<(end - 1)]))
            at = end
            let name = String(decoding: key, as: UTF8.self)
            let isText = ["path", "linkpath", "uname", "gname"].contains(name)
            if key.contains(0) || isText && value.contains(0) { return nil }
            if name == "GNU.sparse.offset" || name == "GNU.sparse.numbytes" {
                if (name == "GNU.sparse.offset") != (pairs.count % 2 == 0) { return nil }
                pairs.append(value)
            } else {
                records[key] = value
            }
        }
        return pairs.count % 2 == 0 ? (records, pairs) : nil
    }
}
