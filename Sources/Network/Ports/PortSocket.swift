internal import CLinux
internal import Glibc
internal import OCI
internal import Sys

/// A socket that is bound to a port of the host: while it is open nobody else can be.
final class PortSocket: Sendable {
    let fd: OwnedFD
    let published: PublishedPort

    /// Bound and, where the protocol has connections, listening; in version 6 for that alone.
    init(_ published: PublishedPort) throws(Errno) {
        let transport = published.port.transport
        let family = published.address.isVersion6 ? AF_INET6 : AF_INET
        let kind = transport == .udp ? SOCK_DGRAM : SOCK_STREAM
        let made = OwnedFD(
            adopting: try check {
                socket(
                    family, Int32(kind.rawValue) | Int32(SOCK_CLOEXEC.rawValue) | Int32(SOCK_NONBLOCK.rawValue),
                    transport == .sctp ? Int32(IPPROTO_SCTP) : 0)
            })
        // Connections of a process that has gone must not keep the port; of datagrams it would let two have it.
        if transport != .udp { try PortSocket.set(made.raw, SOL_SOCKET, SO_REUSEADDR) }
        if published.address.isVersion6 { try PortSocket.set(made.raw, Int32(IPPROTO_IPV6), IPV6_V6ONLY) }
        try SocketAddress(published.address, published.hostPort).bind(made.raw)
        if transport != .udp { try check { listen(made.raw, PortSocket.backlog) } }
        fd = made
        self.published = published
    }

    /// The kernel takes net.core.somaxconn where that is less.
    private static let backlog: Int32 = 4096

    private static func set(_ socket: Int32, _ level: Int32, _ option: Int32) throws(Errno) {
        var on: Int32 = 1
        try check { setsockopt(socket, level, option, &on, socklen_t(MemoryLayout<Int32>.size)) }
    }
}

/// As the kernel takes addresses with ports (ip(7), ipv6(7)).
struct SocketAddress {
    private var storage = sockaddr_storage()
    private let length: socklen_t

    init(_ address: IPAddress, _ port: UInt16) {
        length = socklen_t(
            address.isVersion6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size)
        withUnsafeMutableBytes(of: &storage) { bytes in
            let family = sa_family_t(address.isVersion6 ? AF_INET6 : AF_INET)
            bytes.storeBytes(of: family, as: sa_family_t.self)
            bytes.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
            // Behind the port of version 6 stands the flow.
            for (index, byte) in address.bytes.enumerated() { bytes[(address.isVersion6 ? 8 : 4) + index] = byte }
        }
    }

    func bind(_ socket: Int32) throws(Errno) {
        try check {
            withUnsafePointer(to: storage) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    Glibc.bind(socket, __CONST_SOCKADDR_ARG(__sockaddr__: $0), length)
                }
            }
        }
    }
}
