internal import CLinux
internal import Glibc
package import OCI
package import Sys

/// When an image was used last: the time of its file `used`. Nothing but `image prune` depends on it, so what stands in
/// the way, such as a data root that is read-only, keeps nobody from using the image.
extension ImageStore {
    /// One call for an image that was used before. The caller has the image lease, so that the image's records are not
    /// being removed.
    package func noteFirstUse(_ id: Digest) {
        if noteUse(id) { return }
        let directory = layout.metadata(id)
        // A commit's image has no manifest, and no directory for it.
        if !File.exists(directory) { try? Directory.make(directory, mode: 0o700) }
        _ = try? File.open(layout.lastUse(id), O_WRONLY | O_CREAT | O_NOFOLLOW, mode: 0o600)
    }

    /// As `noteFirstUse`, for one that was used before. False where there is no such note.
    @discardableResult
    package func noteUse(_ id: Digest) -> Bool {
        do throws(Errno) {
            try File.touch(layout.lastUse(id))
            return true
        } catch {
            return error != .noEntry
        }
    }

    /// When it was used last; of one that never was, when it was pulled or made. nil where no record tells it.
    package func timeOfUse(_ id: Digest) -> FileTime? {
        let made = timeOfPull(id) ?? (try? File.status(layout.config(id)))?.modified
        guard let used = (try? File.status(layout.lastUse(id)))?.modified else { return made }
        return max(used, made ?? used)
    }
}
