internal import CLinux
internal import Glibc

/// Makes the connections of a confined process in its stead (seccomp_unotify(2)): whoever does it sees the address that
/// counts, which a filter cannot, and on kernels whose Landlock knows no TCP as well.
package struct ConnectSupervisor: ~Copyable {
    private let listener: OwnedFD
    private let process: OwnedFD

    /// `listener` came out of the confined process's filter, `process` is its pid.
    package init(_ listener: consuming OwnedFD, of process: Int32) throws(Errno) {
        self.listener = listener
        self.process = try Pidfd.open(process)
    }

    /// Readable when a thread of the process waits in connect(2).
    package var raw: Int32 { listener.raw }

    /// Answers one connect(2): EACCES, or what the call itself says. A TCP connection is made where `allows` says so.
    /// Others' protocols send to whom they like without it, so a filter of addresses would keep nothing from them.
    package borrowing func serve(_ allows: (InternetName) -> Bool) throws(Errno) {
        var asked = clinux_connection()
        do throws(Errno) {
            try check { clinux_supervise_next(listener.raw, &asked) }
        } catch .noEntry {
            // The thread is gone.
            return
        }
        var answer: Int32 = 0
        do throws(Errno) {
            try connect(asked, allows)
        } catch {
            answer = error.rawValue
        }
        let id = asked.id
        do throws(Errno) {
            try check { clinux_supervise_answer(listener.raw, id, answer) }
        } catch .noEntry {
            return
        }
    }

    private borrowing func connect(_ asked: clinux_connection, _ allows: (InternetName) -> Bool) throws(Errno) {
        // The longest name is that of a Unix socket; an Internet one has 28 bytes at most.
        var name = [UInt8](repeating: 0, count: min(Int(asked.size), 128))
        let size = name.count
        let read = try check { clinux_read_memory(asked.thread, asked.address, &name, size) }
        guard read == size else { throw Errno(rawValue: EFAULT) }
        let (process, listener, number) = (process.raw, listener.raw, asked.socket)
        let socket = OwnedFD(adopting: try check { clinux_pidfd_getfd(process, number) })
        // Still the thread that asked, so that it was its memory.
        let id = asked.id
        try check { clinux_supervise_valid(listener, id) }
        let raw = socket.raw
        if try option(raw, SO_TYPE) != Int32(SOCK_DGRAM.rawValue) {
            guard let target = InternetName(name), allows(target) else { throw .accessDenied }
        }
        try ConnectSupervisor.connect(raw, name)
    }

    private borrowing func option(_ socket: Int32, _ name: Int32) throws(Errno) -> Int32 {
        var value: Int32 = 0
        var size = socklen_t(MemoryLayout<Int32>.size)
        try check { getsockopt(socket, SOL_SOCKET, name, &value, &size) }
        return value
    }

    /// The resolver's sockets wait for their connection: two seconds at most.
    private static func connect(_ socket: Int32, _ name: [UInt8]) throws(Errno) {
        func limit(_ seconds: Int) {
            var time = timeval(tv_sec: seconds, tv_usec: 0)
            setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
        }
        let waits = try check { clinux_fcntl(socket, F_GETFL, 0) } & O_NONBLOCK == 0
        if waits { limit(2) }
        defer { if waits { limit(0) } }
        if name.withUnsafeBytes({ clinux_connect(socket, $0.baseAddress, $0.count) }) == 0 { return }
        let error = Errno.current
        throw waits && error.rawValue == EINPROGRESS ? Errno(rawValue: ETIMEDOUT) : error
    }
}
