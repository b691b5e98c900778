import Glibc
import Layers
import Sys
import TestSupport
import Testing

@Suite(.enabled(if: Conditions.isRoot, "owners and devices need root"))
struct ContainerdBreakoutTests {
    @Test("U2, U3, U5: containerd's breakouts, onto one tree", arguments: ContainerdBreakout.all)
    func ontoOneTree(_ item: ContainerdBreakout) throws {
        let bench = try Workbench()
        try bench.extract(item.lower, format: .directory)
        let before = try bench.listing()
        switch item.outcome {
        case .refused(let words):
            let error = try #require(try bench.refusal(item.upper, format: .directory))
            #expect("\(error)".contains(words), "\(error)")
            if !item.lower.allSatisfy({ $0 == 0 }) {
                #expect(try bench.listing().differences(from: before) == [], "what was there is still there")
            }
        case .tree(let checks):
            try bench.extract(item.upper, format: .directory)
            try expect(checks, in: bench.root)
            try comparePeer(item, bench)
        }
        try bench.expectCanaryUntouched()
    }

    @Test(
        "U2, U3, U5: containerd's breakouts, as overlayfs merges them",
        .enabled(if: Conditions.hasOverlay, "needs overlayfs"), arguments: ContainerdBreakout.all)
    func asLayers(_ item: ContainerdBreakout) throws {
        let bench = try Workbench()
        try bench.extract(item.lower, into: "layer0")
        switch item.outcome {
        case .refused(let words):
            let error = try #require(try bench.refusal(item.upper, below: ["layer0"]))
            #expect("\(error)".contains(words), "\(error)")
        case .tree(let checks):
            try bench.extract(item.upper, into: "layer1", below: ["layer0"])
            try Overlay.mounted(bench.scratch, ["layer1", "layer0"]) { try expect(checks, in: $0) }
        }
        try bench.expectCanaryUntouched()
    }

    /// The whole tree, not only what the case looks at.
    private func comparePeer(_ item: ContainerdBreakout, _ bench: Workbench) throws {
        guard item.peer, Conditions.has("umoci") else { return }
        let options: TreeListing.Options = [.digests, .xattrs]
        let peer = try PeerTests.umoci(try Scratch(), [item.lower, item.upper], options)
        let theirs = try #require(peer, "the peer takes it as well").withoutTimes
        let ours = try bench.listing("diff", options).withoutTimes
        #expect(ours.without(".").differences(from: theirs.without(".")) == [])
    }

    private func expect(_ checks: [ContainerdBreakout.Check], in root: String) throws {
        let top = try Directory.open(root)
        func status(_ path: String) throws -> FileStatus {
            let file = try File.open(path, O_PATH, at: top.raw, resolve: [.inRoot])
            return try File.status(file.raw)
        }
        for check in checks {
            switch check {
            case .same(let first, let second):
                #expect(try status(first).inode == status(second).inode, "\(first) and \(second)")
            case .different(let first, let second):
                #expect(try status(first).inode != status(second).inode, "\(first) and \(second)")
            case .contents(let path, let text):
                #expect(String(decoding: try File.readAll("\(root)/\(path)"), as: UTF8.self) == text, "\(path)")
            case .link(let path, let target):
                #expect(try File.readLink("\(root)/\(path)") == target, "\(path)")
            case .absent(let path):
                #expect(!File.exists("\(root)/\(path)"), "\(path)")
            }
        }
    }
}
