internal import CMonitor
internal import Glibc
package import Sys

/// A connection with a container's monitor: the starter's own, or one made by way of its socket.
package struct MonitorConnection: Sendable {
    let socket: OwnedDescriptor

    /// The file in the container's run directory that monitors listen on.
    package static let socketName = "attach"

    /// The starter's: what `MonitoredProcess.control` is.
    package init(control: OwnedDescriptor) { socket = control }

    /// Connects with the monitor whose run directory is given.
    package init(directory: Int32) throws(Errno) {
        socket = OwnedDescriptor(try PacketSocket.connect(MonitorConnection.socketName, in: directory))
    }

    package enum Message: Sendable {
        case serving
        case output([UInt8])
        case error([UInt8])
        /// To the starter: the process has ended, and all that it wrote has come.
        case ended(Spawn.Exit)
        /// The end is recorded with this exit code.
        case recorded(Int32)
    }

    /// Tells a new monitor what to do, and waits until it does. Throws `brokenPipe` when it has ended instead.
    package func go(_ settings: MonitorSettings, _ descriptors: MonitorDescriptors) throws(Errno) {
        let null = try File.open("/dev/null", O_RDWR)
        let all = descriptors.all.map { $0 < 0 ? null.raw : $0 }
        try PacketSocket.send(socket.raw, try settings.encoded(), descriptors: all)
        guard case .serving = try next() else { throw .brokenPipe }
    }

    /// Asks for the container's output, for the right to type into it, or only for word of its end.
    package func subscribe(output: Bool, input: Bool) throws(Errno) {
        let wishes = (output ? CMON_WANTS_OUTPUT.rawValue : 0) | (input ? CMON_WANTS_INPUT.rawValue : 0)
        try PacketSocket.send(socket.raw, [UInt8(ascii: "S"), UInt8(truncatingIfNeeded: wishes)])
    }

    /// The next message; nil when the monitor is gone without having said that the end is recorded.
    package func next(waiting: Bool = true) throws(Errno) -> Message? {
        let bytes = try PacketSocket.receive(socket.raw, limit: 1 + Int(CMON_MAX_DATA), waiting: waiting)
        guard let kind = bytes.first else { return nil }
        let rest = Array(bytes.dropFirst())
        switch kind {
        case UInt8(ascii: "A"): return .serving
        case UInt8(ascii: "O"): return .output(rest)
        case UInt8(ascii: "X"): return .error(rest)
        case UInt8(ascii: "T"): return .ended(Spawn.Exit(waitStatus: try number(rest)))
        case UInt8(ascii: "F"): return .recorded(try number(rest))
        default: throw .invalid
        }
    }

    /// Waits for the recorded end; nil when the monitor is gone without one or the time has passed (-1: no limit).
    package func awaitEnd(milliseconds: Int32 = -1) throws(Errno) -> Int32? {
        let end = Clock.monotonicNanoseconds + Int64(milliseconds) * 1_000_000
        while true {
            let rest = milliseconds < 0 ? -1 : max(0, end - Clock.monotonicNanoseconds) / 1_000_000
            var items = [PollItem(socket.raw, .readable)]
            if try PollItem.wait(&items, milliseconds: Int32(clamping: rest)) == 0 { return nil }
            do throws(Errno) {
                guard let message = try next() else { return nil }
                if case .recorded(let code) = message { return code }
            } catch .connectionReset {
                return nil
            }
        }
    }

    /// For whoever polls.
    package var socketNumber: Int32 { socket.raw }

    /// Tells the monitor, whose starter we are, that the end is recorded: it may leave, once it has deleted `leftover`, a
    /// directory by its path and the descriptor that holds its lock.
    package func conclude(_ code: Int32, leftover: (path: String, lock: Int32)? = nil) throws(Errno) {
        let bytes = [UInt8(ascii: "D")] + MonitorConnection.bytes(code)
        guard let leftover else { return try PacketSocket.send(socket.raw, bytes) }
        try PacketSocket.send(socket.raw, bytes + Array(leftover.path.utf8) + [0], descriptors: [leftover.lock])
    }

    /// Has the monitor, whose starter we are, hold a descriptor until its own end.
    package func keep(_ descriptor: Int32) throws(Errno) {
        try PacketSocket.send(socket.raw, [UInt8(ascii: "K")], descriptors: [descriptor])
    }

    /// Tells a client of a monitor's, whose place we took, the recorded end.
    package static func tellEnd(_ code: Int32, to client: Int32) {
        // One that is gone or does not read asks the record.
        try? PacketSocket.send(client, [UInt8(ascii: "F")] + bytes(code), waiting: false)
    }

    private static func bytes(_ number: Int32) -> [UInt8] { withUnsafeBytes(of: number) { Array($0) } }

    private func number(_ bytes: [UInt8]) throws(Errno) -> Int32 {
        guard bytes.count == MemoryLayout<Int32>.size else { throw .invalid }
        return bytes.withUnsafeBytes { $0.loadUnaligned(as: Int32.self) }
    }
}
