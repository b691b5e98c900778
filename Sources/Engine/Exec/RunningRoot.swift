internal import Glibc
internal import Sys

/// The root of a running container's first process, for reading small files of it. Nothing that the container makes of
/// its tree leads out, and nothing in it makes us wait.
struct RunningRoot: ~Copyable {
    private let directory: OwnedFD

    init(_ process: borrowing ContainerProcess) throws(Errno) {
        let opened = try File.open("/proc/\(process.pid)/root", O_PATH | O_DIRECTORY)
        // Still there, so the number was its own when the directory was opened.
        try Pidfd.send(0, to: process.pidfd.raw)
        directory = opened
    }

    /// Of one whose process has the host's root.
    init(_ path: String) throws(Errno) { directory = try File.open(path, O_PATH | O_DIRECTORY) }

    /// The regular file at `path`, at most `limit` bytes; nil where there is none.
    borrowing func readFile(_ path: String, limit: Int) throws(SystemFailure) -> [UInt8]? {
        do throws(Errno) {
            // Looked at first: opening a device or a fifo does things. And again, since it may be another by now.
            let found = try open(path, O_PATH)
            if try File.status(found.raw).isRegular {
                let file = try open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY)
                if try File.status(file.raw).isRegular { return try File.readAll(file.raw, limit: limit) }
            }
        } catch .noEntry {
            return nil
        } catch .notDirectory {
            return nil
        } catch {
            throw SystemFailure("read", "\(path) of the container", error)
        }
        throw SystemFailure("read", "\(path) of the container: not a regular file", .invalid)
    }

    private borrowing func open(_ path: String, _ flags: Int32) throws(Errno) -> OwnedFD {
        try File.open(path, flags, at: directory.raw, resolve: [.inRoot, .noMagicLinks])
    }
}
