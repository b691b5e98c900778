package import Glibc
package import Sys

/// A container's first process, which has executed the user's command. Letting go of the value does not end it.
package struct RunningProcess: ~Copyable, Sendable {
    /// As the caller's pid namespace sees it.
    package let pid: pid_t
    package let pidfd: OwnedFD
    /// The master side, where the spec asked for a terminal.
    package var terminal: OwnedFD?

    package init(pid: pid_t, pidfd: consuming OwnedFD, terminal: consuming OwnedFD?) {
        self.pid = pid
        self.pidfd = pidfd
        self.terminal = terminal
    }
}
