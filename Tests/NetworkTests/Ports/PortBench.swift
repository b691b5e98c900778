import Glibc
import Network
import OCI
import Synchronization
import Sys
import TestSupport

/// A host of a test's own, with nothing but its loopback.
enum PortBench {
    static let isPossible = Conditions.isRoot && Conditions.has("ip", "sleep", "nsenter")

    /// Runs `body` with this thread in a new network namespace, which what it starts is in as well.
    static func isolated(_ body: () throws -> Void) throws {
        let own = try File.open("/proc/thread-self/ns/net", O_RDONLY)
        try check { unshare(CLONE_NEWNET) }
        defer { setns(own.raw, CLONE_NEWNET) }
        try Tool.check("ip", ["link", "set", "lo", "up"])
        try body()
    }

    /// Runs `body` with this thread in that namespace; its sockets stay there.
    static func inside<T: ~Copyable>(_ namespace: NetworkNamespace, _ body: () throws -> T) throws -> T {
        let own = try File.open("/proc/thread-self/ns/net", O_RDONLY)
        let other = try File.open(namespace.path, O_RDONLY)
        try check { setns(other.raw, CLONE_NEWNET) }
        defer { setns(own.raw, CLONE_NEWNET) }
        return try body()
    }

    /// A setting of the kernel's for this namespace.
    static func set(_ path: String, _ value: String) throws {
        let file = try File.open(path, O_WRONLY)
        try File.write(file.raw, value)
    }

    static func mapping(
        _ text: String, to port: UInt16, _ transport: PortProtocol = .tcp, address: String? = "127.0.0.1"
    ) -> PortMapping {
        let ends = text.split(separator: "-").compactMap { UInt16($0) }
        return PortMapping(
            ContainerPort(port, transport), address: address.flatMap { IPAddress($0) },
            hostPorts: ends.isEmpty ? nil : ends[0]...(ends.last ?? ends[0]))
    }

    static let endpoint = PortEndpoint(name: "web", addresses: [IPAddress(0x0a01_0203)])
    static let loopback = PortTargets(version4: IPAddress("127.0.0.1"))
}

/// A container's first process, and the holder of its ports.
final class HeldPorts {
    private(set) var container: ChildProcess
    let holder: PortHolder
    let published: [PublishedPort]

    init(
        _ mappings: [PortMapping], to targets: PortTargets = PortBench.loopback, inside: NetworkNamespace? = nil,
        id: String = "0123456789ab"
    ) throws {
        container = try ChildProcess(Tool.find("sleep") ?? "sleep", ["3600"], environment: Tool.baseEnvironment)
        let bound = try PortBinding.bind(mappings, for: PortBench.endpoint)
        published = bound.published
        holder = try PortHolder.start(bound, id: id, to: targets, pidfd: container.exitDescriptor, inside: inside)
    }

    var descriptors: Int { ((try? Directory.entries("/proc/\(holder.pid)/fd")) ?? []).count }

    /// Ends the container, and returns how the holder ended within some seconds.
    func end() throws -> Spawn.Exit? {
        try container.kill()
        let pidfd = try Pidfd.open(holder.pid)
        var items = [PollItem(pidfd.raw, .readable)]
        guard try PollItem.wait(&items, milliseconds: Int32(20_000 * Wait.patience)) > 0 else { return nil }
        return try Pidfd.wait(pidfd.raw)
    }

    deinit {
        _ = try? container.kill()
        try? holder.stop()
        // One that had ended by itself is still our child. Unwaited it hides the ends of all other children from Swift
        // Testing, which looks for them by waitid(P_ALL) and WNOWAIT: a test that ends its process would never end.
        var status: Int32 = 0
        while waitpid(holder.pid, &status, 0) < 0, errno == EINTR {}
    }
}

/// A socket that never waits for more than half a minute.
struct Peer: ~Copyable, Sendable {
    let fd: OwnedFD

    init(adopting raw: Int32) {
        fd = OwnedFD(adopting: raw)
        var limit = timeval(tv_sec: Int(30 * Wait.patience), tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(raw, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size))
        }
    }

    private init(_ address: String, _ kind: __socket_type) throws {
        let family = address.contains(":") ? AF_INET6 : AF_INET
        self.init(adopting: try check { socket(family, Int32(kind.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0) })
    }

    static func listening(_ address: String, _ port: UInt16, backlog: Int32 = 1024) throws -> Peer {
        let made = try Peer(address, SOCK_STREAM)
        try made.bind(address, port)
        try check { listen(made.fd.raw, backlog) }
        return made
    }

    static func receiving(_ address: String, _ port: UInt16) throws -> Peer {
        let made = try Peer(address, SOCK_DGRAM)
        try made.bind(address, port)
        return made
    }

    static func connected(_ address: String, _ port: UInt16, _ kind: __socket_type = SOCK_STREAM) throws -> Peer {
        let made = try Peer(address, kind)
        try Peer.with(address, port) { pointer, length in
            try check { connect(made.fd.raw, __CONST_SOCKADDR_ARG(__sockaddr__: pointer), length) }
        }
        return made
    }

    private func bind(_ address: String, _ port: UInt16) throws {
        let raw = fd.raw
        try Peer.with(address, port) { pointer, length in
            try check { Glibc.bind(raw, __CONST_SOCKADDR_ARG(__sockaddr__: pointer), length) }
        }
    }

    private static func with(
        _ address: String, _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) throws -> Void
    ) throws {
        guard let parsed = IPAddress(address) else { throw Errno.invalid }
        let length = parsed.isVersion6 ? MemoryLayout<sockaddr_in6>.size : MemoryLayout<sockaddr_in>.size
        var storage = sockaddr_storage()
        withUnsafeMutableBytes(of: &storage) { bytes in
            bytes.storeBytes(of: sa_family_t(parsed.isVersion6 ? AF_INET6 : AF_INET), as: sa_family_t.self)
            bytes.storeBytes(of: port.bigEndian, toByteOffset: 2, as: UInt16.self)
            for (index, byte) in parsed.bytes.enumerated() { bytes[(parsed.isVersion6 ? 8 : 4) + index] = byte }
        }
        try withUnsafePointer(to: storage) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { try body($0, socklen_t(length)) }
        }
    }

    func accept() throws -> Peer {
        let raw = fd.raw
        return Peer(
            adopting: try check { accept4(raw, __SOCKADDR_ARG(__sockaddr__: nil), nil, Int32(SOCK_CLOEXEC.rawValue)) })
    }

    func send(_ bytes: [UInt8]) throws {
        var sent = 0
        let raw = fd.raw
        while sent < bytes.count {
            sent += try check {
                bytes.withUnsafeBytes {
                    Glibc.send(
                        raw, $0.baseAddress?.advanced(by: sent), bytes.count - sent, Int32(MSG_NOSIGNAL))
                }
            }
        }
    }

    /// What comes next; empty at the end.
    func receive(_ most: Int = 1 << 16) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: most)
        let raw = fd.raw
        let count = try check { recv(raw, &bytes, most, 0) }
        return Array(bytes.prefix(count))
    }

    func receiveAll() throws -> [UInt8] {
        var bytes: [UInt8] = []
        while true {
            let more = try receive()
            if more.isEmpty { return bytes }
            bytes += more
        }
    }

    /// Says that nothing more comes.
    func finish() throws {
        let raw = fd.raw
        try check { shutdown(raw, Int32(SHUT_WR)) }
    }

    /// One datagram, and an answer to who sent it.
    func answerDatagram(_ answer: ([UInt8]) -> [UInt8]) throws {
        var bytes = [UInt8](repeating: 0, count: 1 << 16)
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let raw = fd.raw
        try withUnsafeMutablePointer(to: &storage) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                let count = try check {
                    recvfrom(raw, &bytes, bytes.count, 0, __SOCKADDR_ARG(__sockaddr__: address), &length)
                }
                let reply = answer(Array(bytes.prefix(count)))
                try check { sendto(raw, reply, reply.count, 0, __CONST_SOCKADDR_ARG(__sockaddr__: address), length) }
            }
        }
    }

    /// The other end's address.
    func remote() throws -> IPAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        let raw = fd.raw
        try withUnsafeMutablePointer(to: &storage) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                _ = try check { getpeername(raw, __SOCKADDR_ARG(__sockaddr__: address), &length) }
            }
        }
        let isVersion6 = storage.ss_family == sa_family_t(AF_INET6)
        return withUnsafeBytes(of: storage) { bytes in
            IPAddress(bytes: isVersion6 ? Array(bytes[8..<24]) : Array(bytes[4..<8]))
        }
    }
}

/// Work of another thread, and what came of it.
struct Work<T: Sendable>: ~Copyable {
    private let thread: JoinableThread
    private let outcome = Outcome()

    private final class Outcome: Sendable {
        let result = Mutex<Result<T, any Error>?>(nil)
    }

    init(_ body: @escaping @Sendable () throws -> T) throws {
        let outcome = outcome
        thread = try JoinableThread {
            let made = Result { try body() }
            outcome.result.withLock { $0 = made }
        }
    }

    consuming func get() throws -> T {
        let outcome = outcome
        thread.join()
        guard let result = outcome.result.withLock({ $0 }) else { throw Errno(rawValue: ECANCELED) }
        return try result.get()
    }
}
