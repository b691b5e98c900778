import Glibc
import Sys
import TestSupport
import Union

/// Layers, and what is done on top of them.
struct Scenario: CustomStringConvertible {
    var marks: OverlayMarks
    /// The topmost first.
    var layers: [[LayerStep]]
    var operations: [Operation]

    var description: String {
        layers.enumerated().map { "layer \($0.offset) (0 is the topmost):\n" + $0.element.map { "  \($0)\n" }.joined() }
            .joined() + "operations:\n" + operations.map { "  \($0)\n" }.joined()
    }

    /// Runs it on the kernel's overlay and on `UnionTree`, each with an upper directory of its own; what differs, nil when
    /// nothing does.
    func difference(in scratch: Scratch) throws -> String? {
        defer { try? Directory.removeTree(scratch("run")) }
        let stage = try stage(in: scratch)
        let (ofKernel, ofUnion): (Snapshot, Snapshot)
        do {
            let kernel = try stage.kernel(upper: "k", work: "kw")
            let union = try stage.union(upper: "u", work: "uw")
            for (number, operation) in operations.enumerated() {
                let (expected, found) = (kernel.apply(operation), union.apply(operation))
                if expected != found {
                    return "operation \(number), \(operation)\n    kernel: \(expected)\n    union: \(found)"
                }
            }
            (ofKernel, ofUnion) = (try Snapshot(kernel), try Snapshot(union))
        }
        let trees = ofUnion.differences(from: ofKernel, "union", "kernel")
        if !trees.isEmpty { return "the trees\n\(trees)" }
        let left = try Directory.entries("\(stage.base)/uw/work").map(\.name)
        if !left.isEmpty { return "left in the work directory: \(left)" }
        let crossed = try Snapshot(try stage.kernel(upper: "u", work: "uw"))
        let ours = crossed.differences(from: ofUnion, "as the kernel shows it", "as written")
        if !ours.isEmpty { return "the union's upper directory\n\(ours)" }
        let back = try Snapshot(try stage.union(upper: "k", work: "kw"))
        let theirs = back.differences(from: ofKernel, "as the union shows it", "as written")
        return theirs.isEmpty ? nil : "the kernel's upper directory\n\(theirs)"
    }

    /// The same with all that is the union's on a file system which makes no device 0:0. Its upper directory can't be the
    /// kernel's there, but a lower layer.
    func difference(in scratch: Scratch, unionOnOverlay other: Scratch) throws -> String? {
        defer { for place in [scratch, other] { try? Directory.removeTree(place("run")) } }
        let (kernelStage, stage) = (try stage(in: scratch), try stage(in: other))
        let ofUnion: Snapshot
        do {
            let kernel = try kernelStage.kernel(upper: "k", work: "kw")
            let union = try stage.union(upper: "u", work: "uw")
            for (number, operation) in operations.enumerated() {
                let (expected, found) = (kernel.apply(operation), union.apply(operation))
                if expected != found {
                    return "operation \(number), \(operation)\n    kernel: \(expected)\n    union: \(found)"
                }
            }
            ofUnion = try Snapshot(union)
            let trees = ofUnion.differences(from: try Snapshot(kernel), "union", "kernel")
            if !trees.isEmpty { return "the trees\n\(trees)" }
        }
        let left = try Directory.entries("\(stage.base)/uw/work").map(\.name)
        if !left.isEmpty { return "left in the work directory: \(left)" }
        let again = try Snapshot(try stage.union(upper: "u", work: "uw")).differences(from: ofUnion, "later", "before")
        if !again.isEmpty { return "what is read again\n\(again)" }
        let crossed = try Snapshot(try stage.kernel(upper: "u", work: nil))
        let ours = crossed.differences(from: ofUnion, "as the kernel shows it", "as written")
        return ours.isEmpty ? nil : "the union's upper directory\n\(ours)"
    }

    /// Makes the layers, and empty directories for both, below `run`.
    func stage(in scratch: Scratch) throws -> Stage {
        var lowers: [String] = []
        for (index, steps) in layers.enumerated() {
            let path = try scratch.directory("run/l\(index)")
            let layer = try Directory.open(path)
            try LayerStep.build(steps, in: layer.raw, marks)
            lowers.append(path)
        }
        for name in ["k", "kw", "kw2", "u", "uw", "uw2"] { try scratch.directory("run/\(name)") }
        return Stage(marks: marks, lowers: lowers, base: scratch("run"))
    }
}

/// The directories of one run.
struct Stage {
    let marks: OverlayMarks
    let lowers: [String]
    let base: String

    /// Without `work` the upper directory is one more lower one.
    func kernel(upper: String, work: String?) throws(Errno) -> KernelSide {
        let top = "\(base)/\(upper)"
        let mount =
            if let work {
                try KernelOverlay(lowers: lowers, upper: top, work: "\(base)/\(work)", marks: marks)
            } else {
                try KernelOverlay(lowers: [top] + lowers, upper: nil, work: "", marks: marks)
            }
        return try KernelSide(mount, marks)
    }

    func union(upper: String, work: String) throws(Errno) -> UnionSide {
        var layers: [OpenFolder] = []
        for lower in lowers { layers.append(OpenFolder(try Directory.open(lower))) }
        let (upper, work) = (
            OpenFolder(try Directory.open("\(base)/\(upper)")), OpenFolder(try Directory.open("\(base)/\(work)"))
        )
        return UnionSide(
            try UnionTree(
                lowers: layers.map(\.raw), upper: upper.raw, work: work.raw, marks: marks, durable: false),
            marks)
    }
}
