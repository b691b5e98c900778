internal import Glibc
internal import OCI
internal import Sys

/// Directories of `tmp/` that nothing refers to any more, with their locks; deleted when the value goes away. What
/// cannot be deleted now, or when this process dies, is found by the next `clean()`.
final class Garbage {
    private let store: ImageStore
    private var directories: [OwnedStaging] = []
    /// Set where files came here by renames that are not on the disk yet.
    var isUnsynced = false

    /// A box, since arrays do not hold noncopyable values.
    final class OwnedStaging {
        let staging: StagingDirectory

        init(_ staging: consuming StagingDirectory) { self.staging = staging }
    }

    /// So many entries take a caller a millisecond or two: as long as handing them over.
    private static let briefly = 256
    /// What a container that has done nothing has.
    private static let least = 16

    init(_ store: ImageStore) { self.store = store }

    func add(_ staging: consuming StagingDirectory) { directories.append(OwnedStaging(staging)) }

    var paths: [String] { directories.map { $0.staging.path } }

    var first: (path: String, lock: Int32)? { directories.first.map { ($0.staging.path, $0.staging.raw) } }

    /// All of it is somebody else's to delete.
    func leave() { directories = [] }

    /// Leaves a directory where it is, for a later `clean()`.
    func keep(_ path: String) { directories.removeAll { $0.staging.path == path } }

    deinit { try? delete() }

    /// Deletes them, or has that done where it takes long. Throws when they are not here for good: then they stay.
    func delete() throws(StoreError) {
        guard !directories.isEmpty else { return }
        // The files of what is deleted are known by what is deleted with them.
        do throws(StoreError) { try settle() } catch {
            // A second sync would be told nothing of what the first one lost.
            directories = []
            throw error
        }
        let isDone = store.handOver == nil || store.isNearlyFull ? deleteAll() : deleteBriefly()
        // Free for whoever takes it over, before that one looks.
        directories = []
        if !isDone { store.handOverGarbage() }
    }

    private func settle() throws(StoreError) {
        let path = store.layout.layers
        if isUnsynced { try attempt("sync", path) { () throws(Errno) in try Directory.sync(path) } }
    }

    /// All of it, however long that takes.
    private func deleteAll() -> Bool {
        for directory in directories { try? Directory.removeTree(directory.staging.path) }
        return true
    }

    /// False when it would take long.
    private func deleteBriefly() -> Bool {
        var budget = max(Garbage.briefly, Garbage.least * directories.count)
        for directory in directories {
            // What can't be deleted can't by others.
            guard (try? Directory.removeTree(directory.staging.path, within: &budget)) ?? true else { return false }
        }
        return true
    }
}

extension ImageStore {
    /// Makes a layer invisible in one rename of its record and moves its files to `garbage`; false when somebody holds it.
    func removeLayer(_ chainID: Digest, into garbage: Garbage) throws(StoreError) -> Bool {
        let record = layout.layerRecord(chainID)
        let lock: DirectoryLock?
        do throws(Errno) {
            lock = try DirectoryLock.attempt(record, mode: .exclusive)
        } catch .noEntry {
            return false
        } catch {
            throw .system(SystemFailure("lock", record, error))
        }
        guard lock != nil else { return false }
        let staging = try makeStaging("removed")
        let path = staging.path
        do throws(StoreError) {
            try attempt("remove layer", record) { () throws(Errno) in
                try File.rename(record, to: "\(path)/db")
                try Directory.sync(Path.split(record).parent)
            }
            try finishRemoval(path)
        } catch {
            try? Directory.remove(path)
            throw error
        }
        garbage.isUnsynced = true
        garbage.add(staging)
        _ = consume lock
        return true
    }

    /// Moves the files of the layer or container whose record lies in `staging` beside it: the second half of a commit or a
    /// removal that a crash may have cut in two. Not synced: see `Garbage`.
    func finishRemoval(_ staging: String) throws(StoreError) {
        guard let name = try removedFiles(staging) else { return }
        let files = layout.layer(name)
        for place in [files, "\(staging)/layer"] {
            guard let short = try readLine("\(place)/link"), LayerNames.isShort(short) else { continue }
            try? File.unlink("\(layout.links)/\(short)")
        }
        try attempt("remove layer", files) { () throws(Errno) in
            do throws(Errno) {
                try File.rename(files, to: "\(staging)/layer", noReplace: true)
            } catch .noEntry {
                return
            } catch {
                // Renaming may need a block that a full disk has not; removing needs none.
                try Directory.removeTree(files)
            }
        }
    }

    /// What is removed is called so below `overlay2`; nil where it can't be told any more, which is after its files came.
    private func removedFiles(_ staging: String) throws(StoreError) -> String? {
        if let cacheID = try readLine("\(staging)/db/cache-id") {
            return LayerNames.isCacheID(cacheID) ? cacheID : nil
        }
        let entries = try attempt("list", staging) { () throws(Errno) in try Directory.entries(staging) }
        return entries.lazy.map(\.name).first(where: LayerNames.isContainerID)
    }
}
