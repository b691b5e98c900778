internal import CLinux
internal import Glibc

/// A child that does nothing: something that only lasts while a process is in it is held by it. It ends with its parent.
package struct HoldingProcess: ~Copyable {
    package let pid: Int32
    private let pidfd: OwnedFD

    package init() throws(Errno) {
        var handle: Int32 = -1
        pid = try check { clinux_hold(&handle) }
        pidfd = OwnedFD(adopting: handle)
    }

    /// Killed and reaped.
    deinit {
        try? Pidfd.send(SIGKILL, to: pidfd.raw)
        _ = try? Pidfd.wait(pidfd.raw)
    }
}
