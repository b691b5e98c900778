internal import CLinux
internal import Glibc
package import Sys

/// A Unix stream socket with a name that others connect to.
package final class UnixListener: Sendable {
    private let socket: OwnedFD

    package var raw: Int32 { socket.raw }

    /// The name must be short: a socket's address has 108 bytes (unix(7)).
    package init(_ path: String) throws {
        socket = OwnedFD(adopting: try check { Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0) })
        var address = sockaddr_un()
        address.sun_family = UInt16(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix(107)) }
        let fd = socket.raw
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        let name = address
        try check {
            withUnsafePointer(to: name) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(fd, __CONST_SOCKADDR_ARG(__sockaddr__: $0), size)
                }
            }
        }
        try check { listen(fd, 8) }
    }

    /// Waits for a connection.
    package func accept() throws -> OwnedFD {
        let number = socket.raw
        return OwnedFD(
            adopting: try check {
                accept4(number, __SOCKADDR_ARG(__sockaddr__: nil), nil, Int32(SOCK_CLOEXEC.rawValue))
            })
    }
}
