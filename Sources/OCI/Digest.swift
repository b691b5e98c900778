internal import CHash

/// `algorithm:hex`, the name of content (OCI image spec, descriptor.md#digests). Only sha256 and sha512 in lower case
/// with the full length are accepted, so that a digest can be part of a path.
package struct Digest: Hashable, Sendable {
    package enum Algorithm: String, Sendable {
        case sha256, sha512

        package var hexLength: Int { self == .sha256 ? 64 : 128 }
    }

    package let algorithm: Algorithm
    package let hex: String

    /// Why a text is no digest.
    package enum ParseError: Error, Equatable, CustomStringConvertible {
        case noSeparator(String)
        case algorithm(String)
        case hex(String)

        package var description: String {
            switch self {
            case .noSeparator(let text): "\(ParseError.shown(text)): no ':' between algorithm and value"
            case .algorithm(let text): "\(ParseError.shown(text)): algorithm is not sha256 or sha512"
            case .hex(let text): "\(ParseError.shown(text)): value is not lower-case hexadecimal of the full length"
            }
        }

        /// Manifests and headers bring it here: it may be long, and written for a terminal.
        private static func shown(_ text: String) -> String { "invalid digest \"\(ForeignText(text))\"" }
    }

    package init(parsing text: String) throws(ParseError) {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")) else { throw .noSeparator(text) }
        guard let algorithm = Algorithm(rawValue: String(text[..<colon])) else { throw .algorithm(text) }
        let hex = text[text.index(after: colon)...]
        guard hex.utf8.count == algorithm.hexLength, hex.utf8.allSatisfy(Digest.isHex) else { throw .hex(text) }
        self.algorithm = algorithm
        self.hex = String(hex)
    }

    /// A sha256 digest from its 64 hexadecimal digits; nil when they are not that.
    package init?(sha256 hex: String) {
        guard hex.utf8.count == 64, hex.utf8.allSatisfy(Digest.isHex) else { return nil }
        self.algorithm = .sha256
        self.hex = hex
    }

    private static func isHex(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) || (UInt8(ascii: "a")...UInt8(ascii: "f")).contains(byte)
    }

    /// The first twelve digits, as lists show them.
    package var short: String { String(hex.prefix(12)) }

    /// The digest of `bytes`.
    package static func of(_ bytes: some Sequence<UInt8>, _ algorithm: Algorithm = .sha256) -> Digest {
        var hasher = DigestHasher(algorithm)
        let array = Array(bytes)
        array.withUnsafeBytes { hasher.update($0) }
        return hasher.finish()
    }
}

extension Digest: CustomStringConvertible {
    package var description: String { "\(algorithm.rawValue):\(hex)" }
}

extension Digest: Codable {
    package init(from decoder: any Decoder) throws {
        let text = try decoder.singleValueContainer().decode(String.self)
        try self.init(parsing: text)
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}

/// Computes a digest piece by piece.
package struct DigestHasher: Sendable {
    private var context = chash_context()
    package let algorithm: Digest.Algorithm

    package init(_ algorithm: Digest.Algorithm = .sha256) {
        self.algorithm = algorithm
        if algorithm == .sha256 { chash_sha256_init(&context) } else { chash_sha512_init(&context) }
    }

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        guard let base = bytes.baseAddress, !bytes.isEmpty else { return }
        if algorithm == .sha256 {
            chash_sha256_update(&context, base, bytes.count)
        } else {
            chash_sha512_update(&context, base, bytes.count)
        }
    }

    /// The digest of all bytes so far; the hasher itself can go on.
    package func finish() -> Digest {
        var copy = context
        var result = [UInt8](repeating: 0, count: algorithm.hexLength / 2)
        if algorithm == .sha256 { chash_sha256_final(&copy, &result) } else { chash_sha512_final(&copy, &result) }
        let digits = Array("0123456789abcdef".utf8)
        var hex: [UInt8] = []
        hex.reserveCapacity(algorithm.hexLength)
        for byte in result {
            hex.append(digits[Int(byte >> 4)])
            hex.append(digits[Int(byte & 15)])
        }
        return Digest(unchecked: algorithm, String(decoding: hex, as: UTF8.self))
    }
}

extension Digest {
    fileprivate init(unchecked algorithm: Algorithm, _ hex: String) {
        self.algorithm = algorithm
        self.hex = hex
    }

    /// The chain IDs of a list of diff IDs, bottom first (OCI image spec, config.md#layer-chainid).
    package static func chain(of diffIDs: [Digest]) -> [Digest] {
        var result: [Digest] = []
        for diffID in diffIDs {
            if let parent = result.last {
                result.append(Digest.of("\(parent) \(diffID)".utf8))
            } else {
                result.append(diffID)
            }
        }
        return result
    }
}
