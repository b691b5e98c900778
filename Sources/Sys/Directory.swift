internal import CLinux
internal import Glibc

/// Calls on directories.
package enum Directory {
    package static func open(_ path: String, at directory: Int32 = AT_FDCWD) throws(Errno) -> OwnedFD {
        try File.open(path, O_RDONLY | O_DIRECTORY, at: directory)
    }

    package static func make(_ path: String, mode: UInt32, at directory: Int32 = AT_FDCWD) throws(Errno) {
        try check { mkdirat(directory, path, mode) }
    }

    /// Makes what is missing of `path`, each part with `mode` whatever the umask says; durable when `make` was needed
    /// only once the parent is synced.
    package static func makePath(_ path: String, mode: UInt32) throws(SystemFailure) {
        if File.exists(path) { return }
        let (parent, _) = Path.split(path)
        if parent != path, parent != "." { try makePath(parent, mode: mode) }
        do throws(Errno) {
            try make(path, mode: mode)
            try check { chmod(path, mode) }
        } catch .exists {
            return
        } catch {
            throw SystemFailure("mkdir", path, error)
        }
    }

    package struct Entry: Sendable {
        /// The name as it is; any bytes but NUL and a slash.
        package let bytes: PathBytes
        /// DT_* of readdir(3); DT_UNKNOWN where the file system does not tell.
        package let type: UInt8

        /// For names of our own making: bytes that are no UTF-8 are replaced.
        package var name: String { String(decoding: bytes.bytes, as: UTF8.self) }
    }

    /// All entries but `.` and `..`, in the order of the file system.
    package static func entries(_ fd: Int32) throws(Errno) -> [Entry] {
        // A descriptor of its own: closedir closes it, and the caller's position does not move.
        let copy = try File.open(".", O_RDONLY | O_DIRECTORY, at: fd)
        guard let stream = fdopendir(copy.release()) else { throw Errno.current }
        defer { closedir(stream) }
        var result: [Entry] = []
        while true {
            Glibc.errno = 0
            guard let entry = readdir(stream) else {
                if Glibc.errno != 0 { throw Errno.current }
                return result
            }
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { PathBytes(cString: $0) }
            }
            if name.isDots { continue }
            result.append(Entry(bytes: name, type: entry.pointee.d_type))
        }
    }

    package static func entries(_ path: String, at directory: Int32 = AT_FDCWD) throws(Errno) -> [Entry] {
        let fd = try open(path, at: directory)
        return try entries(fd.raw)
    }

    package static func remove(_ path: String, at directory: Int32 = AT_FDCWD) throws(Errno) {
        try check { unlinkat(directory, path, AT_REMOVEDIR) }
    }

    package static func sync(_ path: String, at directory: Int32 = AT_FDCWD) throws(Errno) {
        let fd = try open(path, at: directory)
        try File.sync(fd.raw)
    }
}
