internal import CLinux
internal import Glibc

/// An advisory lock on a directory itself (flock(2)): it goes along when the directory is renamed, and is gone with its
/// holder, however that ends. The descriptor pins the directory as well.
package struct DirectoryLock: ~Copyable, Sendable {
    private let directory: OwnedFD

    /// The locked directory, for calls relative to it.
    package var raw: Int32 { directory.raw }

    private init(_ directory: consuming OwnedFD) { self.directory = directory }

    /// Takes the lock of the directory `path` when nobody holds it in a way that excludes `mode`; nil otherwise.
    /// Throws `noEntry` when there is no such directory, also when it was renamed away meanwhile.
    package static func attempt(
        _ path: String, at parent: Int32 = File.workingDirectory, mode: FileLock.Mode
    ) throws(Errno) -> DirectoryLock? {
        try take(path, at: parent, mode: mode, waiting: false)
    }

    /// The same, waiting for whoever holds it.
    package init(_ path: String, at parent: Int32 = File.workingDirectory, mode: FileLock.Mode) throws(Errno) {
        guard let lock = try DirectoryLock.take(path, at: parent, mode: mode, waiting: true) else { throw .again }
        self = lock
    }

    private static func take(
        _ path: String, at parent: Int32, mode: FileLock.Mode, waiting: Bool
    ) throws(Errno) -> DirectoryLock? {
        let directory = try File.open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: parent)
        do throws(Errno) {
            let fd = directory.raw
            try check { flock(fd, (mode == .shared ? LOCK_SH : LOCK_EX) | (waiting ? 0 : LOCK_NB)) }
        } catch .again {
            return nil
        }
        let held = try File.status(directory.raw)
        let named = try File.status(path, at: parent)
        guard named.isSameFile(as: held) else { throw .noEntry }
        return DirectoryLock(directory)
    }
}
