import Glibc
import Layers
import Sys
import TestSupport
import Testing

@Suite(.enabled(if: Conditions.isRoot, "owners and devices need root"))
struct BreakoutTests {
    @Test(arguments: Breakout.all, [OnDiskFormat.overlay, .directory])
    func staysInside(_ breakout: Breakout, _ format: OnDiskFormat) throws {
        let bench = try Workbench()
        let canary = String(bench.scratch("canary").dropFirst())
        let tar = TarForge.make { breakout.build(&$0, canary) }
        switch breakout.outcome {
        case .refused(let words):
            let error = try #require(try bench.refusal(tar, format: format))
            #expect("\(error)".contains(words), "\(error)")
        case .inside(let paths):
            try bench.extract(tar, format: format)
            for (path, expected) in Breakout.expected(paths, canary) {
                #expect(try describe(bench.scratch("diff/\(path)")) == expected, "\(path)")
            }
        }
        try bench.expectCanaryUntouched()
    }

    private func describe(_ path: String) throws -> String {
        switch try File.status(path).kind {
        case .regular: String(decoding: try File.readAll(path), as: UTF8.self)
        case .directory: "directory"
        case .link: "link"
        default: "other"
        }
    }

    /// The same attacks over two layers: the link is in the layer below.
    @Test(arguments: ["/CANARY", "../canary", "../../../../../../CANARY"])
    func linksOfLowerLayersStayInside(_ target: String) throws {
        let bench = try Workbench()
        let canary = String(bench.scratch("canary").dropFirst())
        let link = target.split(separator: "CANARY", omittingEmptySubsequences: false).joined(separator: canary)
        try bench.extract(TarForge.make { $0.symlink("x", to: link) }, into: "layer0")
        let upper = TarForge.make { tar in
            tar.file("x/file", "in")
            tar.file("x/.wh.dir")
            tar.file("x/.wh..wh..opq")
        }
        try bench.extract(upper, below: ["layer0"])
        let inside = target.hasPrefix("../c") ? "canary" : canary
        #expect(try describe(bench.scratch("diff/\(inside)/file")) == "in")
        let steal = TarForge.make { $0.hardLink("h", to: "x/setuid") }
        let error = try #require(try bench.refusal(steal, below: ["layer0"]))
        #expect("\(error)".contains("does not exist"))
        try bench.expectCanaryUntouched()
    }

    /// Someone who can write into the staging directory swaps a directory for a link while entries are made in it.
    @Test func survivesSwappedDirectories() throws {
        let bench = try Workbench()
        try bench.scratch.directory("diff/d")
        let root = bench.root
        try check { symlink("../canary", root + "/swap") }
        let flag = Flag()
        let flipper = try JoinableThread {
            while !flag.isSet {
                _ = renameExchange(root + "/d", root + "/swap")
            }
        }
        let tar = TarForge.make { tar in
            for index in 0..<400 {
                tar.directory("d/\(index % 7)")
                tar.file("d/\(index % 7)/file", "escaped")
                tar.file("d/file", "escaped")
                tar.file("e\(index)/f", "x")
            }
        }
        // Whether it succeeds depends on the moment; only the canary counts.
        for _ in 0..<10 { _ = try? bench.extract(tar, format: .directory) }
        flag.set()
        flipper.join()
        try bench.expectCanaryUntouched()
    }
}

private func renameExchange(_ first: String, _ second: String) -> Int32 {
    renameat2(AT_FDCWD, first, AT_FDCWD, second, 2)
}
