internal import CLinux
internal import Glibc
package import OCI
internal import Sys

/// A directory of `tmp/` that a confined process fills and nobody trusts: layers are taken out of it whole, by number.
package final class PullArea: Sendable {
    static let kind = "pull"

    package let path: String
    private let staging: StagingDirectory

    init(_ staging: consuming StagingDirectory) {
        path = staging.path
        self.staging = staging
    }

    var directory: Int32 { staging.raw }

    /// What the tree of the layer with that number is called in it.
    package static func layerName(_ number: UInt32) -> String { "layer-\(number)" }

    /// What the blob is called that the layer with that number was made of, where it was not fetched.
    package static func blobName(_ number: UInt32) -> String { "blob-\(number)" }

    /// Whether a directory of `tmp/` is one: no record in it is ours.
    static func isPath(_ path: String) -> Bool { Path.split(path).name.hasPrefix(kind + "-") }

    /// A directory in the area that is locked by the process that fills it.
    package static func workerLock(_ area: String) -> String { "\(area)/worker" }

    /// Waits until the process that filled a dead pull's area is gone as well: it dies with the one that held the area,
    /// but not before it.
    static func waitForWorker(_ area: String) {
        for _ in 0..<200 {
            // What is no directory is no lock of ours.
            guard let lock = try? DirectoryLock.attempt(workerLock(area), mode: .exclusive) else {
                if (try? File.status(workerLock(area)))?.isDirectory != true { return }
                usleep(5000)
                continue
            }
            _ = consume lock
            return
        }
    }

    /// Removes it with all that is in it. Whoever dies before leaves it to the next `clean()`.
    package func remove() throws(StoreError) {
        try attempt("remove", path) { () throws(Errno) in try Directory.removeTree(path) }
    }
}

extension ImageStore {
    /// A new area, kept from `clean()` while the value lives.
    package func makePullArea() throws(StoreError) -> PullArea { PullArea(try makeStaging(PullArea.kind)) }

    /// Takes the tree of that number out of the area. From here on only we can reach it by name.
    package func adopt(
        _ number: UInt32, of area: PullArea, _ claim: LayerClaim, diffID: Digest
    ) throws(StoreError) -> StagedLayer {
        try stage(claim, diffID: diffID) { layer throws(Errno) in
            let name = PullArea.layerName(number)
            try File.rename(name, at: area.directory, to: "diff", at: layer, noReplace: true)
            // Whatever else it was made into meanwhile is refused, and removed with the staging directory.
            return try File.open("diff", O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: layer)
        }
    }
}
