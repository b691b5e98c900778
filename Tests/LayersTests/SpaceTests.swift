import Glibc
import Layers
import Sys
import TestSupport
import Testing

/// File systems that are too small, and trees that are too large.
@Suite(.enabled(if: Conditions.isRoot, "owners and mounts need root")) struct SpaceTests {
    /// Calls `body` with a bench whose `layer-mount` is a tmpfs of its own.
    private static func withSmall(_ options: String, _ body: (Workbench) throws -> Void) throws {
        let bench = try Workbench()
        let point = try bench.scratch.directory("layer-mount")
        try Tool.check("mount", ["-t", "tmpfs", "-o", options, "tmpfs", point])
        defer { _ = try? Tool.check("umount", ["-l", point]) }
        try body(bench)
    }

    private static func free(_ bench: Workbench) throws -> (bytes: UInt64, inodes: UInt64) {
        var status = statvfs()
        try check { statvfs(bench.scratch("layer-mount"), &status) }
        return (UInt64(status.f_bavail) * UInt64(status.f_frsize), UInt64(status.f_favail))
    }

    private static func file(_ size: Int, _ name: String = "f") -> [UInt8] {
        TarForge.make { $0.member(TarForge.Header(name), [UInt8](repeating: 1, count: size)) }
    }

    private static let megabyte = 1 << 20

    /// The reserve is a twentieth of the file system at most; the files would fit.
    @Test("U10: extraction stops before the file system is full", arguments: [20, 96])
    func keepsSpaceFree(_ megabytes: Int) throws {
        try SpaceTests.withSmall("size=\(megabytes)m") { bench in
            let size = megabytes * SpaceTests.megabyte * 98 / 100
            let error = try #require(throws: LayerError.self) {
                try bench.extract(SpaceTests.file(size), into: "layer-mount/diff")
            }
            #expect(error.limitKind == .freeSpaceReserve && "\(error)".contains("free space"), "\(error)")
            #expect(try SpaceTests.free(bench).bytes * 20 >= UInt64(megabytes * SpaceTests.megabyte) * 19 / 20)
        }
    }

    @Test("U10: many small layers do not eat the reserve either")
    func smallLayersKeepSpaceFree() throws {
        try SpaceTests.withSmall("size=40m") { bench in
            var refusal: LayerError?
            for number in 0..<40 where refusal == nil {
                refusal = bench.failure(SpaceTests.file(SpaceTests.megabyte), into: "layer-mount/\(number)")
            }
            #expect(refusal?.limitKind == .freeSpaceReserve, "\(String(describing: refusal))")
            let free = try SpaceTests.free(bench).bytes
            #expect(free >= UInt64(SpaceTests.megabyte))
        }
    }

    @Test("U10, U12: inodes are kept free as well")
    func keepsInodesFree() throws {
        try SpaceTests.withSmall("size=64m,nr_inodes=12000") { bench in
            let tar = TarForge.make { tar in for index in 0..<11_980 { tar.file("f\(index)") } }
            let error = try #require(throws: LayerError.self) { try bench.extract(tar, into: "layer-mount/diff") }
            #expect(error.limitKind == .freeInodeReserve && "\(error)".contains("inodes"), "\(error)")
            // Between two looks come at most as many members as a chunk has headers.
            #expect(try SpaceTests.free(bench).inodes + 512 >= 12000 / 20)
            try Directory.removeTree(bench.scratch("layer-mount/diff"))
            #expect(try SpaceTests.free(bench).inodes > 11_990)
        }
    }

    /// A hard link to a file of the layers below copies it: a few bytes of tar for gigabytes on disk.
    @Test("U10: copies of files below count as what they are")
    func copiesCount() throws {
        let lower = TarForge.make { tar in
            for index in 0..<4 {
                tar.member(TarForge.Header("big\(index)"), [UInt8](repeating: 1, count: 4 * SpaceTests.megabyte))
            }
        }
        let upper = TarForge.make { tar in for index in 0..<4 { tar.hardLink("copy\(index)", to: "big\(index)") } }
        let bench = try Workbench()
        try bench.extract(lower, into: "layer0")
        let limits = LimitTests.limits { $0.expandedSize = UInt64(10 * SpaceTests.megabyte) }
        let error = try #require(try bench.refusal(upper, limits: limits, below: ["layer0"]))
        #expect(error.limitKind == .expandedSize, "\(error)")
        #expect(try bench.extract(upper, below: ["layer0"]).entries == 4)

        try SpaceTests.withSmall("size=12m") { small in
            try small.extract(lower, into: "layer0")
            let error = try #require(throws: LayerError.self) {
                try small.extract(upper, into: "layer-mount/diff", below: ["layer0"])
            }
            #expect(error.limitKind == .freeSpaceReserve, "\(error)")
            #expect(try SpaceTests.free(small).bytes >= UInt64(12 * SpaceTests.megabyte / 20))
        }
    }

    @Test("U12: full file systems are named, and what was made can be removed")
    func fullFileSystemsAreNamed() throws {
        let inodes = TarForge.make { tar in for index in 0..<400 { tar.file("d\(index % 7)/f\(index)") } }
        let limits = LimitTests.limits {
            $0.freeSpaceReserve = 0; $0.freeInodeReserve = 0
        }
        for tar in [SpaceTests.file(3 << 20), inodes] {
            try SpaceTests.withSmall("size=2m,nr_inodes=300") { bench in
                let before = try SpaceTests.free(bench)
                let error = try #require(throws: LayerError.self) {
                    try bench.extract(tar, into: "layer-mount/diff", limits: limits)
                }
                #expect("\(error)".contains("ENOSPC") && "\(error)".contains("free space or inodes"), "\(error)")
                try Directory.removeTree(bench.scratch("layer-mount/diff"))
                #expect(try SpaceTests.free(bench) == before)
            }
        }
    }

    @Test("U12: deep and many names work, and can be removed")
    func deepAndManyNamesWork() throws {
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
        try Directory.removeTree(bench.root)
        #expect(!File.exists(bench.root))
    }

    /// Deeper than a name can be: each link gets a directory further down.
    @Test("U12: ten thousand directories deep is refused, however it is spelt")
    func depthIsLimited() throws {
        let spelt = TarForge.make { tar in
            tar.pax([("path", LimitTests.path(10_000))])
            tar.directory("x")
        }
        let linked = TarForge.make { tar in
            for level in 0..<20 {
                let start = level == 0 ? "" : "l\(level - 1)/"
                tar.pax([("path", start + LimitTests.path(500))])
                tar.directory("x")
                tar.long("K", start + LimitTests.path(500))
                tar.symlink("l\(level)", to: "x")
            }
        }
        for tar in [spelt, linked] {
            let bench = try Workbench()
            let error = try #require(try bench.refusal(tar))
            #expect([.pathDepth, .pathLength].contains(error.limitKind), "\(error)")
            try Directory.removeTree(bench.root)
            #expect(!File.exists(bench.root))
        }
    }

    /// Every component is looked for in every layer below: what that costs must not grow with the square of the depth.
    @Test("U12: deep names over many deep layers") func deepNamesOverDeepLayers() throws {
        let bench = try Workbench()
        let depth = 400
        let layers = 4
        var below: [String] = []
        let limits = LimitTests.limits { $0.lookups = UInt64(20 * depth * layers) }
        for layer in 0..<layers {
            let tar = TarForge.make { tar in
                tar.pax([("path", LimitTests.path(depth) + "/own\(layer)")])
                tar.file("x", "x")
            }
            try bench.extract(tar, into: "layer\(layer)", limits: limits, below: below)
            below.insert("layer\(layer)", at: 0)
        }
        let tar = TarForge.make { tar in
            for index in 0..<4 {
                tar.pax([("path", LimitTests.path(depth) + "/n\(index)/x")])
                tar.file("x", "x")
            }
        }
        try bench.extract(tar, limits: limits, below: below)
        #expect(try File.status(bench.scratch("diff/" + LimitTests.path(depth) + "/n3/x")).size == 1)
    }

    @Test("U12: names longer than PATH_MAX or NAME_MAX are refused")
    func lengthIsLimited() throws {
        let names = [
            Array(repeating: String(repeating: "n", count: 255), count: 17).joined(separator: "/"),
            String(repeating: "n", count: 5000), String(repeating: "n", count: 256),
            "l/" + Array(repeating: String(repeating: "n", count: 250), count: 9).joined(separator: "/"),
        ]
        for name in names {
            let bench = try Workbench()
            let tar = TarForge.make { tar in
                tar.long("K", Array(repeating: String(repeating: "m", count: 250), count: 9).joined(separator: "/"))
                tar.symlink("l", to: "x")
                tar.pax([("path", name)])
                tar.file("x", "x")
            }
            let error = try #require(try bench.refusal(tar))
            #expect(error.limitKind == .pathLength || "\(error)".contains("ENAMETOOLONG"), "\(error)")
        }
    }

    /// ext4 has room for 65,000 names of a file.
    @Test("U12: more hard links than a file system takes are refused by name, and can be removed")
    func manyHardLinks() throws {
        let bench = try Workbench()
        try bench.scratch.file("diff/a", "x")
        let root = try Directory.open(bench.root)
        var made = 1
        while made < 64_990, linkat(root.raw, "a", root.raw, "made\(made)", 0) == 0 { made += 1 }
        let tar = TarForge.make { tar in for index in 0..<100 { tar.hardLink("d/\(index)", to: "a") } }
        if let refusal = bench.failure(tar, format: .directory) {
            #expect("\(refusal)".contains("EMLINK") && "\(refusal)".contains("/d/"), "\(refusal)")
        } else {
            #expect(try File.status(bench.scratch("diff/a")).links == UInt64(made + 100))
        }
        try Directory.removeTree(bench.root)
        #expect(!File.exists(bench.root))
    }
}
