internal import OCI
internal import Sys

/// The locks of the data root, all by flock(2), so that the kernel frees them when their holder dies.
///
/// **The lock order.** Whoever waits for one of these holds none that stands below it:
///
/// 1. `locks/stage-CHAINID`, exclusive: the one who makes that layer. Several are taken bottom-up: the chain IDs of all
///    images form a tree whose parents come first, so two takers never wait for each other.
/// 2. `layerdb/sha256/CHAINID` (the directory itself), shared: a pull that counts on the layer, until its image is
///    recorded. A removal tries for exclusive and never waits: a layer that is held stays.
/// 3. `locks/images`, shared: a run between looking an image up and recording its container; exclusive: a removal.
/// 4. `locks/repositories`, exclusive: a change of the image records.
/// 5. `tmp/blobs/DIGEST.part`, exclusive: the one who fetches that blob. The holder waits for the network only.
/// 6. `locks/deletion`, exclusive, only tried for: the process that deletes garbage; shared: who waits for that.
/// 7. `locks/tmp`, shared: while a staging entry is made and locked; exclusive, only tried for: `clean()`. An entry that
///    was locked before it came there needs none.
///
/// Readers of images take none of them: records are replaced whole, by rename(2).
enum StoreLocks {
    static let images = "images"
    static let repositories = "repositories"
    static let staging = "tmp"
    static let deletion = "deletion"

    static let stagePrefix = "stage-"

    static func stage(_ chainID: Digest) -> String { stagePrefix + chainID.hex }
}

/// Keeps images and layers from being removed while it lives: held by a run from before it looks its image up until
/// the container's record names the layers. Not to be held while a pull runs: one that fails removes what it made.
package struct ImageLease: ~Copyable, Sendable {
    private let lock: FileLock

    init(_ lock: consuming FileLock) { self.lock = lock }
}

extension ImageStore {
    /// Waits only for a removal that is deciding (some milliseconds).
    package func lease() throws(StoreError) -> ImageLease {
        ImageLease(try lock(StoreLocks.images, .shared))
    }

    /// Runs `body` under a lock.
    func locked<T: ~Copyable>(
        _ name: String, _ mode: FileLock.Mode = .exclusive, _ body: () throws(StoreError) -> T
    ) throws(StoreError) -> T {
        let held = try lock(name, mode)
        let result = try body()
        _ = consume held
        return result
    }

    func lock(_ name: String, _ mode: FileLock.Mode = .exclusive) throws(StoreError) -> FileLock {
        try StoreFormat.check(layout.root, marks)
        do throws(Errno) {
            return try FileLock("\(layout.locks)/\(name)", in: File.workingDirectory, mode: mode)
        } catch .noEntry {
            try prepare()
        } catch {
            throw .system(SystemFailure("lock", "\(layout.locks)/\(name)", error))
        }
        return try attempt("lock", "\(layout.locks)/\(name)") { () throws(Errno) in
            try FileLock("\(layout.locks)/\(name)", in: File.workingDirectory, mode: mode)
        }
    }
}
