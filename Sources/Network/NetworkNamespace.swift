internal import CLinux
internal import Glibc
internal import Synchronization
internal import Sys

/// A network namespace that is made before the container, which joins it: until its exec nobody may look at that process,
/// nor at the namespaces it has. Gone with the last process in it once the value is dropped.
package final class NetworkNamespace: Sendable {
    /// Out of the way of the numbers that a launch uses.
    private static let lowest = 10
    let fd: OwnedFD

    /// A new one, of the caller's user namespace (network_namespaces(7)).
    package init() throws(NetworkError) {
        let made = Mutex<Result<Int32, Errno>>(.failure(.invalid))
        do throws(Errno) {
            // A thread's own, and only that is changed.
            try JoinableThread { made.withLock { $0 = NetworkNamespace.unshared() } }.join()
            fd = OwnedFD(adopting: try made.withLock { $0 }.get())
        } catch {
            throw .system(SystemFailure("make", "a network namespace", error))
        }
    }

    /// By which a process that was cloned of this one finds it.
    package var path: String { "/proc/self/fd/\(fd.raw)" }

    private static func unshared() -> Result<Int32, Errno> {
        do throws(Errno) {
            try check { unshare(CLONE_NEWNET) }
            let file = try File.open("/proc/thread-self/ns/net", O_RDONLY)
            return .success(try check { clinux_fcntl(file.raw, F_DUPFD_CLOEXEC, lowest) })
        } catch {
            return .failure(error)
        }
    }
}
