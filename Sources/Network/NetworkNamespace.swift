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
        fd = OwnedFD(
            adopting: try NetworkNamespace.onThread { () throws(NetworkError) in
                try NetworkNamespace.make().release()
            })
    }

    /// The same; `prepare` is run in it, with its descriptor and a socket of the caller's namespace, from which it gets
    /// its links.
    package init(
        _ prepare: @escaping @Sendable (Int32, inout RouteSocket) throws(NetworkError) -> Void
    ) throws(NetworkError) {
        fd = OwnedFD(
            adopting: try NetworkNamespace.onThread { () throws(NetworkError) in
                var outside = try RouteSocket()
                let made = try NetworkNamespace.make()
                try prepare(made.raw, &outside)
                return made.release()
            })
    }

    /// On a thread that ends: it is the thread's own, and only that is changed.
    private static func make() throws(NetworkError) -> OwnedFD {
        do throws(Errno) {
            try check { unshare(CLONE_NEWNET) }
        } catch {
            throw .system(SystemFailure("make", "a network namespace", error))
        }
        return try open("/proc/thread-self/ns/net")
    }

    /// That of a process that runs.
    package init(of pidfd: Int32) throws(NetworkError) {
        do throws(Errno) {
            let pid = try Pidfd.number(of: pidfd)
            let opened = try File.open("/proc/\(pid)/ns/net", O_RDONLY)
            // It had not ended, so the number was its own.
            try Pidfd.send(0, to: pidfd)
            fd = opened
        } catch {
            throw .system(SystemFailure("open", "the network namespace of a container", error))
        }
    }

    /// One that somebody else has made and bound at a path (ip-netns(8)), which the caller may join.
    package init(at path: String) throws(NetworkError) {
        fd = try NetworkNamespace.bound(at: path)
        let raw = fd.raw
        // The kernel judges kind and rights.
        try NetworkNamespace.onThread { () throws(NetworkError) in
            do throws(Errno) {
                try check { setns(raw, CLONE_NEWNET) }
            } catch {
                throw .noNamespace(
                    path,
                    why: error == .invalid ? "it is a namespace of another kind" : "\(error); it is another user's"
                )
            }
        }
    }

    /// By which a process that was cloned of this one finds it.
    package var path: String { "/proc/self/fd/\(fd.raw)" }

    /// Borrowed.
    package var descriptor: Int32 { fd.raw }

    /// Runs `body` on a thread that is in the namespace, and waits for it.
    package func perform<T: Sendable>(
        _ body: @escaping @Sendable () throws(NetworkError) -> T
    ) throws(NetworkError) -> T {
        let raw = fd.raw
        return try NetworkNamespace.onThread { () throws(NetworkError) -> T in
            do throws(Errno) {
                try check { setns(raw, CLONE_NEWNET) }
            } catch {
                throw .system(SystemFailure("enter", "a network namespace", error))
            }
            return try body()
        }
    }

    private static func open(_ path: String) throws(NetworkError) -> OwnedFD {
        do throws(Errno) {
            let file = try File.open(path, O_RDONLY)
            return OwnedFD(adopting: try check { clinux_fcntl(file.raw, F_DUPFD_CLOEXEC, lowest) })
        } catch {
            throw .system(SystemFailure("open", "a network namespace", error))
        }
    }

    /// nsfs(5), as magic.h has it.
    private static let namespaces = 0x6e73_6673

    private static func bound(at path: String) throws(NetworkError) -> OwnedFD {
        do throws(Errno) {
            // A device or a pipe must not notice that it was looked at.
            let place = try File.open(path, O_PATH)
            var status = statfs()
            try check { fstatfs(place.raw, &status) }
            guard Int(status.f_type) == namespaces else { throw Errno.invalid }
            let file = try File.open("/proc/self/fd/\(place.raw)", O_RDONLY)
            return OwnedFD(adopting: try check { clinux_fcntl(file.raw, F_DUPFD_CLOEXEC, lowest) })
        } catch {
            throw .noNamespace(path, why: error == .invalid ? "it is no namespace" : "\(error)")
        }
    }

    private static func onThread<T: Sendable>(
        _ body: @escaping @Sendable () throws(NetworkError) -> T
    ) throws(NetworkError) -> T {
        let result = Mutex<Result<T, NetworkError>>(.failure(.system(SystemFailure("start", "a thread", .invalid))))
        do throws(Errno) {
            try JoinableThread {
                let outcome: Result<T, NetworkError>
                do throws(NetworkError) {
                    outcome = .success(try body())
                } catch {
                    outcome = .failure(error)
                }
                result.withLock { $0 = outcome }
            }.join()
        } catch {
            throw .system(SystemFailure("start", "a thread", error))
        }
        return try result.withLock { $0 }.get()
    }
}
