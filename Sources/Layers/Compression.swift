/// How a layer's tar is compressed.
package enum Compression: String, Sendable, Hashable, CaseIterable {
    case plain = "uncompressed"
    case gzip
    case zstd

    /// Enough bytes for `detect`.
    static let magicLength = 6

    /// By the first bytes of the stream, as all peers do: a media type is only a label.
    static func detect(_ start: UnsafeRawBufferPointer) throws(LayerError) -> Compression {
        // RFC 1952 2.3.1; RFC 8878 3.1.1 and 3.1.2 (skippable frames: 0x184D2A50 to 0x184D2A5F).
        if start.starts(with: [0x1f, 0x8b]) { return .gzip }
        if start.starts(with: [0x28, 0xb5, 0x2f, 0xfd]) { return .zstd }
        if start.count >= 4, start[0] & 0xf0 == 0x50, start[1...3].elementsEqual([0x2a, 0x4d, 0x18]) { return .zstd }
        for (magic, name) in foreign where start.starts(with: magic) { throw .unsupported(name) }
        return .plain
    }

    /// Named in the refusal, for people; none of these programs is ever started. Only what no name of a file begins
    /// with, or what docker takes for a compression as well; the rest is `ForeignFormat`'s.
    static let foreign: [([UInt8], String)] = [
        ([0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00], "compressed with xz"),
        (Array("BZh".utf8), "compressed with bzip2"),
        ([0x04, 0x22, 0x4d, 0x18], "compressed with lz4"),
        ([0x89, 0x4c, 0x5a, 0x4f], "compressed with lzop"),
        ([0x1f, 0x9d], "compressed with compress"),
        ([0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c], "a 7z archive"),
    ]
}
