import Layers
import OCI
import Sys
import TestSupport
import Testing

/// What is no tar, plain or compressed with gzip or zstd.
@Suite(.enabled(if: Conditions.isRoot, "owners need root")) struct FormatTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let bytes: [UInt8]

        init(_ name: String, _ bytes: [UInt8]) {
            testDescription = name
            self.bytes = bytes
        }

        init(_ name: String, _ text: String) { self.init(name, Array(text.utf8)) }
    }

    /// The beginnings of each, as their writers make them.
    static let foreign: [Case] = [
        Case("zip", "PK\u{3}\u{4}\u{14}\0\0\0\u{8}\0"),
        Case("zip", [0x50, 0x4b, 5, 6] + [UInt8](repeating: 0, count: 18)),
        Case("cpio", "070701" + String(repeating: "0", count: 104)), Case("cpio", "070702"), Case("cpio", "070707"),
        Case("cpio", [0xc7, 0x71, 1, 2]), Case("7z", [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c, 0, 4]),
        Case("rar", "Rar!\u{1a}\u{7}\u{1}\0"), Case("ISO 9660", iso()), Case("ISO 9660", iso(boot: 0xfa)),
        Case("mtree", "#mtree\n. type=dir\n"), Case("lrzip", "LRZI\0\u{6}"), Case("lzop", [0x89, 0x4c, 0x5a, 0x4f, 0]),
        Case("grzip", "GRZipII\0\u{2}\u{4}:)"), Case("xz", [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0, 1]),
        Case("bzip2", "BZh91AY"),
        Case("lzip", "LZIP\u{1}\u{c}"), Case("lzma", [0x5d, 0, 0, 0x80]), Case("lz4", [0x04, 0x22, 0x4d, 0x18]),
        Case("compress", [0x1f, 0x9d, 0x90]), Case("ar", "!<arch>\ndebian-binary"), Case("xar", "xar!\0\u{1c}"),
        Case("cabinet", "MSCF\0\0\0\0"), Case("rpm", [0xed, 0xab, 0xee, 0xdb]), Case("squashfs", "hsqs"),
        Case("WARC", "WARC/1.0\r\n"), Case("lha", "\u{1a}\u{0}-lh5-"), Case("uuencoded", "begin 644 file\n"),
        Case("not a tar archive", [UInt8](repeating: 0x41, count: 2048)),
    ]

    /// A disc's image: 32 KiB of system area, then a volume descriptor.
    static func iso(boot: UInt8 = 0) -> [UInt8] {
        [UInt8](repeating: boot, count: 32768) + [1] + Array("CD001\u{1}\0LINUX".utf8)
            + [UInt8](repeating: 0, count: 8192)
    }

    @Test("U14: other formats are refused by name", arguments: foreign)
    func refusesOtherFormats(_ item: Case) throws {
        // By itself, long enough for a block, and inside gzip.
        let long = item.bytes + [UInt8](repeating: 0, count: max(0, 1024 - item.bytes.count))
        let name = item.testDescription
        for bytes in [item.bytes, long] {
            let diffID = Digest.of(bytes)
            #expect(try StreamTests.failure(bytes, diffID: diffID).contains(name), "\(name)")
            let inside = try StreamTests.compress(bytes, "gzip")
            #expect(try StreamTests.failure(inside, diffID: diffID).contains(name), "\(name)")
        }
    }

    @Test("U14: a tool's own archives are refused by name", arguments: ["zip", "cpio", "xz", "bzip2"])
    func refusesRealArchives(_ tool: String) throws {
        guard Conditions.has(tool) else { return }
        let scratch = try Scratch()
        try scratch.file("tree/file", "x")
        let tree = scratch("tree")
        let bytes =
            switch tool {
            case "zip": try Tool.check("zip", ["-q", "-r", "-", "file"], directory: tree).stdoutBytes
            case "cpio":
                try Tool.check("cpio", ["-o", "-H", "newc"], directory: tree, input: Array("file\n".utf8)).stdoutBytes
            default: try Tool.check(tool, ["-c"], input: StreamTests.tar).stdoutBytes
            }
        let message = try StreamTests.failure(bytes, diffID: Digest.of(bytes))
        #expect(message.contains(tool) && message.contains("only tar"), "\(message)")
    }

    /// A stream is judged by its header, not by the name of its first member.
    @Test(
        "U14: names of members that look like other formats",
        arguments: [
            "PKG-INFO", "070701-notes", "Rar!", "#mtree", "LRZI", "LZIP", "GRZipII", "begin it", "xar!", "MSCF",
        ])
    func acceptsNames(_ name: String) throws {
        let tar = TarForge.make { $0.file(name, "x") }
        for tool in ["plain", "gzip", "zstd"] {
            let bench = try Workbench()
            try StreamTests.apply(try StreamTests.compress(tar, tool), bench, diffID: Digest.of(tar))
            #expect(try bench.listing()[name]?.size == 1)
        }
    }
}
