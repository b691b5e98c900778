internal import CLinux
internal import Glibc

extension Terminal {
    /// A line from the terminal `fd` that it does not show; nil at the end of input. The terminal is set back whatever
    /// happens: a signal that would end the process does so behind that.
    package static func readHidden(_ fd: Int32) -> String? {
        let ends = SignalSet([SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP])
        let former = ends.block()
        defer { former.install() }
        var attributes = termios()
        guard tcgetattr(fd, &attributes) == 0, let signals = try? SignalFD(ends) else { return nil }
        let saved = attributes
        attributes.c_lflag &= ~tcflag_t(ECHO)
        attributes.c_lflag |= tcflag_t(ICANON | ISIG)
        tcsetattr(fd, TCSAFLUSH, &attributes)
        let (line, signal) = line(from: fd, until: signals)
        attributes = saved
        tcsetattr(fd, TCSADRAIN, &attributes)
        guard let signal else { return line }
        former.install()
        raise(signal)
        return nil
    }

    private static func line(from fd: Int32, until signals: borrowing SignalFD) -> (String?, Int32?) {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        var items = [PollItem(fd, .readable), PollItem(signals.raw, .readable)]
        while true {
            guard (try? PollItem.wait(&items)) != nil else { return (nil, nil) }
            // To be stopped means nothing while a password is asked for.
            if let signal = try? signals.next(), signal != SIGTSTP { return (nil, signal) }
            guard !items[0].ready.isEmpty else { continue }
            let count = read(fd, &chunk, chunk.count)
            guard count > 0 else { return (bytes.isEmpty ? nil : String(validating: bytes, as: UTF8.self), nil) }
            bytes += chunk[..<count]
            guard bytes.last == UInt8(ascii: "\n") else { continue }
            return (String(validating: bytes.dropLast(), as: UTF8.self), nil)
        }
    }
}
