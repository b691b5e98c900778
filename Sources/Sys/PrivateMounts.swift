internal import CLinux
internal import Glibc

/// A mount namespace for the length of a closure (mount_namespaces(7)): nothing that it mounts is ever seen elsewhere,
/// and a kill leaves nothing to unmount.
package enum PrivateMounts {
    /// Runs `body` in such a namespace, on a thread of its own, and waits for it. Needs CAP_SYS_ADMIN.
    package static func with<T: Sendable>(_ body: @escaping @Sendable () throws(Errno) -> T) throws(Errno) -> T {
        let job = Job(body)
        let context = Unmanaged.passUnretained(job).toOpaque()
        try check {
            clinux_with_private_mounts(
                { context in
                    guard let context else { return }
                    Unmanaged<AnyJob>.fromOpaque(context).takeUnretainedValue().run()
                }, context)
        }
        guard let result = job.result else { throw Errno.invalid }
        return try result.get()
    }

    /// mount(2) of a file system, with a working directory for relative paths in `options`; only for use inside `with`.
    package static func mount(
        type: String, at target: String, options: String, from directory: String, readOnly: Bool
    ) throws(Errno) {
        try check { chdir(directory) }
        try check { CLinux.mount(type, target, type, readOnly ? UInt(MS_RDONLY) : 0, options) }
    }

    /// The directory that relative paths of the mounts are taken from (chdir(2)); only for use inside `with`.
    package static func changeDirectory(_ path: String) throws(Errno) { try check { chdir(path) } }

    /// Mounts what the file or directory `source` is on `target`, with all that is mounted below it; both borrowed, O_PATH
    /// will do. Inside `with` nobody else sees it.
    package static func bind(_ source: Int32, onto target: Int32) throws(Errno) {
        try check {
            CLinux.mount(
                "/proc/self/fd/\(source)", "/proc/self/fd/\(target)", nil, UInt(MS_BIND | MS_REC), nil)
        }
    }

    /// Makes the mount whose root `mounted` is read-only; only for use inside `with`.
    package static func makeReadOnly(_ mounted: Int32) throws(Errno) {
        try check {
            CLinux.mount(
                nil, "/proc/self/fd/\(mounted)", nil, UInt(MS_BIND | MS_REMOUNT | MS_RDONLY), nil)
        }
    }

    private class AnyJob {
        func run() {}
    }

    private final class Job<T>: AnyJob {
        private let body: () throws(Errno) -> T
        private(set) var result: Result<T, Errno>?

        init(_ body: @escaping () throws(Errno) -> T) { self.body = body }

        override func run() {
            do throws(Errno) {
                result = .success(try body())
            } catch {
                result = .failure(error)
            }
        }
    }
}
