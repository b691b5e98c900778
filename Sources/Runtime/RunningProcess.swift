package import Sys

/// A container's first process, which has executed the user's command. Letting go of the value does not end it.
package struct RunningProcess: ~Copyable, Sendable {
    /// As the caller's pid namespace sees it.
    package let pid: Int32
    package let pidfd: OwnedFD
    /// The master side, where the spec asked for a terminal.
    package let terminal: OwnedFD?
    /// The number of `terminal`, or -1: what other modules can borrow.
    package let terminalNumber: Int32

    package init(pid: Int32, pidfd: consuming OwnedFD, terminal: consuming OwnedFD?) {
        self.pid = pid
        self.pidfd = pidfd
        if let terminal {
            terminalNumber = terminal.raw
            self.terminal = consume terminal
        } else {
            terminalNumber = -1
            self.terminal = nil
        }
    }
}
