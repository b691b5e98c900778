internal import CLinux
internal import Glibc
internal import OCI
internal import Sys

/// Directories of `tmp/` that nothing refers to any more, with their locks; deleted when the value goes away. What
/// cannot be deleted now, or when this process dies, is found by the next `clean()`.
final class Garbage {
    private var directories: [OwnedStaging] = []

    /// A box, since arrays do not hold noncopyable values.
    final class OwnedStaging {
        let staging: StagingDirectory

        init(_ staging: consuming StagingDirectory) { self.staging = staging }
    }

    func add(_ staging: consuming StagingDirectory) { directories.append(OwnedStaging(staging)) }

    var paths: [String] { directories.map { $0.staging.path } }

    /// Leaves a directory where it is, for a later `clean()`.
    func keep(_ path: String) { directories.removeAll { $0.staging.path == path } }

    deinit {
        for directory in directories { try? Directory.removeTree(directory.staging.path) }
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
        garbage.add(staging)
        _ = consume lock
        return true
    }

    /// Moves the files of the layer whose record lies in `staging` beside it: the second half of a commit or a removal that
    /// a crash may have cut in two.
    func finishRemoval(_ staging: String) throws(StoreError) {
        guard let cacheID = try readLine("\(staging)/db/cache-id"), LayerNames.isCacheID(cacheID) else { return }
        let files = layout.layer(cacheID)
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
            try Directory.sync(layout.layers)
        }
    }
}
