/// Why a text names no image. The message says which character is wrong and where, counted from 1.
package struct ReferenceError: Error, Equatable, Sendable, CustomStringConvertible {
    package enum Part: String, Sendable {
        case host = "a host"
        case port = "a port"
        case repository = "a repository"
        case tag = "a tag"
    }

    package enum Reason: Equatable, Sendable {
        case empty
        /// A character that cannot stand where it stands.
        case character(Unicode.Scalar, position: Int, in: Part)
        /// A part that ends or is missing at `position`, where a letter or digit is wanted.
        case incomplete(Part, position: Int)
        case upperCase(repository: String)
        case identifier
        case tooLong(Part, limit: Int)
        case port(String)
        case digest(Digest.ParseError)
        /// `name:@sha256:…`
        case emptyTagBeforeDigest
    }

    package let text: String
    package let reason: Reason

    package var description: String {
        let shown = ForeignText(text, limit: 300)
        let prefix = "invalid reference format: "
        switch reason {
        case .empty:
            return prefix + "the name is empty"
        case .character(let scalar, let position, let part):
            let printed = ForeignText(String(scalar))
            return prefix
                + "character \"\(printed)\" at position \(position) of \"\(shown)\" cannot stand there in \(part.rawValue)"
        case .incomplete(let part, let position):
            return prefix + "\"\(shown)\" wants a letter or digit of \(part.rawValue) at position \(position)"
        case .upperCase(let repository):
            return prefix + "repository name (\(ForeignText(repository, limit: 300))) must be lowercase"
        case .identifier:
            return "invalid repository name (\(shown)), cannot specify 64-byte hexadecimal strings"
        case .tooLong(let part, let limit):
            return prefix + "\(part.rawValue) has at most \(limit) characters"
        case .port(let port):
            return prefix + "port \"\(ForeignText(port))\" of \"\(shown)\" is not in 1...65535"
        case .digest(let error):
            return prefix + "\(error)"
        case .emptyTagBeforeDigest:
            let fixed = ForeignText(text.replacingFirst(":@", with: "@"), limit: 300)
            return prefix + "the tag of \"\(shown)\" is empty; did you mean \"\(fixed)\"?"
        }
    }
}

extension Reference {
    private static let legacyDefaultDomain = "index.docker.io"
    private static let officialPrefix = "library/"
    private static let pathLimit = 255
    private static let tagLimit = 128

    /// Reads a name as docker does (grammar of distribution/reference): `ubuntu`, `user/name:tag`, `host:port/a/b@digest`,
    /// `[::1]:5000/a`. `docker.io/` and `library/` are filled in, a missing tag is not: see `tagged`. A first part with
    /// `.` or `:`, or `localhost`, is a host. Unlike distribution/reference, an upper-case first part is no host.
    package init(parsing text: String) throws(ReferenceError) {
        var parser = ReferenceParser(text)
        let parts = try parser.parse()
        var domain = parts.domain ?? Reference.defaultDomain
        if domain == Reference.legacyDefaultDomain { domain = Reference.defaultDomain }
        var path = parts.path
        if domain == Reference.defaultDomain, !path.utf8.contains(UInt8(ascii: "/")) {
            path = Reference.officialPrefix + path
        }
        guard path.utf8.count <= Reference.pathLimit else {
            throw ReferenceError(text: text, reason: .tooLong(.repository, limit: Reference.pathLimit))
        }
        if let tag = parts.tag, tag.utf8.count > Reference.tagLimit {
            throw ReferenceError(text: text, reason: .tooLong(.tag, limit: Reference.tagLimit))
        }
        self.init(domain: domain, path: path, tag: parts.tag, digest: parts.digest)
    }

    /// Whether `text` is a name without a host.
    static func lacksRegistry(_ text: String) -> Bool {
        var parser = ReferenceParser(text)
        guard let parts = try? parser.parse() else { return false }
        return parts.domain == nil
    }

    /// Whether `text` can be a tag.
    package static func isTag(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        guard let first = bytes.first, bytes.count <= tagLimit, ReferenceParser.isWord(first) else { return false }
        return bytes.allSatisfy(ReferenceParser.isTagByte)
    }
}

/// One pass over the bytes, with no look behind, so that a position can be told.
private struct ReferenceParser {
    struct Parts {
        var domain: String?
        var path: String
        var tag: String?
        var digest: Digest?
    }

    let text: String
    let bytes: [UInt8]

    init(_ text: String) {
        self.text = text
        self.bytes = Array(text.utf8)
    }

    mutating func parse() throws(ReferenceError) -> Parts {
        guard !bytes.isEmpty else { throw ReferenceError(text: text, reason: .empty) }
        if Digest(sha256: text) != nil { throw ReferenceError(text: text, reason: .identifier) }
        let at = bytes.firstIndex(of: UInt8(ascii: "@"))
        let nameEnd = at ?? bytes.count
        if let at, at > 0, bytes[at - 1] == UInt8(ascii: ":") { throw fail(.emptyTagBeforeDigest) }

        var start = 0
        var domain: String?
        if let slash = bytes[..<nameEnd].firstIndex(of: UInt8(ascii: "/")), isHost(bytes[..<slash]) {
            try checkDomain(0..<slash)
            domain = string(0..<slash)
            start = slash + 1
        }
        let colon = bytes[start..<nameEnd].firstIndex(of: UInt8(ascii: ":"))
        try checkPath(start..<(colon ?? nameEnd))
        if let colon { try checkTag((colon + 1)..<nameEnd) }
        return Parts(
            domain: domain, path: string(start..<(colon ?? nameEnd)),
            tag: colon.map { string(($0 + 1)..<nameEnd) }, digest: try at.map(digest))
    }

    private func digest(after at: Int) throws(ReferenceError) -> Digest {
        do throws(Digest.ParseError) {
            return try Digest(parsing: string((at + 1)..<bytes.count))
        } catch {
            throw fail(.digest(error))
        }
    }

    private func isHost(_ part: ArraySlice<UInt8>) -> Bool {
        part.contains { $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: ":") } || part.first == UInt8(ascii: "[")
            || part.elementsEqual("localhost".utf8)
    }

    // MARK: Host

    private func checkDomain(_ range: Range<Int>) throws(ReferenceError) {
        let hostEnd: Int
        if range.first.map({ bytes[$0] }) == UInt8(ascii: "[") {
            guard let bracket = bytes[range].firstIndex(of: UInt8(ascii: "]")) else {
                throw fail(.incomplete(.host, position: position(range.upperBound)))
            }
            for index in (range.lowerBound + 1)..<bracket where !ReferenceParser.isAddressByte(bytes[index]) {
                throw character(index, .host)
            }
            guard bracket > range.lowerBound + 1 else { throw character(bracket, .host) }
            hostEnd = bracket + 1
        } else {
            hostEnd = bytes[range].firstIndex(of: UInt8(ascii: ":")) ?? range.upperBound
            try checkHostName(range.lowerBound..<hostEnd)
        }
        guard hostEnd < range.upperBound else { return }
        guard bytes[hostEnd] == UInt8(ascii: ":") else { throw character(hostEnd, .host) }
        try checkPort((hostEnd + 1)..<range.upperBound)
    }

    /// Parts between dots, each of letters, digits and inner hyphens.
    private func checkHostName(_ range: Range<Int>) throws(ReferenceError) {
        var previous = UInt8(ascii: ".")
        for index in range {
            let byte = bytes[index]
            let edge = previous == UInt8(ascii: ".")
            switch byte {
            case _ where ReferenceParser.isLetterOrDigit(byte): break
            case UInt8(ascii: "-") where !edge: break
            case UInt8(ascii: ".") where !edge && previous != UInt8(ascii: "-"): break
            default: throw character(index, .host)
            }
            previous = byte
        }
        guard ReferenceParser.isLetterOrDigit(previous) else {
            throw fail(.incomplete(.host, position: position(range.upperBound)))
        }
    }

    private func checkPort(_ range: Range<Int>) throws(ReferenceError) {
        guard !range.isEmpty else { throw fail(.incomplete(.port, position: position(range.upperBound))) }
        for index in range where !ReferenceParser.isDigit(bytes[index]) { throw character(index, .port) }
        guard let port = UInt16(string(range)), port > 0 else { throw fail(.port(string(range))) }
    }

    // MARK: Repository and tag

    /// Components between slashes: runs of lower-case letters and digits, with `.`, `_`, `__` or hyphens between runs.
    private func checkPath(_ range: Range<Int>) throws(ReferenceError) {
        if bytes[range].contains(where: ReferenceParser.isUpper), ReferenceParser.isOtherwiseName(bytes[range]) {
            throw fail(.upperCase(repository: string(range)))
        }
        var separator = 0
        var previous = UInt8(ascii: "/")
        for index in range {
            let byte = bytes[index]
            switch byte {
            case _ where ReferenceParser.isDigit(byte) || ReferenceParser.isLower(byte):
                separator = 0
            case UInt8(ascii: "-") where separator == 0 && previous != UInt8(ascii: "/"),
                UInt8(ascii: "-") where previous == byte:
                separator += 1
            case UInt8(ascii: ".") where separator == 0 && previous != UInt8(ascii: "/"):
                separator += 1
            case UInt8(ascii: "_") where separator == 0 && previous != UInt8(ascii: "/"),
                UInt8(ascii: "_") where separator == 1 && previous == byte:
                separator += 1
            case UInt8(ascii: "/") where separator == 0 && previous != UInt8(ascii: "/"):
                break
            default:
                throw character(index, .repository)
            }
            previous = byte
        }
        guard ReferenceParser.isDigit(previous) || ReferenceParser.isLower(previous) else {
            throw fail(.incomplete(.repository, position: position(range.upperBound)))
        }
    }

    private func checkTag(_ range: Range<Int>) throws(ReferenceError) {
        guard let first = range.first else { throw fail(.incomplete(.tag, position: position(range.upperBound))) }
        guard ReferenceParser.isWord(bytes[first]) else { throw character(first, .tag) }
        for index in range where !ReferenceParser.isTagByte(bytes[index]) { throw character(index, .tag) }
    }

    // MARK: Bytes

    static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
    static func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
    static func isUpper(_ byte: UInt8) -> Bool { (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte) }
    static func isLetterOrDigit(_ byte: UInt8) -> Bool { isDigit(byte) || isLower(byte) || isUpper(byte) }
    static func isWord(_ byte: UInt8) -> Bool { isLetterOrDigit(byte) || byte == UInt8(ascii: "_") }

    static func isTagByte(_ byte: UInt8) -> Bool {
        isWord(byte) || byte == UInt8(ascii: ".") || byte == UInt8(ascii: "-")
    }

    /// Brackets hold an address without a zone and without an IPv4 tail, as in distribution/reference.
    static func isAddressByte(_ byte: UInt8) -> Bool {
        isDigit(byte) || byte == UInt8(ascii: ":") || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
            || (UInt8(ascii: "A")...UInt8(ascii: "F")).contains(byte)
    }

    static func isOtherwiseName(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.allSatisfy { isTagByte($0) || $0 == UInt8(ascii: "/") }
    }

    private func string(_ range: Range<Int>) -> String { String(decoding: bytes[range], as: UTF8.self) }

    private func fail(_ reason: ReferenceError.Reason) -> ReferenceError { ReferenceError(text: text, reason: reason) }

    /// The 1-based position, in Unicode scalars, of the byte at `index`.
    private func position(_ index: Int) -> Int {
        bytes[..<index].count { $0 & 0xc0 != 0x80 } + 1
    }

    private func character(_ index: Int, _ part: ReferenceError.Part) -> ReferenceError {
        let place = position(index)
        let scalar = text.unicodeScalars.dropFirst(place - 1).first ?? "\u{fffd}"
        return fail(.character(scalar, position: place, in: part))
    }
}

extension String {
    fileprivate func replacingFirst(_ target: String, with replacement: String) -> String {
        guard let range = firstRange(of: target) else { return self }
        return replacingCharacters(range, replacement)
    }

    private func replacingCharacters(_ range: Range<Index>, _ replacement: String) -> String {
        String(self[..<range.lowerBound]) + replacement + String(self[range.upperBound...])
    }
}
