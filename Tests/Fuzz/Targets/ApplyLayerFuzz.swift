internal import OCI
internal import Sys

@testable internal import Layers

/// Z2: a layer on disk. Nothing outside of its directory changes or is tried, and the same bytes make the same tree,
/// one after the other or through the pipe of two threads.
package enum ApplyLayerFuzz {
    private static let limits: ExtractionLimits = {
        var limits = ExtractionLimits()
        limits.entries = 500
        limits.expandedSize = 1 << 20
        limits.extendedHeaderSize = 8192
        return limits
    }()

    package static func run(_ bytes: [UInt8]) throws(Finding) {
        let bench = try DiskBench()
        let first = try bench.directory("first")
        let second = try bench.directory("second")
        let plain = try bench.directory("plain")
        let outcome = Outcome()
        try bench.confined {
            outcome.first = attempt { () throws(LayerError) in
                var source = MemorySource(bytes)
                var extractor = try LayerExtractor(
                    into: first.fd, format: .overlay, limits: limits, compressedSize: Int64(bytes.count),
                    lowers: { () throws(LayerError) in [] })
                _ = try extractor.extract(&source)
            }
            outcome.second = attempt { () throws(LayerError) in
                var source = MemorySource(bytes)
                _ = try applyLayer(
                    &source, expectedDiffID: Digest.of(bytes), declared: .plain, into: second.fd, format: .overlay,
                    limits: limits, compressedSize: Int64(bytes.count), lowers: { () throws(LayerError) in [] })
            }
            outcome.plain = attempt { () throws(LayerError) in
                var source = MemorySource(bytes)
                var extractor = try LayerExtractor(
                    into: plain.fd, format: .directory, limits: limits, compressedSize: Int64(bytes.count),
                    lowers: { () throws(LayerError) in [] })
                _ = try extractor.extract(&source)
            }
        }
        try bench.checkCanary()
        for error in [outcome.first, outcome.second, outcome.plain] { try checkIsNoAttempt(error) }
        // Other formats are told by their first bytes before a tar is looked for.
        switch outcome.second {
        case .mislabelled, .unsupported: return
        default: break
        }
        try expect(
            outcome.first == outcome.second,
            "\(outcome.first?.description ?? "accepted"), then \(outcome.second?.description ?? "accepted")")
        guard outcome.first == nil else { return }
        let trees = (try TreeSnapshot([first], merging: false), try TreeSnapshot([second], merging: false))
        if let difference = trees.0.difference(from: trees.1) { throw Finding("another tree: \(difference)") }
        if outcome.plain == nil { _ = try TreeSnapshot([plain], merging: false) }
    }

    /// What Landlock forbids is a way out that the extractor itself would have taken.
    private static func checkIsNoAttempt(_ error: LayerError?) throws(Finding) {
        if case .system(_, _, let errno)? = error, errno == .accessDenied || errno == .crossDevice {
            throw Finding("tried to leave its directory: \(error?.description ?? "")")
        }
    }

    private static func attempt(_ body: () throws(LayerError) -> Void) -> LayerError? {
        do throws(LayerError) {
            try body()
            return nil
        } catch {
            return error
        }
    }

    /// Written by the confined thread, read after it was joined.
    private final class Outcome: @unchecked Sendable {
        var first: LayerError?
        var second: LayerError?
        var plain: LayerError?
    }
}
