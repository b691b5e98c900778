internal import CLinux
internal import Glibc

/// Calls on process descriptors (pidfd_open(2)): a pid that can't be reused under us.
package enum Pidfd {
    package static func open(_ pid: Int32) throws(Errno) -> OwnedFD {
        OwnedFD(adopting: try check { clinux_pidfd_open(pid, 0) })
    }

    package static func send(_ signal: Int32, to pidfd: Int32) throws(Errno) {
        try check { clinux_pidfd_send_signal(pidfd, signal) }
    }

    /// Reaps the child behind `pidfd`, waiting for its end (waitid(2)).
    package static func wait(_ pidfd: Int32) throws(Errno) -> Spawn.Exit {
        var info = siginfo_t()
        try check { clinux_wait_pidfd(pidfd, &info, WEXITED) }
        let status = clinux_siginfo_status(&info)
        return clinux_siginfo_code(&info) == CLD_EXITED ? .code(status) : .signal(status)
    }
}
