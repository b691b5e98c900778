import Glibc
import Layers
import OCI
import Sys
import TestSupport
import Testing

/// A scratch directory with a layer's `diff` in it and, beside that, a canary: a tree that no layer may touch.
struct Workbench {
    let scratch: Scratch
    let before: TreeListing

    static let noLowers: @Sendable () throws(LayerError) -> [Int32] = { () throws(LayerError) in [] }

    init(below parent: String = "/var/tmp") throws {
        let scratch = try Scratch(below: parent)
        try scratch.directory("diff")
        try scratch.directory("canary/dir")
        try scratch.file("canary/file", "canary", mode: 0o600)
        try scratch.file("canary/setuid", "#!", mode: 0o4755)
        try scratch.file("canary/dir/.wh.inner", "not a marker")
        try scratch.file("canary/dir/inner", "inner")
        try check { symlink("file", scratch("canary/link")) }
        try check { mkfifo(scratch("canary/fifo"), 0o640) }
        self.scratch = scratch
        before = try TreeListing(scratch("canary"))
    }

    var root: String { scratch("diff") }

    /// Nothing beside the layer changed.
    func expectCanaryUntouched(_ location: SourceLocation = #_sourceLocation) throws {
        let after = try TreeListing(scratch("canary"))
        #expect(after.differences(from: before) == [], sourceLocation: location)
        let names = try Directory.entries(scratch.path).map(\.name).sorted()
        let expected = names.filter { $0.hasPrefix("layer") || $0 == "canary" || $0 == "diff" }
        #expect(names == expected, sourceLocation: location)
    }

    /// Extracts an uncompressed tar into `name`; `below` are the directories of lower layers, top first.
    @discardableResult
    func extract(
        _ tar: [UInt8], into name: String = "diff", format: OnDiskFormat = .overlay,
        limits: ExtractionLimits = ExtractionLimits(), below: [String] = []
    ) throws(LayerError) -> ExtractionSummary {
        do {
            try Directory.makePath(scratch(name), mode: 0o755)
            let target = try Directory.open(scratch(name))
            let lowers = Lowers(try below.map { try Directory.open(scratch($0)).release() })
            var source = MemorySource(tar)
            var extractor = try LayerExtractor(
                into: target.raw, format: format, limits: limits, compressedSize: Int64(tar.count),
                lowers: { () throws(LayerError) in lowers.fds })
            return try extractor.extract(&source)
        } catch let error as LayerError {
            throw error
        } catch {
            throw .source("\(error)")
        }
    }

    /// The error of an extraction that may fail.
    func failure(
        _ tar: [UInt8], into name: String = "diff", format: OnDiskFormat = .overlay,
        limits: ExtractionLimits = ExtractionLimits(), below: [String] = []
    ) -> LayerError? {
        do throws(LayerError) {
            try extract(tar, into: name, format: format, limits: limits, below: below)
        } catch {
            return error
        }
        return nil
    }

    /// The error of an extraction that must fail.
    func refusal(
        _ tar: [UInt8], format: OnDiskFormat = .overlay, limits: ExtractionLimits = ExtractionLimits(),
        below: [String] = [], _ location: SourceLocation = #_sourceLocation
    ) throws -> LayerError? {
        do throws(LayerError) {
            try extract(tar, format: format, limits: limits, below: below)
        } catch {
            return error
        }
        Issue.record("the layer was accepted", sourceLocation: location)
        return nil
    }

    func listing(_ name: String = "diff", _ options: TreeListing.Options = .all) throws -> TreeListing {
        try TreeListing(scratch(name), options)
    }

    private final class Lowers: Sendable {
        let fds: [Int32]
        init(_ fds: [Int32]) { self.fds = fds }
        deinit { for fd in fds { close(fd) } }
    }
}

extension LayerError {
    /// The limit that refused the layer.
    var limitKind: ExtractionLimits.Kind? {
        if case .limit(let kind, _, _) = self { return kind }
        return nil
    }
}
