import Glibc
import Layers
import OCI
import Sys
import TestSupport
import Testing

@Suite(.enabled(if: Conditions.isRoot, "owners need root")) struct LimitTests {
    struct Case: Sendable, CustomTestStringConvertible {
        let kind: ExtractionLimits.Kind
        var note = ""
        var limits = ExtractionLimits()
        let tar: [UInt8]
        var testDescription: String { kind.rawValue + note }
    }

    static func limits(_ change: (inout ExtractionLimits) -> Void) -> ExtractionLimits {
        var limits = ExtractionLimits()
        change(&limits)
        return limits
    }

    static let cases: [Case] = [
        Case(
            kind: .entries, limits: limits { $0.entries = 9 },
            tar: TarForge.make { tar in for index in 0..<10 { tar.file("f\(index)") } }),
        Case(
            kind: .entries, note: ": extended headers count", limits: limits { $0.entries = 9 },
            tar: TarForge.make { tar in for _ in 0..<10 { tar.pax([("a", "b")]) } }),
        Case(
            kind: .entries, note: ": directories on the way count", limits: limits { $0.entries = 9 },
            tar: TarForge.make { tar in for index in 0..<2 { tar.file("\(index)/2/3/4/5/f") } }),
        Case(
            kind: .expandedSize, limits: limits { $0.expandedSize = 100_000 },
            tar: TarForge.make { $0.file("f", String(repeating: "x", count: 120_000)) }),
        Case(
            kind: .expandedSize, note: ": after the end marker", limits: limits { $0.expandedSize = 100_000 },
            tar: TarForge.make { $0.file("f") } + [UInt8](repeating: 0, count: 120_000)),
        Case(
            kind: .pathDepth,
            tar: TarForge.make {
                $0.pax([("path", path(1025))]); $0.file("x")
            }),
        Case(
            kind: .pathDepth, note: ": through links", limits: limits { $0.pathDepth = 20 },
            tar: TarForge.make { tar in
                tar.symlink("l", to: path(15))
                tar.file("l/" + path(10))
            }),
        Case(
            kind: .pathLength,
            tar: TarForge.make { tar in
                tar.pax([
                    ("path", Array(repeating: String(repeating: "n", count: 250), count: 17).joined(separator: "/"))
                ])
                tar.file("x")
            }),
        Case(
            kind: .pathLength, note: ": through links",
            tar: TarForge.make { tar in
                let half = Array(repeating: String(repeating: "n", count: 250), count: 9).joined(separator: "/")
                tar.long("K", half)
                tar.symlink("l", to: "x")
                tar.pax([("path", "l/" + half)])
                tar.file("x")
            }),
        Case(
            kind: .extendedHeaderSize,
            tar: TarForge.make { tar in
                tar.header(TarForge.Header("x", type: "x").with { $0.size = 1 << 30 })
                tar.raw([UInt8](repeating: 0x20, count: 4096))
            }),
        Case(
            kind: .extendedHeaderSize, note: ": global",
            tar: TarForge.make { $0.header(TarForge.Header("x", type: "g").with { $0.size = (1 << 20) + 1 }) }),
        Case(
            kind: .extendedHeaderSize, note: ": long name",
            tar: TarForge.make { $0.header(TarForge.Header("x", type: "L").with { $0.size = .max }) }),
        Case(
            kind: .extendedHeaderSize, note: ": long link",
            tar: TarForge.make { $0.header(TarForge.Header("x", type: "K").with { $0.size = 1 << 40 }) }),
        Case(
            kind: .attributeSize,
            tar: TarForge.make { tar in
                tar.pax([("SCHILY.xattr.user.big", [UInt8](repeating: 0x41, count: 65537))])
                tar.file("x")
            }),
        Case(
            kind: .sparseMapSize,
            tar: TarForge.make { tar in
                tar.header(
                    TarForge.Header("s", type: "S").with { header in
                        header.format = .gnu
                        header.patches = [(482, [1]), (483, TarForge.number(1, 12))]
                    })
                var block = [UInt8](repeating: 0x30, count: 504) + [1, 0, 0, 0, 0, 0, 0, 0]
                for index in stride(from: 11, to: 504, by: 12) { block[index] = 0 }
                for _ in 0..<3000 { tar.raw(block) }
            }),
        Case(
            kind: .sparseMapSize, note: ": in the data",
            tar: TarForge.make { tar in
                tar.pax([("GNU.sparse.major", "1"), ("GNU.sparse.minor", "0"), ("GNU.sparse.realsize", "1")])
                let map = "500000\n" + String(repeating: "0\n", count: 1_000_000)
                tar.file("s", map)
            }),
        Case(
            kind: .directoryListSize, limits: limits { $0.directoryListSize = 10_000 },
            tar: TarForge.make { tar in for index in 0..<1000 { tar.directory("d\(index)") } }),
    ]

    static func path(_ depth: Int) -> String { Array(repeating: "d", count: depth).joined(separator: "/") }

    @Test(arguments: cases)
    func namesTheLimit(_ item: Case) throws {
        let bench = try Workbench()
        let error = try #require(try bench.refusal(item.tar, limits: item.limits))
        #expect(error.limitKind == item.kind, "\(error)")
        #expect("\(error)".contains("limit \"\(item.kind.rawValue)\""))
        // What was made so far can be removed, however deep: Scratch does.
    }

    /// The reserve is a twentieth of the file system at most; the file would fit.
    @Test(.enabled(if: Conditions.isRoot, "mounting needs root")) func keepsSpaceFree() throws {
        let bench = try Workbench()
        let point = try bench.scratch.directory("layer-mount")
        try Tool.check("mount", ["-t", "tmpfs", "-o", "size=67m", "tmpfs", point])
        defer { _ = try? Tool.check("umount", [point]) }
        let tar = TarForge.make { tar in
            tar.member(TarForge.Header("f"), [UInt8](repeating: 1, count: 66 << 20))
        }
        let error = try #require(throws: LayerError.self) { try bench.extract(tar, into: "layer-mount/diff") }
        #expect(error.limitKind == .freeSpaceReserve, "\(error)")
    }

    @Test(.enabled(if: Conditions.isRoot, "mounting needs root"))
    func fullFileSystemsAreNamed() throws {
        let bytes = TarForge.make { $0.member(TarForge.Header("f"), [UInt8](repeating: 1, count: 3 << 20)) }
        let inodes = TarForge.make { tar in for index in 0..<400 { tar.file("f\(index)") } }
        for tar in [bytes, inodes] {
            let bench = try Workbench()
            let point = try bench.scratch.directory("layer-mount")
            try Tool.check("mount", ["-t", "tmpfs", "-o", "size=2m,nr_inodes=300", "tmpfs", point])
            defer { _ = try? Tool.check("umount", [point]) }
            let error = try #require(throws: LayerError.self) { try bench.extract(tar, into: "layer-mount/diff") }
            #expect("\(error)".contains("ENOSPC") && "\(error)".contains("free space or inodes"), "\(error)")
        }
    }

    @Test func deepAndManyNamesWork() throws {
        let bench = try Workbench()
        try bench.extract(
            TarForge.make { tar in
                tar.pax([("path", LimitTests.path(1023) + "/f")])
                tar.file("x", "deep")
                tar.file("a")
                for index in 0..<2000 { tar.hardLink("links/\(index)", to: "a") }
            })
        #expect(try File.status(bench.scratch("diff/a")).links == 2001)
        #expect(try File.status(bench.scratch("diff/" + LimitTests.path(1023) + "/f")).size == 4)
    }

    @Test func rangesOfIdentitiesAndDevices() throws {
        let bad: [(String, TarForge.Header)] = [
            (
                "user id 4294967295",
                TarForge.Header("f").with {
                    $0.uid = 4_294_967_295; $0.mode = 0o4755
                }
            ),
            (
                "user id 8589934592",
                TarForge.Header("f").with {
                    $0.uid = 1 << 33; $0.mode = 0o4755
                }
            ),
            (
                "user id -5",
                TarForge.Header("f").with {
                    $0.uid = -5; $0.mode = 0o4755
                }
            ),
            ("group id 4294967295", TarForge.Header("f").with { $0.gid = 4_294_967_295 }),
            ("group id -1", TarForge.Header("f").with { $0.gid = -1 }),
            ("device number 4096:0", TarForge.Header("f", type: "4").with { $0.major = 4096 }),
            (
                "device number 1:1048576",
                TarForge.Header("f", type: "3").with {
                    $0.major = 1; $0.minor = 1 << 20
                }
            ),
            ("device number 4294967295:0", TarForge.Header("f", type: "4").with { $0.major = 4_294_967_295 }),
            (
                "device number -1:3",
                TarForge.Header("f", type: "3").with {
                    $0.major = -1; $0.minor = 3
                }
            ),
            (
                "device number 4294967297:3",
                TarForge.Header("f", type: "3").with {
                    $0.major = 1 << 32 | 1; $0.minor = 3
                }
            ),
            ("0:0", TarForge.Header("f", type: "3")),
            ("negative size", TarForge.Header("f").with { $0.size = -1 }),
            (
                "invalid number",
                TarForge.Header("f").with {
                    $0.patches = [(136, [0x80, 0, 0, 0x80] + [UInt8](repeating: 0, count: 8))]
                }
            ),
            ("end of data", TarForge.Header("f").with { $0.size = .max }),
        ]
        for (words, header) in bad {
            let bench = try Workbench()
            let error = try #require(try bench.refusal(TarForge.make { $0.header(header) }))
            #expect("\(error)".contains(words), "\(error)")
            let left = try bench.listing().entries.values.filter { $0.kind != .directory }
            #expect(left.allSatisfy { $0.mode & 0o6000 == 0 }, "no set-id file of root is left")
        }
        for text in ["4294967295", "-1", "99999999999999999999", "1x"] {
            let bench = try Workbench()
            let tar = TarForge.make { tar in
                tar.pax([("uid", text)])
                tar.file("f") { $0.mode = 0o4755 }
            }
            _ = try #require(try bench.refusal(tar))
        }
        let bench = try Workbench()
        try bench.extract(
            TarForge.make { tar in
                tar.pax([("mtime", "9223372036854775807")])
                tar.file("future")
                tar.pax([("mtime", "-9223372036854775808")])
                tar.file("past")
                tar.pax([("mtime", "-1.25")])
                tar.file("before")
            })
        let before = try #require(try bench.listing()["before"])
        #expect(before.seconds == -2 && before.nanoseconds == 750_000_000)
    }
}
