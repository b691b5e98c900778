internal import CLinux
internal import Glibc
internal import ImageWorker
internal import Sys

extension Targets {
    /// Ways to others than the registry.
    var networkAttacks: [Attack] {
        let stream = Int32(SOCK_STREAM.rawValue)
        let datagram = Int32(SOCK_DGRAM.rawValue)
        func make(_ name: String, _ family: Int32, _ kind: Int32, _ protocol: Int32 = 0) -> Attack {
            Attack(name) { () throws(Errno) in
                let made = try check { socket(family, kind, `protocol`) }
                close(made)
            }
        }
        return [
            Attack("connect to the registry") { () throws(Errno) in try connect(number("registry")) },
            Attack("connect to a service") { () throws(Errno) in try connect(number("service")) },
            Attack("connect to a service by its first message") { () throws(Errno) in
                let made = try check { socket(AF_INET, stream, 0) }
                defer { close(made) }
                let name = loopback(number("service"))
                // MSG_FASTOPEN.
                let result = name.withUnsafeBytes {
                    Attack.call(
                        Int(SYS_sendto), Int(made), Int(bitPattern: $0.baseAddress), 1, 0x2000_0000,
                        Int(bitPattern: $0.baseAddress), name.count)
                }
                if result < 0 { throw Errno(rawValue: Int32(-result)) }
            },
            Attack("connect to a local socket") { () throws(Errno) in try connect(path: self["local"]) },
            Attack("make a pair that can be connected") { () throws(Errno) in
                var ends: [Int32] = [-1, -1]
                try check { socketpair(AF_UNIX, datagram, 0, &ends) }
                for end in ends { close(end) }
            },
            Attack("serve") { () throws(Errno) in
                let made = try check { socket(AF_INET, stream, 0) }
                defer { close(made) }
                try check { listen(made, 1) }
            },
            Attack("bind") { () throws(Errno) in
                let made = try check { socket(AF_INET, datagram, 0) }
                defer { close(made) }
                let result = loopback(0).withUnsafeBytes {
                    Attack.call(Int(SYS_bind), Int(made), Int(bitPattern: $0.baseAddress), 16)
                }
                if result < 0 { throw Errno(rawValue: Int32(-result)) }
            },
            make("socket of packets", AF_PACKET, Int32(SOCK_RAW.rawValue)),
            make("socket of the kernel's routes", AF_NETLINK, Int32(SOCK_RAW.rawValue)),
            make("raw socket", AF_INET, Int32(SOCK_RAW.rawValue), 1),
            make("MPTCP socket", AF_INET, stream, 262),
        ]
    }

    /// A `struct sockaddr_in`.
    private func loopback(_ port: Int) -> [UInt8] {
        [UInt8(AF_INET), 0, UInt8(truncatingIfNeeded: port >> 8), UInt8(truncatingIfNeeded: port), 127, 0, 0, 1]
            + [UInt8](repeating: 0, count: 8)
    }

    private func connect(_ port: Int) throws(Errno) {
        let made = try check { socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0) }
        defer { close(made) }
        let status = loopback(port).withUnsafeBytes { clinux_connect(made, $0.baseAddress, $0.count) }
        if status != 0 { throw Errno.current }
    }

    private func connect(path: String) throws(Errno) {
        let made = try check { socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0) }
        defer { close(made) }
        var name = sockaddr_un()
        name.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &name.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
        let status = withUnsafeBytes(of: &name) { clinux_connect(made, $0.baseAddress, $0.count) }
        if status != 0 { throw Errno.current }
    }
}
