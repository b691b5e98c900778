internal import CLinux
internal import Glibc

/// Rights that a thread gives up for good, for itself and for all threads that it starts afterwards: what a program
/// that reads strangers' bytes can still do once it was taken over.
package enum Confinement {
    /// Files are changed only below `directory`, a descriptor (landlock(7)); reading stays as it was, and so do changes by
    /// descriptors that are open already. Fails with ENOSYS, EOPNOTSUPP or so where the kernel has no Landlock.
    package static func limitWrites(to directory: Int32) throws(Errno) {
        try check { clinux_confine_writes(directory) }
    }

    /// No execve(2), ptrace(2), mount(2), namespaces, kernel modules, keys: EPERM (seccomp(2)).
    package static func limitCalls() throws(Errno) {
        try check { clinux_confine_calls() }
    }
}
