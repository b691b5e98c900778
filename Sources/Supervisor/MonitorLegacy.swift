internal import CLinux
internal import CMonitor
internal import Glibc
package import Sys

/// What the monitor whose place a command of ours took has left to it, in environment and descriptors.
package struct MonitorLegacy: Sendable {
    package let exit: Spawn.Exit
    /// Those who wait for the recorded end.
    package let clients: [Int32]
    private let listener: Int32

    /// The locked descriptor of the container's entry.
    package static var lock: OwnedFD { OwnedFD(adopting: Int32(CMON_LOCK.rawValue)) }

    /// The further descriptor that a monitor keeps, where it was given one: the lock of the user's namespace.
    package static let namespaceLock = Int32(CMON_KEPT.rawValue)

    /// nil when no monitor started us.
    package static func take() -> MonitorLegacy? {
        func number(_ name: String) -> Int32? { Environment[name].flatMap { Int32($0) } }
        guard let status = number(CMON_ENV_STATUS), let listener = number(CMON_ENV_LISTENER) else { return nil }
        let clients = (Environment[CMON_ENV_CLIENTS] ?? "").split(separator: ",").compactMap { Int32($0) }
        return MonitorLegacy(exit: Spawn.Exit(waitStatus: status), clients: clients, listener: listener)
    }

    /// Tells all clients the recorded exit code and lets go of them.
    package func tellEnd(_ code: Int32) {
        for client in clients {
            MonitorConnection.tellEnd(code, to: client)
            _ = Glibc.close(client)
        }
    }

    /// A wait from which on the memory is worth giving back, milliseconds.
    private static let longWait: Int32 = 500

    /// Waits until somebody connects, who is let go of at once; false when the time has passed.
    package func awaitCaller(milliseconds: Int32) -> Bool {
        if milliseconds >= MonitorLegacy.longWait { clinux_forget_code() }
        var items = [PollItem(listener, .readable)]
        guard let count = try? PollItem.wait(&items, milliseconds: milliseconds), count > 0 else { return false }
        let client = accept(listener, .init(__sockaddr__: nil), nil)
        if client >= 0 { _ = Glibc.close(client) }
        return true
    }

    /// Those who connect from now on are refused.
    package func closeListener() { _ = Glibc.close(listener) }
}
