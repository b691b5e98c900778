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

    /// As `number(of:)`; ECHILD for one that is no child of `parent`, or is gone and reaped.
    package static func process(of pidfd: Int32, childOf parent: Int32) throws(Errno) -> Int32 {
        if parent == getpid() {
            var info = siginfo_t()
            try check { clinux_wait_pidfd(pidfd, &info, WEXITED | WNOHANG | WNOWAIT) }
            return try number(of: pidfd)
        }
        let pid = try number(of: pidfd)
        guard ProcessStatus.parent(pid) == parent else { throw Errno(rawValue: ECHILD) }
        // Unreaped, so the number was still its own.
        try send(0, to: pidfd)
        return pid
    }

    /// The number of the process behind `pidfd`, in our pid namespace (proc(5), fdinfo).
    package static func number(of pidfd: Int32) throws(Errno) -> Int32 {
        let text = String(decoding: try File.readAll("/proc/self/fdinfo/\(pidfd)", limit: 4096), as: UTF8.self)
        for line in text.split(separator: "\n") where line.hasPrefix("Pid:") {
            if let pid = Int32(line.dropFirst(4).drop { $0 == "\t" }), pid > 0 { return pid }
        }
        throw Errno(rawValue: ECHILD)
    }

    /// Reaps the child behind `pidfd`, waiting for its end (waitid(2)).
    package static func wait(_ pidfd: Int32) throws(Errno) -> Spawn.Exit {
        var info = siginfo_t()
        try check { clinux_wait_pidfd(pidfd, &info, WEXITED) }
        let status = clinux_siginfo_status(&info)
        return clinux_siginfo_code(&info) == CLD_EXITED ? .code(status) : .signal(status)
    }
}
