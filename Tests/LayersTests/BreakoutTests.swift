import Glibc
import Layers
import Sys
import TestSupport
import Testing

@Suite(.enabled(if: Conditions.isRoot, "owners and devices need root"))
struct BreakoutTests {
    @Test("U1: names that leave the root are refused", arguments: Breakout.names, formats)
    func namesStayInside(_ breakout: Breakout, _ format: OnDiskFormat) throws {
        let error = try check(breakout, format)
        if let error {
            guard case .refused(let entry, _) = error else { return #expect(Bool(false), "\(error)") }
            #expect(entry.contains(".."), "the entry is named: \(entry)")
        }
    }

    @Test("U2: links as parents are followed inside the root only", arguments: Breakout.parents, formats)
    func parentsStayInside(_ breakout: Breakout, _ format: OnDiskFormat) throws { try check(breakout, format) }

    @Test("U3: hard links and attributes do not go through links", arguments: Breakout.hardLinks, formats)
    func hardLinksStayInside(_ breakout: Breakout, _ format: OnDiskFormat) throws { try check(breakout, format) }

    @Test("U4: the root stays the directory it is", arguments: Breakout.roots, formats)
    func rootsStayDirectories(_ breakout: Breakout, _ format: OnDiskFormat) throws {
        try check(breakout, format)
        // A refused layer's directory is removed; nothing else may stand in its place.
    }

    @Test("U5: whiteouts delete nothing outside", arguments: Breakout.whiteouts, formats)
    func whiteoutsStayInside(_ breakout: Breakout, _ format: OnDiskFormat) throws { try check(breakout, format) }

    private static let formats = [OnDiskFormat.overlay, .overlayUserXattr, .directory]

    /// The refusal, when there must be one and is.
    @discardableResult
    private func check(_ breakout: Breakout, _ format: OnDiskFormat) throws -> LayerError? {
        let bench = try Workbench()
        let canary = String(bench.scratch("canary").dropFirst())
        let tar = TarForge.make { breakout.build(&$0, canary) }
        switch breakout.outcome {
        case .refused(let words):
            let error = try #require(try bench.refusal(tar, format: format))
            #expect("\(error)".contains(words), "\(error)")
            try bench.expectCanaryUntouched()
            return error
        case .inside(let paths):
            try bench.extract(tar, format: format)
            for (path, expected) in Breakout.expected(paths, canary) {
                #expect(try describe(bench.scratch("diff/\(path)")) == expected, "\(path)")
            }
            try bench.expectCanaryUntouched()
            return nil
        }
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
    @Test(
        "U2, U3, U5: links of the layer below are followed inside the root only",
        arguments: ["/CANARY", "../canary", "../../../../../../CANARY"])
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
}
