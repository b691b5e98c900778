internal import Images
internal import OCI
internal import Sys

/// What images, containers and volumes take of the disk.
package struct SpaceReport: Sendable {
    /// With what they share and how many containers each has.
    package var images: [ImageSummary] = []
    /// Bytes of all images' layers, each once.
    package var layers: Int64 = 0
    /// With their sizes.
    package var containers: [ContainerSummary] = []
    /// With sizes and users.
    package var volumes: [VolumeDetails] = []

    package init() {}
}

extension Engine {
    /// Walks through all that containers and volumes hold. What can't be read is told by `problem`, and hides nothing else.
    package func space(problem: (String) -> Void) throws(EngineError) -> SpaceReport {
        var report = SpaceReport()
        report.containers = try summaries(SummaryScope(all: true, sizes: true), problem: problem)
        report.volumes = try allVolumes().map { volume in
            var volume = volume
            volume.size = try? DiskUsage.ofTree(volume.path)
            volume.links = report.containers.count { $0.mounts.contains { $0.volume == volume.name } }
            return volume
        }
        let listing = try store { () throws(StoreError) in try images.list() }
        for found in listing.problems { problem("\(found)") }
        var holders: [Digest: Int] = [:]
        for layer in listing.images.flatMap(\.layers) {
            holders[layer.chainID, default: 0] += 1
        }
        report.layers = listing.layerBytes
        report.images = listing.images.map { image in
            var summary = summary(of: image)
            summary.sharedSize = image.layers.filter { holders[$0.chainID] ?? 0 > 1 }.reduce(0) { $0 &+ $1.size }
            summary.containers = report.containers.count { $0.image == image.id }
            return summary
        }
        return report
    }
}
