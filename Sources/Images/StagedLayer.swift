package import OCI
package import Sys

/// A layer that is there, kept from removal while the value lives.
package final class HeldLayer: Sendable {
    package let directory: LayerDirectory
    private let lock: DirectoryLock

    init(_ directory: LayerDirectory, lock: consuming DirectoryLock) {
        self.directory = directory
        self.lock = lock
    }
}

/// The right to make one layer, which no other process has meanwhile.
package final class LayerClaim: Sendable {
    package let chainID: Digest
    private let lock: FileLock
    private let path: String

    init(_ chainID: Digest, lock: consuming FileLock, path: String) {
        self.chainID = chainID
        self.lock = lock
        self.path = path
    }

    deinit {
        // Whoever waits for the lock finds it without a name and opens it anew.
        try? File.unlink(path)
    }
}

/// A layer in the making, in a directory of `tmp/` that goes away with this value unless it was committed.
package final class StagedLayer: Sendable {
    package let claim: LayerClaim
    package let diffID: Digest
    package let cacheID: String
    package let short: String
    /// The layer's root, mode 0755, to be filled.
    package let diff: OwnedFD

    private let staging: StagingDirectory
    /// Where the files go when the layer is committed.
    private let destination: String

    var path: String { staging.path }

    init(
        claim: LayerClaim, diffID: Digest, cacheID: String, diff: consuming OwnedFD,
        staging: consuming StagingDirectory, destination: String
    ) {
        self.destination = destination
        self.claim = claim
        self.diffID = diffID
        self.cacheID = cacheID
        self.short = LayerNames.makeShort()
        self.diff = diff
        self.staging = staging
    }

    package var chainID: Digest { claim.chainID }

    deinit {
        // Gone already after a commit. After one that failed and could not be taken back, its record is what the next
        // clean() knows the files by; what else cannot be removed now is garbage of the same.
        if File.exists("\(staging.path)/db"), File.exists(destination) { return }
        try? Directory.removeTree(staging.path)
    }
}

/// A directory of `tmp/`, locked as long as somebody works in it.
struct StagingDirectory: ~Copyable, Sendable {
    let path: String
    private let lock: DirectoryLock

    init(path: String, lock: consuming DirectoryLock) {
        self.path = path
        self.lock = lock
    }

    /// The directory itself.
    var raw: Int32 { lock.raw }
}

/// What a pull finds when it asks for a layer.
package enum LayerState: Sendable {
    case present(HeldLayer)
    case absent(LayerClaim)
}
