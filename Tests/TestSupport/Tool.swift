internal import Glibc
internal import Sys

/// Runs a program to its end and keeps what it said.
package enum Tool {
    package struct Output: Sendable, CustomStringConvertible {
        package let command: String
        /// The exit status; nil when a signal ended it.
        package let status: Int32?
        package let signal: Int32?
        package let stdoutBytes: [UInt8]
        package let stderrBytes: [UInt8]
        /// The limit was reached and the program's whole group killed.
        package let timedOut: Bool
        /// Some descendant still held standard output or error after the program had ended.
        package let lingering: Bool

        package var stdout: String { String(decoding: stdoutBytes, as: UTF8.self) }
        package var stderr: String { String(decoding: stderrBytes, as: UTF8.self) }
        package var lines: [String] { stdout.split(separator: "\n").map(String.init) }

        package var description: String {
            let end = timedOut ? "timed out" : status.map { "exit \($0)" } ?? "signal \(signal ?? 0)"
            return "\(command): \(end)\nstdout: \(stdout)\nstderr: \(stderr)"
        }
    }

    package struct Failure: Error, CustomStringConvertible {
        package let output: Output
        package init(output: Output) { self.output = output }
        package var description: String { output.description }
    }

    package struct Missing: Error, CustomStringConvertible {
        package let name: String
        package var description: String { "\(name): not found in PATH" }
    }

    /// What a program gets unless told otherwise: nothing of the developer's own settings.
    package static let baseEnvironment = [
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": getenv("HOME").map { String(cString: $0) } ?? "/", "LC_ALL": "C.UTF-8", "TMPDIR": "/tmp",
    ]

    /// A child may end before it has read its input, which must not end the test process.
    private static let ignoresBrokenPipes: Void = { _ = Glibc.signal(SIGPIPE, SIG_IGN) }()

    /// The full path of `name`: itself if it has a slash, else the first one in the search path.
    package static func find(_ name: String) -> String? {
        if name.contains("/") { return access(name, X_OK) == 0 ? name : nil }
        let path = baseEnvironment["PATH"] ?? ""
        return path.split(separator: ":").map { "\($0)/\(name)" }.first { access($0, X_OK) == 0 }
    }

    /// Runs `name` with `arguments`. `environment` is added to `baseEnvironment`. The process and its group are killed
    /// after `Wait.bound(timeout)`.
    package static func run(
        _ name: String, _ arguments: [String] = [], environment: [String: String] = [:], directory: String? = nil,
        input: [UInt8] = [], timeout: Double = 60
    ) throws -> Output {
        guard let path = find(name) else { throw Missing(name: name) }
        _ = ignoresBrokenPipes
        let limit = Wait.bound(timeout)
        var ends = PipeEnds()
        var child = try start(path, arguments, baseEnvironment.merging(environment) { $1 }, directory, &ends)
        var exchange = Exchange(input: input, deadline: Wait.now + limit)
        try exchange.run(ends, exit: child.exitDescriptor)
        let result = exchange.timedOut ? try child.kill() : try child.wait(seconds: limit)
        // What is left of the group would outlive the test.
        if exchange.lingering { child.signalGroup(SIGKILL) }
        var status: Int32?
        var signal: Int32?
        switch result {
        case .exited(let code): status = code
        case .signaled(let number): signal = number
        case nil: break
        }
        return Output(
            command: ([name] + arguments).joined(separator: " "), status: status, signal: signal,
            stdoutBytes: exchange.stdout, stderrBytes: exchange.stderr, timedOut: exchange.timedOut,
            lingering: exchange.lingering)
    }

    /// Starts the child on three pipes, whose other ends belong to the caller.
    private static func start(
        _ path: String, _ arguments: [String], _ environment: [String: String], _ directory: String?,
        _ ends: inout PipeEnds
    ) throws -> ChildProcess {
        let stdin = try Sys.Pipe()
        let stdout = try Sys.Pipe()
        let stderr = try Sys.Pipe()
        let child = try ChildProcess(
            path, arguments, environment: environment, directory: directory, input: .descriptor(stdin.reader.raw),
            output: .descriptor(stdout.writer.raw), errors: .descriptor(stderr.writer.raw))
        ends.stdin = try stdin.writer.duplicate().release()
        ends.stdout = try stdout.reader.duplicate().release()
        ends.stderr = try stderr.reader.duplicate().release()
        return child
    }

    /// As `run`, and throws unless the program exits with 0.
    @discardableResult
    package static func check(
        _ name: String, _ arguments: [String] = [], environment: [String: String] = [:], directory: String? = nil,
        input: [UInt8] = [], timeout: Double = 60
    ) throws -> Output {
        let output = try run(
            name, arguments, environment: environment, directory: directory, input: input, timeout: timeout)
        guard output.status == 0 else { throw Failure(output: output) }
        return output
    }
}

/// The parent's ends of a child's three pipes, owned by whoever runs the exchange.
private struct PipeEnds {
    var stdin: Int32 = -1
    var stdout: Int32 = -1
    var stderr: Int32 = -1
}

/// Feeds a child and listens to it until it has ended and said all.
private struct Exchange {
    var input: [UInt8]
    let deadline: Double
    var stdout: [UInt8] = []
    var stderr: [UInt8] = []
    var timedOut = false
    var lingering = false

    init(input: [UInt8], deadline: Double) {
        self.input = input
        self.deadline = deadline
    }

    mutating func run(_ ends: PipeEnds, exit: Int32) throws(Errno) {
        var open: [pollfd] = [
            pollfd(fd: ends.stdin, events: Int16(POLLOUT), revents: 0),
            pollfd(fd: ends.stdout, events: Int16(POLLIN), revents: 0),
            pollfd(fd: ends.stderr, events: Int16(POLLIN), revents: 0),
            pollfd(fd: exit, events: Int16(POLLIN), revents: 0),
        ]
        defer { for end in open[..<3] where end.fd >= 0 { Glibc.close(end.fd) } }
        _ = fcntl(ends.stdin, F_SETFL, O_NONBLOCK)
        var written = 0
        var limit = deadline
        if input.isEmpty { Exchange.close(&open[0]) }
        while open[1].fd >= 0 || open[2].fd >= 0 || open[3].fd >= 0 {
            let left = limit - Wait.now
            if left <= 0 {
                if open[3].fd >= 0 { timedOut = true } else { lingering = true }
                return
            }
            try Sys.check { poll(&open, 4, Int32(left * 1000) + 1) }
            if open[0].revents != 0 { written = feed(&open[0], from: written) }
            if open[1].revents != 0 { Exchange.drain(&open[1], into: &stdout) }
            if open[2].revents != 0 { Exchange.drain(&open[2], into: &stderr) }
            if open[3].revents != 0 {
                // Not ours to close; what is still in the pipes comes within a moment unless someone holds them.
                open[3].fd = -1
                Exchange.close(&open[0])
                limit = min(deadline, Wait.now + 2)
            }
        }
    }

    private func feed(_ end: inout pollfd, from start: Int) -> Int {
        let count = input.withUnsafeBytes { bytes in
            Glibc.write(end.fd, bytes.baseAddress.map { $0 + start }, bytes.count - start)
        }
        let written = start + max(0, count)
        if written == input.count || (count < 0 && errno != EAGAIN && errno != EINTR) { Exchange.close(&end) }
        return written
    }

    private static func drain(_ end: inout pollfd, into buffer: inout [UInt8]) {
        var chunk = [UInt8](repeating: 0, count: 65536)
        let count = read(end.fd, &chunk, chunk.count)
        if count > 0 { buffer.append(contentsOf: chunk[..<count]) } else { close(&end) }
    }

    private static func close(_ end: inout pollfd) {
        if end.fd >= 0 { Glibc.close(end.fd) }
        end.fd = -1
    }
}
