internal import CLinux
internal import Glibc

/// A process's own view of the machine's mounts (mount_namespaces(7)), in which all but some directories is read-only.
/// Unlike Landlock this holds for modes, owners, times and attributes too, which need no open file.
package enum ReadOnlyView {
    /// Enters it with the whole process, which has one thread. In `writable` directories devices, setuid bits and
    /// programs mean nothing; elsewhere devices and setuid bits do. Descriptors opened before keep to the view that they
    /// were opened in. Needs CAP_SYS_ADMIN.
    package static func enter(writable: [String]) throws(SystemFailure) {
        try attempt("unshare", "mount namespace") { unshare(CLONE_NEWNS) }
        // Not private: what the machine unmounts must not stay busy for our sake.
        try attempt("change propagation of", "/") { mount(nil, "/", nil, UInt(MS_REC | MS_SLAVE), nil) }
        let common = MountAttribute.noSetID | MountAttribute.noDevices
        try attempt("make read-only", "/") {
            clinux_mount_setattr(
                AT_FDCWD, "/", MountAttribute.recursive, common | MountAttribute.readOnly, 0)
        }
        for path in writable {
            try attempt("bind", path) { mount(path, path, nil, UInt(MS_BIND), nil) }
            try attempt("make writable", path) {
                clinux_mount_setattr(
                    AT_FDCWD, path, 0, common | MountAttribute.noExecution, MountAttribute.readOnly)
            }
        }
        // The working directory may lie under one of the new mounts.
        try attempt("change directory to", "/") { chdir("/") }
    }

    /// Of mount_setattr(2) and AT_RECURSIVE of open_tree(2).
    private enum MountAttribute {
        static let readOnly: UInt64 = 0x1
        static let noSetID: UInt64 = 0x2
        static let noDevices: UInt64 = 0x4
        static let noExecution: UInt64 = 0x8
        static let recursive: UInt32 = 0x8000
    }

    private static func attempt(
        _ operation: String, _ subject: String, _ call: () -> Int32
    ) throws(SystemFailure) {
        do throws(Errno) {
            try check(call)
        } catch {
            throw SystemFailure(operation, subject, error)
        }
    }
}
