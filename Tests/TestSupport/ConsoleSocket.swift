internal import CLinux
internal import Glibc
internal import Sys

/// Where a runtime sends the other side of a container's terminal to (`--console-socket`).
package final class ConsoleSocket {
    package let path: String
    private let listener: UnixListener
    private var master: OwnedFD?
    private var text = ""

    /// The name is short whatever the directory: a socket's address has 108 bytes.
    package init(_ scratch: Scratch) throws {
        path = scratch("tty-\(Random.hex(bytes: 3))")
        listener = try UnixListener(path)
    }

    package struct Nothing: Error { let what: String }

    /// Takes the terminal.
    package func receive() throws {
        var poller = pollfd(fd: listener.raw, events: Int16(POLLIN), revents: 0)
        guard try check({ poll(&poller, 1, Int32(Wait.bound(10) * 1000)) }) == 1 else {
            throw Nothing(what: "no connection to \(path)")
        }
        let connection = try listener.accept()
        var bytes = [UInt8](repeating: 0, count: 4096)
        var descriptor: Int32 = -1
        let from = connection.raw
        poller = pollfd(fd: from, events: Int16(POLLIN), revents: 0)
        guard try check({ poll(&poller, 1, Int32(Wait.bound(10) * 1000)) }) == 1 else {
            throw Nothing(what: "no message on \(path)")
        }
        let count = clinux_receive(from, &bytes, bytes.count, 0, &descriptor)
        guard count > 0, descriptor >= 0 else { throw Nothing(what: "no descriptor in \(count) bytes") }
        master = OwnedFD(adopting: descriptor)
    }

    private var raw: Int32 { master?.raw ?? -1 }

    /// Rows and columns.
    package var size: [Int] {
        var size = winsize()
        guard clinux_get_winsize(raw, &size) == 0 else { return [] }
        return [Int(size.ws_row), Int(size.ws_col)]
    }

    package func type(_ keys: String) throws { try File.write(raw, keys) }

    /// All that is shown until `text` is, or until no side is left that could show more.
    package func read(until text: String, seconds: Double = 10) -> String {
        _ = Wait.until(seconds: seconds) {
            if self.text.contains(text) { return true }
            var poller = pollfd(fd: raw, events: Int16(POLLIN), revents: 0)
            guard poll(&poller, 1, 50) > 0 else { return false }
            var chunk = [UInt8](repeating: 0, count: 65536)
            let count = Glibc.read(raw, &chunk, chunk.count)
            if count <= 0 { return true }
            self.text += String(decoding: chunk[..<count], as: UTF8.self)
            return self.text.contains(text)
        }
        return self.text
    }
}
