internal import CLinux
internal import Glibc

/// Calls on connected stream sockets of this machine (unix(7)). None raises SIGPIPE.
package enum StreamSocket {
    /// Two ends that are connected with each other, close-on-exec.
    package struct Pair: ~Copyable {
        package let first: OwnedFD
        package let second: OwnedFD

        package init() throws(Errno) {
            var ends: (Int32, Int32) = (-1, -1)
            let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
            let status = withUnsafeMutableBytes(of: &ends) { bytes in
                socketpair(AF_UNIX, kind, 0, bytes.assumingMemoryBound(to: Int32.self).baseAddress)
            }
            if status != 0 { throw Errno.current }
            first = OwnedFD(adopting: ends.0)
            second = OwnedFD(adopting: ends.1)
        }

        /// One end; the other is closed.
        package consuming func keepFirst() -> OwnedFD { first }
        package consuming func keepSecond() -> OwnedFD { second }
    }

    /// Connects with the listener at `path`. With `milliseconds`, to connect and each later sending that blocks longer fail
    /// with EAGAIN (SO_SNDTIMEO of socket(7)).
    package static func connect(_ path: String, milliseconds: Int32? = nil) throws(Errno) -> OwnedFD {
        let (parent, name) = Path.split(path)
        let directory = try File.open(parent, O_PATH | O_DIRECTORY)
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let made = OwnedFD(adopting: try check { socket(AF_UNIX, kind, 0) })
        let fd = made.raw
        if let milliseconds {
            var time = timeval(tv_sec: Int(milliseconds / 1000), tv_usec: Int(milliseconds % 1000) * 1000)
            let size = socklen_t(MemoryLayout<timeval>.size)
            try check { setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &time, size) }
        }
        try UnixAddress.with(name, in: directory.raw) { address, size in
            Glibc.connect(fd, .init(__sockaddr__: address), size)
        }
        return made
    }

    /// A listener that is the file `name` in `directory`, which only the caller's user may open.
    package static func listen(_ name: String, in directory: Int32) throws(Errno) -> OwnedFD {
        let kind = Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
        let made = OwnedFD(adopting: try check { socket(AF_UNIX, kind, 0) })
        let fd = made.raw
        // Before it has a name: bind(2) makes the file with the socket's mode.
        try check { fchmod(fd, 0o600) }
        try UnixAddress.with(name, in: directory) { address, size in
            bind(fd, .init(__sockaddr__: address), size)
        }
        try check { Glibc.listen(fd, 16) }
        return made
    }

    /// Who has connected, or does within so many milliseconds; nil without anybody.
    package static func accept(_ listener: Int32, milliseconds: Int32) throws(Errno) -> OwnedDescriptor? {
        var items = [PollItem(listener, .readable)]
        if try PollItem.wait(&items, milliseconds: milliseconds) == 0 { return nil }
        return OwnedDescriptor(
            OwnedFD(
                adopting: try check { accept4(listener, .init(__sockaddr__: nil), nil, Int32(SOCK_CLOEXEC.rawValue)) }))
    }

    /// Room for what the other end has not read yet, in bytes; as much as the limits allow (SO_SNDBUF of socket(7)).
    package static func setSendBuffer(_ socket: Int32, _ bytes: Int32) {
        var size = bytes
        let length = socklen_t(MemoryLayout<Int32>.size)
        if setsockopt(socket, SOL_SOCKET, SO_SNDBUFFORCE, &size, length) != 0 {
            setsockopt(socket, SOL_SOCKET, SO_SNDBUF, &size, length)
        }
    }

    /// Sends all of `bytes`, the descriptor with the first of them. With `waiting` false it fails with EAGAIN where the
    /// other end leaves no room.
    package static func send(
        _ socket: Int32, _ bytes: [UInt8], descriptor: Int32 = -1, waiting: Bool = true
    ) throws(Errno) {
        let flags = waiting ? 0 : Int32(MSG_DONTWAIT)
        var sent = 0
        while sent < bytes.count {
            sent += try check {
                bytes.withUnsafeBytes { buffer in
                    clinux_send(
                        socket, buffer.baseAddress?.advanced(by: sent), bytes.count - sent, flags,
                        sent == 0 ? descriptor : -1)
                }
            }
        }
    }

    /// What has come, at least a byte; empty at the end. Descriptors that came along are closed.
    package static func receive(_ socket: Int32, limit: Int) throws(Errno) -> [UInt8] {
        var failure: Errno?
        let bytes = [UInt8](unsafeUninitializedCapacity: limit) { buffer, filled in
            do throws(Errno) {
                // Without room for control data the kernel discards the descriptors.
                filled = try check { recv(socket, buffer.baseAddress, limit, 0) }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// As `receive(_:limit:)`, with the descriptor that came along.
    package static func receiveDescriptor(_ socket: Int32, limit: Int) throws(Errno) -> ([UInt8], OwnedDescriptor?) {
        var bytes = [UInt8](repeating: 0, count: limit)
        var passed: Int32 = -1
        let count = try check { clinux_receive(socket, &bytes, limit, 0, &passed) }
        let descriptor = passed < 0 ? nil : OwnedDescriptor(OwnedFD(adopting: passed))
        return (Array(bytes.prefix(count)), descriptor)
    }

    /// Exactly `count` bytes; `noData` when the other end closes before.
    package static func receive(_ socket: Int32, exactly count: Int) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count < count {
            let more = try receive(socket, limit: count - bytes.count)
            if more.isEmpty { throw .noData }
            bytes += more
        }
        return bytes
    }
}

/// An `OwnedFD` in a tuple or an optional, where no noncopyable value goes.
package final class OwnedDescriptor: Sendable {
    private let descriptor: OwnedFD

    package var raw: Int32 { descriptor.raw }

    package init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }

    /// One more descriptor of the same file, for somebody who closes it himself.
    package func duplicate() throws(Errno) -> OwnedFD { try descriptor.duplicate() }
}
