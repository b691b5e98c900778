internal import CLinux
internal import Glibc
internal import Sys

/// A program on a terminal of its own, driven as a person would: typing, looking, resizing the window.
package final class PseudoTerminal {
    private let master: OwnedFD
    /// Kept open, so that what the program wrote and how it left the terminal can be read after its end.
    private let slave: OwnedFD
    private var child: ChildProcess
    /// All that was shown, as bytes on the wire.
    package private(set) var transcript = ""
    /// Before the program was started, which may have changed it when `init` returns.
    package let initialMode: [UInt32]
    /// Where the next `expect` starts to look.
    private var position = 0

    package struct Silence: Error, CustomStringConvertible {
        package let description: String
    }

    package init(
        _ path: String, _ arguments: [String], environment: [String: String] = [:], rows: UInt16 = 24,
        columns: UInt16 = 80
    ) throws {
        guard let program = Tool.find(path) else { throw Tool.Missing(name: path) }
        let flags = O_RDWR | O_NOCTTY
        master = try File.open("/dev/ptmx", flags | O_NONBLOCK)
        let number = master.raw
        try check { unlockpt(number) }
        var buffer = [CChar](repeating: 0, count: 128)
        let failed = ptsname_r(number, &buffer, 128)
        if failed != 0 { throw SystemFailure("ptsname", "/dev/ptmx", Errno(rawValue: failed)) }
        let name = String(decoding: buffer.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
        slave = try File.open(name, flags)
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        try check { clinux_set_winsize(number, &size) }
        initialMode = PseudoTerminal.mode(of: slave)
        let full = Tool.baseEnvironment.merging(["TERM": "xterm"]) { $1 }.merging(environment) { $1 }
        child = try ChildProcess(program, arguments, environment: full, controllingTerminal: name)
    }

    package var pid: Int32 { child.pid }

    /// Sends keys; `\u{3}` is Ctrl-C.
    package func type(_ keys: String) throws {
        try File.write(master.raw, keys)
    }

    /// Waits until `text` is shown after what the last call found, and returns all up to its end.
    @discardableResult
    package func expect(_ text: String, seconds: Double = 15) throws -> String {
        let deadline = Wait.now + Wait.bound(seconds)
        while true {
            let shown = Array(transcript.utf8)
            if let end = PseudoTerminal.end(of: Array(text.utf8), in: shown, from: position) {
                let found = String(decoding: shown[position..<end], as: UTF8.self)
                position = end
                return found
            }
            if Wait.now > deadline {
                throw Silence(
                    description:
                        "no \(text.debugDescription) within \(seconds) s; shown: \(transcript.debugDescription)")
            }
            try read(seconds: min(0.1, max(0, deadline - Wait.now)))
        }
    }

    /// Tells the program's terminal that the window has another size; the kernel sends SIGWINCH.
    package func resize(rows: UInt16, columns: UInt16) throws {
        var size = winsize(ws_row: rows, ws_col: columns, ws_xpixel: 0, ws_ypixel: 0)
        let number = master.raw
        try check { clinux_set_winsize(number, &size) }
    }

    /// The terminal's mode, comparable: a program must leave it as it found it.
    package var mode: [UInt32] { PseudoTerminal.mode(of: slave) }

    private static func mode(of terminal: borrowing OwnedFD) -> [UInt32] {
        var settings = termios()
        guard tcgetattr(terminal.raw, &settings) == 0 else { return [] }
        return [settings.c_iflag, settings.c_oflag, settings.c_cflag, settings.c_lflag]
    }

    /// Neither echo nor lines: keys go on as they are.
    package var isRaw: Bool {
        var settings = termios()
        guard tcgetattr(slave.raw, &settings) == 0 else { return false }
        return settings.c_lflag & UInt32(ICANON | ECHO) == 0
    }

    package func signal(_ number: Int32) throws { try child.signal(number) }

    /// Closes the window.
    package func hangUp() throws {
        let null = try File.open("/dev/null", O_RDWR)
        let number = master.raw
        try check { dup3(null.raw, number, O_CLOEXEC) }
    }

    /// Waits for the program's end, reading what it says meanwhile; nil after `seconds`.
    package func wait(seconds: Double = 15) throws -> ChildProcess.ExitResult? {
        let deadline = Wait.now + Wait.bound(seconds)
        while true {
            if let result = try child.wait(seconds: 0) {
                try read(seconds: 0.05)
                return result
            }
            if Wait.now > deadline { return nil }
            try read(seconds: 0.05)
        }
    }

    private func read(seconds: Double) throws {
        var poller = pollfd(fd: master.raw, events: Int16(POLLIN), revents: 0)
        if try check({ poll(&poller, 1, Int32(seconds * 1000)) }) == 0 { return }
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = Glibc.read(poller.fd, &chunk, chunk.count)
            if count <= 0 { return }
            transcript += String(decoding: chunk[..<count], as: UTF8.self)
        }
    }

    private static func end(of text: [UInt8], in shown: [UInt8], from start: Int) -> Int? {
        guard shown.count >= start + text.count else { return nil }
        for first in start...(shown.count - text.count) where shown[first..<(first + text.count)].elementsEqual(text) {
            return first + text.count
        }
        return nil
    }
}
