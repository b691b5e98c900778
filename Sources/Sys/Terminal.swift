internal import CLinux
internal import Glibc

/// Columns and rows of a terminal.
package struct WindowSize: Hashable, Sendable {
    package var rows: UInt16
    package var columns: UInt16

    package init(rows: UInt16, columns: UInt16) {
        self.rows = rows
        self.columns = columns
    }
}

/// Calls on terminals (termios(3), ioctl_tty(2)).
package enum Terminal {
    package static func isTerminal(_ fd: Int32) -> Bool { isatty(fd) == 1 }

    package static func size(_ fd: Int32) throws(Errno) -> WindowSize {
        var size = winsize()
        try check { clinux_get_winsize(fd, &size) }
        return WindowSize(rows: size.ws_row, columns: size.ws_col)
    }

    package static func setSize(_ fd: Int32, _ size: WindowSize) throws(Errno) {
        var value = winsize()
        value.ws_row = size.rows
        value.ws_col = size.columns
        try check { clinux_set_winsize(fd, &value) }
    }

    /// Starts a process that reads the master side `fd` for nobody until its other side is closed: for a caller of one
    /// thread that is about to end.
    package static func drainAside(_ fd: Int32) throws(Errno) {
        try check { clinux_drain_aside(fd) }
    }
}

/// A terminal in raw mode, set back when the value goes away.
package struct RawTerminal: ~Copyable {
    private let fd: Int32
    private let saved: termios

    package init(_ fd: Int32) throws(Errno) {
        saved = try RawTerminal.makeRaw(fd)
        self.fd = fd
    }

    private static func makeRaw(_ fd: Int32) throws(Errno) -> termios {
        var attributes = termios()
        try check { tcgetattr(fd, &attributes) }
        let saved = attributes
        cfmakeraw(&attributes)
        try check { tcsetattr(fd, TCSADRAIN, &attributes) }
        return saved
    }

    deinit {
        var attributes = saved
        // A background process that sets a terminal is stopped by SIGTTOU; the shell's own mode is set by the shell then.
        let mask = SignalSet([SIGTTOU]).block()
        tcsetattr(fd, TCSADRAIN, &attributes)
        mask.install()
    }
}
