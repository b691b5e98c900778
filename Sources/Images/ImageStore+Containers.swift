internal import Sys

/// Files of containers that were removed, on their way out; deleted when asked, at the latest when the value goes away, or
/// by the next `clean()`.
package final class RemovedContainers {
    let garbage: Garbage

    package init(_ store: ImageStore) { garbage = Garbage(store) }

    /// Throws when they are not out of the way for good: then they stay until then.
    package func delete() throws(StoreError) { try garbage.delete() }

    /// The one that is here, by its path and the descriptor of its lock, for whoever deletes it in our place; nil without.
    package var leftover: (path: String, lock: Int32)? { garbage.first }

    /// Somebody else has its lock, and deletes it.
    package func leave() { garbage.leave() }
}

extension ImageStore {
    /// Removes a container's directory and its own layer as a layer is removed: the directory goes by one rename, and with
    /// it the container; whatever kills this process before that leaves it whole. `directory` is on the file system of the
    /// data root and has the container's ID for a name, and the caller has its lock. A power cut may bring it back until
    /// its parent directory is synced.
    package func removeContainer(
        _ id: String, directory: String, into removed: RemovedContainers
    ) throws(StoreError) {
        let staging = try makeStaging("removed")
        let path = staging.path
        do throws(StoreError) {
            try attempt("remove", directory) { () throws(Errno) in
                // By its name `clean()` knows the layer of a removal that was cut short.
                try File.rename(directory, to: "\(path)/\(id)", noReplace: true)
            }
            try finishRemoval(path)
        } catch {
            // Not where the container is in it: that is for `clean()`.
            try? Directory.remove(path)
            throw error
        }
        removed.garbage.isUnsynced = true
        removed.garbage.add(staging)
    }

    /// Removes a container that goes by itself: its layer becomes an entry of `tmp/`, into which `directory` follows. A kill
    /// in between leaves a container without a layer, whose removal is taken up again.
    package func removeEnded(
        _ id: String, directory: String, into removed: RemovedContainers
    ) throws(StoreError) {
        let files = layout.layer(id)
        let path = "\(layout.staging)/removed-\(id)"
        try attempt("remove", files) { () throws(Errno) in
            // Locked before it is there, so without the lock for making entries.
            guard let lock = try DirectoryLock.attempt(files, mode: .exclusive) else { throw .busy }
            try File.rename(files, to: path, noReplace: true)
            removed.garbage.isUnsynced = true
            removed.garbage.add(StagingDirectory(path: path, lock: lock))
            try File.rename(directory, to: "\(path)/record", noReplace: true)
        }
    }
}
