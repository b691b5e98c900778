internal import CLinux
internal import Glibc

/// An advisory lock on a file of its own (flock(2)), released when the value goes away or the process dies.
package struct FileLock: ~Copyable, Sendable {
    private let file: OwnedFD

    package enum Mode: Sendable { case shared, exclusive }

    /// Takes the lock `name` in `directory`, waiting for whoever holds it. The file may be unlinked by a holder:
    /// one that lost its name while we waited is opened anew.
    package init(_ name: String, in directory: Int32, mode: Mode = .exclusive) throws(Errno) {
        guard let lock = try FileLock.take(name, in: directory, mode: mode, wait: true) else { throw Errno.again }
        self.file = lock
    }

    private init(file: consuming OwnedFD) { self.file = file }

    /// Takes the lock if nobody holds it; nil otherwise.
    package static func attempt(
        _ name: String, in directory: Int32, mode: Mode = .exclusive
    ) throws(Errno) -> FileLock? {
        guard let lock = try take(name, in: directory, mode: mode, wait: false) else { return nil }
        return FileLock(file: lock)
    }

    /// The locked descriptor, for handing the lock on to a child.
    package var raw: Int32 { file.raw }

    /// The lock as a descriptor: held until the last copy of it is closed.
    package consuming func keep() -> OwnedFD { file }

    private static func take(
        _ name: String, in directory: Int32, mode: Mode, wait: Bool
    ) throws(Errno) -> OwnedFD? {
        let operation = (mode == .shared ? LOCK_SH : LOCK_EX) | (wait ? 0 : LOCK_NB)
        while true {
            let file = try File.open(name, O_RDWR | O_CREAT | O_NOFOLLOW, mode: 0o600, at: directory)
            do throws(Errno) {
                let fd = file.raw
                try check { flock(fd, operation) }
            } catch .again {
                return nil
            }
            let held = try File.status(file.raw)
            if let named = try? File.status(name, at: directory), named.isSameFile(as: held) {
                return file
            }
        }
    }
}
