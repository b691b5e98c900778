internal import CLinux
internal import Glibc

/// Sockets of this machine that keep packets whole (SOCK_SEQPACKET of unix(7)). None raises SIGPIPE.
package enum PacketSocket {
    /// A listener that is the file `name` in `directory`, which only the caller's user may open.
    package static func listen(_ name: String, in directory: Int32) throws(Errno) -> OwnedFD {
        let socket = try make()
        let fd = socket.raw
        // Before it has a name: bind(2) makes the file with the socket's mode.
        try check { fchmod(fd, 0o600) }
        try UnixAddress.with(name, in: directory) { address, size in
            bind(fd, .init(__sockaddr__: address), size)
        }
        try check { Glibc.listen(fd, 16) }
        return socket
    }

    /// Connects with the listener `name` in `directory`; `connectionRefused` where nobody listens any more.
    package static func connect(_ name: String, in directory: Int32) throws(Errno) -> OwnedFD {
        let socket = try make()
        let fd = socket.raw
        try UnixAddress.with(name, in: directory) { address, size in
            Glibc.connect(fd, .init(__sockaddr__: address), size)
        }
        return socket
    }

    /// Sends one packet with descriptors. With `waiting` false it fails with EAGAIN where the other end has no room.
    package static func send(
        _ socket: Int32, _ bytes: [UInt8], descriptors: [Int32] = [], waiting: Bool = true
    ) throws(Errno) {
        let count = try check {
            bytes.withUnsafeBytes { buffer in
                clinux_send_descriptors(
                    socket, buffer.baseAddress, buffer.count, waiting ? 0 : Int32(MSG_DONTWAIT), descriptors,
                    Int32(descriptors.count))
            }
        }
        if count != bytes.count { throw .messageTooLong }
    }

    /// The next packet, or its first `limit` bytes; empty at the end. Descriptors that came along are closed.
    package static func receive(_ socket: Int32, limit: Int, waiting: Bool = true) throws(Errno) -> [UInt8] {
        var failure: Errno?
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
            do throws(Errno) {
                // Without room for control data the kernel discards the descriptors.
                filled = try check { recv(socket, buffer.baseAddress, limit, waiting ? 0 : Int32(MSG_DONTWAIT)) }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    private static func make() throws(Errno) -> OwnedFD {
        OwnedFD(
            adopting: try check {
                socket(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
            })
    }
}
