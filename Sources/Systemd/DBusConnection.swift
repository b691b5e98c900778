internal import Glibc
internal import OCI
internal import Sys

/// A connection to a message bus, or to systemd itself without one. One thread uses it. What is asked is answered within
/// `patience`, or it is an error.
package final class DBusConnection {
    private let socket: OwnedFD
    /// Of a call, in milliseconds.
    private let patience: Int32
    /// What other clients of D-Bus wait.
    private static let standardPatience: Int32 = 25_000
    private var serial: UInt32 = 0
    private var received: [UInt8] = []
    /// Those that came while an answer was awaited, oldest first.
    private var signals: [DBusMessage] = []
    private static let maximumSignals = 8192

    /// Connects with the socket at `path` and says who we are.
    package convenience init(_ path: String) throws(SystemdError) {
        let patience = DBusConnection.standardPatience
        let socket: OwnedFD
        do throws(Errno) { socket = try StreamSocket.connect(path, milliseconds: patience) } catch {
            throw .system(SystemFailure("connect to", path, error))
        }
        try self.init(socket, path, patience: patience)
    }

    /// Over a socket that is connected with `path`.
    init(_ socket: consuming OwnedFD, _ path: String, patience: Int32) throws(SystemdError) {
        self.socket = socket
        self.patience = patience
        try authenticate(path)
    }

    /// "Authentication Protocol": EXTERNAL with no name. Who we are, the kernel tells the other end, in its own view of
    /// our user namespace. All is said at once, as systemd's own programs do: a server of theirs would not look at a
    /// message that came in one piece with BEGIN until another one comes.
    private func authenticate(_ path: String) throws(SystemdError) {
        let what = "log in at \(path)"
        let deadline = deadline()
        try send(Array("\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\n".utf8), what)
        // One line for each but the last: DATA and OK, or of an old one OK and an error, since it wanted no DATA.
        let first = try readLine(what, deadline)
        let isEarly = first.hasPrefix("OK ")
        let second = isEarly || first.hasPrefix("DATA") ? try readLine(what, deadline) : ""
        guard isEarly || second.hasPrefix("OK ") else {
            throw .refused(
                call: what, name: "org.freedesktop.DBus.Error.AuthFailed", text: second.isEmpty ? first : second)
        }
    }

    /// Calls a method and returns what it answers.
    @discardableResult
    package func call(
        _ method: String, of interface: String, at path: String, _ destination: String, _ body: [DBusValue] = []
    ) throws(SystemdError) -> [DBusValue] {
        var message = DBusMessage(.call)
        serial &+= 1
        (message.serial, message.destination, message.path) = (serial, destination, path)
        (message.interface, message.member, message.body) = (interface, method, body)
        guard let bytes = message.bytes else {
            throw .refused(
                call: method, name: "org.freedesktop.DBus.Error.InvalidArgs",
                text: "a text has a NUL in it, or all is too long for a message")
        }
        try send(bytes, method)
        let deadline = deadline()
        while true {
            let answer = try receive(method, deadline)
            if answer.kind == .signal { try keep(answer) }
            guard answer.replySerial == serial else { continue }
            switch answer.kind {
            case .reply: return answer.body
            case .error:
                throw .refused(
                    call: method, name: answer.errorName ?? "no name", text: answer.body.first?.text ?? "no text")
            case .call, .signal: continue
            }
        }
    }

    /// The first signal of that name, of those that have come and those that will, for which `isIt` is true. Others are
    /// dropped.
    package func awaitSignal(
        _ member: String, of interface: String, for what: String, _ isIt: ([DBusValue]) -> Bool
    ) throws(SystemdError) -> [DBusValue] {
        let deadline = deadline()
        while true {
            while !signals.isEmpty {
                let signal = signals.removeFirst()
                if signal.member == member, signal.interface == interface, isIt(signal.body) { return signal.body }
            }
            let message = try receive(what, deadline)
            if message.kind == .signal { try keep(message) }
        }
    }

    private func keep(_ signal: DBusMessage) throws(SystemdError) {
        if signals.count >= DBusConnection.maximumSignals {
            throw .answer(call: signal.member ?? "", reason: "more signals than can be kept")
        }
        signals.append(signal)
    }

    private func receive(_ what: String, _ deadline: Int64) throws(SystemdError) -> DBusMessage {
        func read<T>(_ body: () throws(DBusFault) -> T) throws(SystemdError) -> T {
            do throws(DBusFault) { return try body() } catch { throw .answer(call: what, reason: "\(error)") }
        }
        try fill(DBusMessage.fixedSize, what, deadline)
        let size = try read { () throws(DBusFault) in try DBusMessage.size(received) }
        try fill(size, what, deadline)
        let bytes = Array(received.prefix(size))
        received.removeFirst(size)
        return try read { () throws(DBusFault) in try DBusMessage(reading: bytes) }
    }

    /// One of the lines that come before the first message.
    private func readLine(_ what: String, _ deadline: Int64) throws(SystemdError) -> String {
        while true {
            if let end = received.firstIndex(of: 0x0a) {
                let line = received.prefix(end).filter { $0 != 0x0d }
                received.removeFirst(end + 1)
                return String(decoding: line, as: UTF8.self)
            }
            if received.count > 4096 { throw .answer(call: what, reason: "a line that does not end") }
            try fill(received.count + 1, what, deadline)
        }
    }

    /// Waits until `count` bytes are there.
    private func fill(_ count: Int, _ what: String, _ deadline: Int64) throws(SystemdError) {
        while received.count < count {
            let left = deadline - Clock.monotonicNanoseconds / 1_000_000
            if left <= 0 { throw .timeout(call: what, seconds: Double(patience) / 1000) }
            do throws(Errno) {
                var items = [PollItem(socket.raw, .readable)]
                if try PollItem.wait(&items, milliseconds: Int32(clamping: left)) == 0 { continue }
                let more = try StreamSocket.receive(socket.raw, limit: 65536)
                if more.isEmpty { throw Errno.connectionReset }
                received += more
            } catch {
                throw .system(SystemFailure("receive the answer to", what, error))
            }
        }
    }

    private func send(_ bytes: [UInt8], _ what: String) throws(SystemdError) {
        do throws(Errno) { try StreamSocket.send(socket.raw, bytes) } catch .again {
            throw .timeout(call: what, seconds: Double(patience) / 1000)
        } catch {
            throw .system(SystemFailure("send to systemd", what, error))
        }
    }

    private func deadline() -> Int64 { Clock.monotonicNanoseconds / 1_000_000 + Int64(patience) }
}
