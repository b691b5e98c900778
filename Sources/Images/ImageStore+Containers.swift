internal import Sys

/// Files of containers that were removed, on their way out; deleted when asked, at the latest when the value goes away, or
/// by the next `clean()`.
package final class RemovedContainers {
    let garbage: Garbage

    package init(_ store: ImageStore) { garbage = Garbage(store) }

    /// Throws when they are not out of the way for good: then they stay until then.
    package func delete() throws(StoreError) { try garbage.delete() }
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
}
