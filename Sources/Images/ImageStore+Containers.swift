internal import Sys

/// Files of a container that was removed, on their way out; deleted when the value goes away, or by the next `clean()`.
package final class RemovedContainer {
    private let garbage: Garbage

    init(_ garbage: Garbage) { self.garbage = garbage }
}

extension ImageStore {
    /// Removes a container's directory and its own layer as a layer is removed: the directory goes by one rename, and with
    /// it the container; whatever kills this process before that leaves it whole. `directory` is on the file system of the
    /// data root, and the caller has its lock.
    package func removeContainer(_ id: String, directory: String) throws(StoreError) -> RemovedContainer {
        let staging = try makeStaging("removed")
        let path = staging.path
        do throws(StoreError) {
            try attempt("remove", directory) { () throws(Errno) in
                // By this `clean()` knows the layer of a removal that was cut short.
                let parent = try Directory.open(directory)
                try File.replace("cache-id", in: parent.raw, with: Array(id.utf8))
                try File.rename(directory, to: "\(path)/db", noReplace: true)
                try Directory.sync(Path.split(directory).parent)
            }
            try finishRemoval(path)
        } catch {
            // Not where the container is in it: that is for `clean()`.
            try? Directory.remove(path)
            throw error
        }
        let garbage = Garbage()
        garbage.add(staging)
        return RemovedContainer(garbage)
    }
}
