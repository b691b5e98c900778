internal import CLinux
internal import Glibc
package import OCI
internal import Sys

extension ImageStore {
    /// The layer of `chainID`, held; or the right to make it. Waits for another process that is making it, unless
    /// `wait` is false: then nil says that there is one. Ask for an image's layers bottom-up (the lock order).
    package func claim(_ chainID: Digest, wait: Bool = true) throws(StoreError) -> LayerState? {
        if let held = try hold(chainID) { return .present(held) }
        let path = "\(layout.locks)/\(StoreLocks.stage(chainID))"
        let claim: LayerClaim
        if wait {
            claim = LayerClaim(chainID, lock: try lock(StoreLocks.stage(chainID)), path: path)
        } else {
            let taken = try attempt("lock", path) { () throws(Errno) in
                try FileLock.attempt(path, in: File.workingDirectory)
            }
            guard let taken else { return nil }
            claim = LayerClaim(chainID, lock: taken, path: path)
        }
        // Whom we waited for may have made it.
        if let held = try hold(chainID) { return .present(held) }
        return .absent(claim)
    }

    /// Keeps the layer from removal; nil when it is not there.
    package func hold(_ chainID: Digest) throws(StoreError) -> HeldLayer? {
        let path = layout.layerRecord(chainID)
        while true {
            let lock: DirectoryLock?
            do throws(Errno) {
                lock = try DirectoryLock.attempt(path, mode: .shared)
            } catch .noEntry {
                return nil
            } catch {
                throw .system(SystemFailure("lock", path, error))
            }
            if let lock {
                guard let directory = try readLayer(chainID) else { return nil }
                return HeldLayer(directory, lock: lock)
            }
            // A removal has it, and is about to rename it away.
            usleep(1000)
        }
    }

    /// An empty directory for the layer's files, on the file system of the layers.
    package func stage(_ claim: LayerClaim, diffID: Digest) throws(StoreError) -> StagedLayer {
        try stage(claim, diffID: diffID) { layer throws(Errno) in
            try Directory.make("diff", mode: 0o755, at: layer)
            let diff = try Directory.open("diff", at: layer)
            try File.setMode(diff.raw, 0o755)
            return diff
        }
    }

    /// `makeDiff` makes the directory `diff` in the one whose descriptor it is given, and opens it.
    func stage(
        _ claim: LayerClaim, diffID: Digest, makeDiff: (Int32) throws(Errno) -> OwnedFD
    ) throws(StoreError) -> StagedLayer {
        let staging = try makeStaging("layer")
        let path = staging.path
        do throws(StoreError) {
            let diff = try attempt("stage", path) { () throws(Errno) in
                try Directory.make("layer", mode: 0o710, at: staging.raw)
                let layer = try Directory.open("layer", at: staging.raw)
                try File.setMode(layer.raw, 0o710)
                return try makeDiff(layer.raw)
            }
            let cacheID = LayerNames.makeCacheID()
            return StagedLayer(
                claim: claim, diffID: diffID, cacheID: cacheID, diff: diff, staging: staging,
                destination: layout.layer(cacheID))
        } catch {
            try? Directory.removeTree(path)
            throw error
        }
    }

    /// A locked directory of mode 0700 in `tmp/`.
    func makeStaging(_ kind: String) throws(StoreError) -> StagingDirectory {
        try locked(StoreLocks.staging, .shared) { () throws(StoreError) in
            let path = "\(layout.staging)/\(kind)-\(Random.hex(bytes: 8))"
            return try attempt("stage", path) { () throws(Errno) in
                try Directory.make(path, mode: 0o700)
                do throws(Errno) {
                    try check { chmod(path, 0o700) }
                    guard let lock = try DirectoryLock.attempt(path, mode: .exclusive) else { throw Errno.busy }
                    return StagingDirectory(path: path, lock: lock)
                } catch {
                    try? Directory.remove(path)
                    throw error
                }
            }
        }
    }

    /// Makes the layer visible, complete and durable: one syncfs(2) for all its files and records, then the renames, the
    /// record last. `below` are the layers under it, bottom first; `size` counts the bytes of its files.
    package func commit(
        _ layer: StagedLayer, above below: [LayerDirectory], size: Int64, blob: StagedBlob? = nil
    ) throws(StoreError) -> HeldLayer {
        try writeFiles(of: layer, above: below, size: size)
        let fetched = try blob.map { blob throws(StoreError) in
            try attempt("keep", blob.path) { () throws(Errno) in try keep(blob, in: "\(layer.path)/db") }
        }
        let target = layout.layerRecord(layer.chainID)
        let lock: DirectoryLock
        do throws(Errno) {
            lock = try publish(layer, as: target)
        } catch {
            // Back into staging, which goes away whole.
            try? File.rename(target, to: "\(layer.path)/db", noReplace: true)
            try? finishRemoval(layer.path)
            throw .system(SystemFailure("commit layer", target, error))
        }
        fetched??.drop()
        try? Directory.remove(layer.path)
        let directory = LayerDirectory(
            chainID: layer.chainID, cacheID: layer.cacheID, diff: "\(layout.layer(layer.cacheID))/diff",
            link: "l/\(layer.short)", size: size)
        return HeldLayer(directory, lock: lock)
    }

    /// The order that makes a crash harmless. Until the last rename the staging directory still holds the record, which
    /// names the cache ID to clean up.
    private func publish(_ layer: StagedLayer, as target: String) throws(Errno) -> DirectoryLock {
        let record = "\(layer.path)/db"
        guard let lock = try DirectoryLock.attempt(record, mode: .shared) else { throw Errno.busy }
        try File.syncFileSystem(layer.diff.raw)
        try File.rename("\(layer.path)/layer", to: layout.layer(layer.cacheID), noReplace: true)
        try File.symlink("../\(layer.cacheID)/diff", "\(layout.links)/\(layer.short)")
        try Directory.sync(layout.links)
        try Directory.sync(layout.layers)
        try File.rename(record, to: target)
        try Directory.sync(Path.split(target).parent)
        return lock
    }

    private func writeFiles(of layer: StagedLayer, above below: [LayerDirectory], size: Int64) throws(StoreError) {
        try attempt("stage", layer.path) { () throws(Errno) in
            let files = "\(layer.path)/layer"
            try put(layer.short, "\(files)/link")
            if !below.isEmpty {
                // The nearest one first, as overlay's lowerdir wants them.
                try put(below.reversed().map(\.link).joined(separator: ":"), "\(files)/lower")
                try Directory.make("\(files)/work", mode: 0o700)
                try check { chmod("\(files)/work", 0o700) }
            }
            let record = "\(layer.path)/db"
            try Directory.make(record, mode: 0o700)
            try check { chmod(record, 0o700) }
            try put(layer.diffID.description, "\(record)/diff")
            if let parent = below.last { try put(parent.chainID.description, "\(record)/parent") }
            try put(String(size), "\(record)/size")
            try put(layer.cacheID, "\(record)/cache-id")
        }
    }

    /// A new file, unsynced: the layer's syncfs takes it along.
    private func put(_ text: String, _ path: String) throws(Errno) {
        let file = try File.open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
        try File.write(file.raw, text)
        try file.close()
    }
}
