internal import Glibc
internal import Sys

/// Where objects are made whole before they get their place: `work/work`, which overlayfs uses for the same and empties
/// at every mount, as is done here at every opening. Held by one at a time.
final class WorkDirectory {
    private static let name = PathBytes("work")
    private let directory: OwnedFD
    private let lock: OwnedFD
    private var counter: UInt64 = 0

    var fd: Int32 { directory.raw }

    /// `work` is borrowed. Throws EBUSY while another tree uses it.
    init(_ work: Int32) throws(Errno) {
        let lock = try Directory.open(".", at: work)
        let held = lock.raw
        do throws(Errno) {
            try check { flock(held, LOCK_EX | LOCK_NB) }
        } catch .again {
            throw .busy
        }
        do throws(Errno) {
            try Directory.make(WorkDirectory.name, mode: 0o700, at: work)
        } catch .exists {
            // overlayfs makes it with mode 0, which its owner can't enter without privilege.
            try File.setMode(WorkDirectory.name, at: work, 0o700)
        }
        directory = try File.open(WorkDirectory.name, O_RDONLY | O_DIRECTORY, at: work)
        self.lock = lock
        for left in try Directory.names(directory.raw) { try WorkDirectory.remove(left, at: directory.raw) }
    }

    /// A child of this process that has not come to its exec yet has the lock as well.
    deinit { _ = flock(lock.raw, LOCK_UN) }

    /// A name that nothing has here.
    func freshName() throws(Errno) -> PathBytes {
        counter += 1
        guard let name = PathBytes(Array("#\(String(counter, radix: 16))".utf8)) else { throw Errno.invalid }
        return name
    }

    /// Removes what was taken out of the tree, or never got into it. The next opening removes what can't be removed now,
    /// so this is no failure of what was to be done.
    func discard(_ name: PathBytes) {
        try? WorkDirectory.remove(name, at: directory.raw)
    }

    private static func remove(_ name: PathBytes, at directory: Int32) throws(Errno) {
        do throws(Errno) {
            try Directory.removeTree(name, at: directory)
        } catch .accessDenied {
            // Without privilege an owner too needs the bits.
            try File.setMode(name, at: directory, 0o700)
            try Directory.removeTree(name, at: directory)
        }
    }
}
