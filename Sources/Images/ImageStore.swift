internal import CLinux
internal import Glibc
internal import OCI
package import Sys

/// The images below one data root. Making a value costs nothing: directories appear with the first thing written.
package struct ImageStore: Sendable {
    package let layout: StoreLayout
    /// What its layers are marked with.
    package let marks: OverlayMarks
    /// Starts a process that calls `deleteGarbage()` and that nobody waits for; false where it can't. nil: whoever removes
    /// something deletes it.
    package var handOver: (@Sendable () -> Bool)?

    package init(dataRoot: String, marks: OverlayMarks) {
        self.marks = marks
        layout = StoreLayout(root: dataRoot)
    }

    /// Makes the directories that are missing, and corrects modes that let others in.
    package func prepare() throws(StoreError) {
        do throws(SystemFailure) {
            // A data root that was there before is the user's: its mode stays.
            try Directory.makePath(layout.root, mode: 0o710)
        } catch {
            throw .system(error)
        }
        for (path, mode) in layout.directories { try makeDirectory(path, mode: mode) }
        // Now, because later there may be no inode left for the lock that a removal needs.
        for name in [StoreLocks.images, StoreLocks.repositories, StoreLocks.staging, StoreLocks.deletion] {
            let path = "\(layout.locks)/\(name)"
            try attempt("create", path) { () throws(Errno) in
                _ = try File.open(path, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600)
            }
        }
        try markFormat()
    }

    /// Makes one directory, durably: a record fsynced in a directory that a power cut takes is lost as well.
    private func makeDirectory(_ path: String, mode: UInt32) throws(StoreError) {
        do throws(Errno) {
            let status = try File.status(path)
            guard status.isDirectory else { throw Errno.notDirectory }
            if status.mode != mode { try setMode(path, mode) }
            return
        } catch .noEntry {
            // Made below.
        } catch {
            throw .system(SystemFailure("open directory", path, error))
        }
        try attempt("mkdir", path) { () throws(Errno) in
            do throws(Errno) {
                try Directory.make(path, mode: mode)
            } catch .exists {
                return
            }
            try setMode(path, mode)
            try Directory.sync(Path.split(path).parent)
        }
    }

    private func setMode(_ path: String, _ mode: UInt32) throws(Errno) {
        try check { chmod(path, mode) }
    }

    /// Writes `bytes` to `path` whole: a temporary name in `tmp/`, fsync, rename, fsync of the directory. When this
    /// returns, the contents survive a power cut.
    func write(_ bytes: [UInt8], to path: String) throws(StoreError) {
        try locked(StoreLocks.staging, .shared) { () throws(StoreError) in
            try attempt("write", path) { () throws(Errno) in
                try replace(path, with: bytes)
                try Directory.sync(Path.split(path).parent)
            }
        }
    }

    private func replace(_ path: String, with bytes: [UInt8]) throws(Errno) {
        let temporary = "\(layout.staging)/record-\(Random.hex(bytes: 8))"
        do throws(Errno) {
            let file = try File.open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)
            try File.write(file.raw, bytes)
            try File.sync(file.raw)
            try file.close()
            try File.rename(temporary, to: path)
        } catch {
            try? File.unlink(temporary)
            throw error
        }
    }
}
