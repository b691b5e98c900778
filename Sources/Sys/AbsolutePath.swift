internal import Glibc

extension Path {
    /// From the working directory, where it does not begin with a slash; links and `..` stay as they are.
    package static func absolute(_ path: String) -> String {
        if path.utf8.first == UInt8(ascii: "/") { return path }
        guard let directory = getcwd(nil, 0) else { return path }
        defer { free(directory) }
        return "\(String(cString: directory))/\(path)"
    }
}

extension File {
    /// Whether the number is that of an open file.
    package static func isOpen(_ fd: Int32) -> Bool { fcntl(fd, F_GETFD) >= 0 }
}
