internal import Glibc
internal import Sys

/// Hands the listener of a filter to who answers its notifications (config-linux.md#containerprocessstate).
package enum SeccompListener {
    /// Gets the descriptor, borrowed, the number of the process, and the socket that the profile names.
    package typealias Handover = (_ descriptor: Int32, _ pid: Int32, _ path: String) throws(RuntimeError) -> Void

    /// For launches whose filters have none.
    package static func refuse(_ descriptor: Int32, _ pid: Int32, _ path: String) throws(RuntimeError) {
        throw .invalid("seccomp: nothing here hands a listener to \(path)")
    }

    /// Connects to the Unix stream socket at `path` and sends `state`, the container process state as JSON, with the
    /// descriptor, which stays the caller's.
    package static func send(_ descriptor: Int32, to path: String, state: [UInt8]) throws(RuntimeError) {
        do throws(Errno) {
            let socket = try StreamSocket.connect(path)
            try StreamSocket.send(socket.raw, state, descriptor: descriptor)
        } catch {
            throw .system(operation: "send the seccomp listener to", subject: path, error)
        }
    }
}

/// A listener on its way from the child to whom it is for.
struct PendingListener: ~Copyable {
    private let path: String?
    private var descriptor: Int32 = -1
    /// One that nobody asked for would be a descriptor that someone made our child send.
    private(set) var isAwaited: Bool

    init(_ plan: LaunchPlan) {
        path = plan.parent.seccompListener
        isAwaited = path != nil
    }

    deinit {
        if descriptor >= 0 { _ = Glibc.close(descriptor) }
    }

    mutating func take(_ descriptor: Int32) {
        self.descriptor = descriptor
        isAwaited = false
    }

    mutating func send(_ pid: pid_t, _ handOver: SeccompListener.Handover) throws(RuntimeError) {
        guard let path, descriptor >= 0 else { return }
        let taken = OwnedFD(adopting: descriptor)
        descriptor = -1
        try handOver(taken.raw, pid, path)
    }
}
