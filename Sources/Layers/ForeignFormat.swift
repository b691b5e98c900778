/// What a stream is that is no tar, for the refusal. Asked only when the first block is no header: the name of a tar's
/// first member may begin with any of these bytes (`PKG-INFO`, `070701-notes`).
enum ForeignFormat {
    /// `start` is the first block, zeros where the stream is shorter.
    static func name(of start: [UInt8]) -> String? {
        if let mark = marks.first(where: { start.dropFirst($0.offset).starts(with: $0.bytes) }) { return mark.name }
        return Compression.foreign.first { start.starts(with: $0.0) }?.1
    }

    /// ISO 9660 (ECMA-119, 6.2.1) leaves 32 KiB to others before its first descriptor: type, then this.
    static let isoOffset: UInt64 = 32769
    static let isoMark = Array("CD001".utf8)
    static let isoName = "an ISO 9660 image"

    private static let marks: [(offset: Int, bytes: [UInt8], name: String)] = [
        (0, [0x50, 0x4b, 3, 4], "a zip archive"),
        (0, [0x50, 0x4b, 5, 6], "a zip archive"),
        (0, [0x50, 0x4b, 7, 8], "a zip archive"),
        (0, Array("Rar!".utf8), "a rar archive"),
        (0, Array("07070".utf8), "a cpio archive"),
        (0, [0xc7, 0x71], "a cpio archive"),
        (0, [0x71, 0xc7], "a cpio archive"),
        (0, Array("#mtree".utf8), "an mtree specification"),
        (0, Array("!<arch".utf8), "an ar archive"),
        (0, Array("xar!".utf8), "a xar archive"),
        (0, Array("MSCF".utf8), "a cabinet archive"),
        (0, [0xed, 0xab, 0xee, 0xdb], "an rpm package"),
        (0, Array("hsqs".utf8), "a squashfs image"),
        (0, Array("WARC/".utf8), "a WARC archive"),
        (2, Array("-lh".utf8), "an lha archive"),
        (0, Array("LRZI".utf8), "compressed with lrzip"),
        (0, Array("LZIP".utf8), "compressed with lzip"),
        (0, Array("GRZip".utf8), "compressed with grzip"),
        (0, [0x5d, 0, 0], "compressed with lzma"),
        (0, Array("begin ".utf8), "uuencoded"),
    ]
}
