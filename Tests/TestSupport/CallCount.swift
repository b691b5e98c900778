internal import Sys

/// What a command and all that it starts asked of the kernel, by strace(1): the same on every machine, whatever else that
/// does.
package struct CallCount: Sendable {
    /// Of all processes, by name.
    package private(set) var calls: [String: Int] = [:]
    package private(set) var total = 0
    /// Bytes of all writes that succeeded.
    package private(set) var written = 0
    /// Files that were opened.
    package var opened: Int { succeeded["openat", default: 0] + succeeded["openat2", default: 0] }
    /// Processes and threads that were made.
    package var made: Int {
        ["clone", "clone3", "fork", "vfork"].reduce(0) { $0 + succeeded[$1, default: 0] }
    }
    /// Programs that were executed.
    package var executed: Int { succeeded["execve", default: 0] + succeeded["execveat", default: 0] }
    private var succeeded: [String: Int] = [:]

    /// Runs `body` with the words that are to stand before the command.
    package init(_ body: (_ prefix: [String]) throws -> Void) throws {
        let scratch = try Scratch()
        try body(["strace", "-f", "-qq", "-s", "0", "-o", scratch("log")])
        let log = String(decoding: try File.readAll(scratch("log")), as: UTF8.self)
        for line in log.split(separator: "\n") { count(line) }
    }

    /// `PID CALL(ARGUMENTS) = RESULT`; of one that was interrupted, `PID CALL(… <unfinished ...>` and later `PID <... CALL
    /// resumed>) = RESULT`.
    private mutating func count(_ line: Substring) {
        let text = line.drop { $0 != " " }.drop { $0 == " " }
        if text.hasPrefix("+++") || text.hasPrefix("---") { return }
        let isEnd = text.hasPrefix("<... ")
        let name = String(text.dropFirst(isEnd ? 5 : 0).prefix { $0 != "(" && $0 != " " })
        if !isEnd {
            calls[name, default: 0] += 1
            total += 1
        }
        if text.hasSuffix("<unfinished ...>") { return }
        guard let sign = text.lastIndex(of: "=") else { return }
        let result = Int(text[text.index(after: sign)...].drop { $0 == " " }.prefix { $0 == "-" || $0.isNumber })
        guard let result, result >= 0 else { return }
        succeeded[name, default: 0] += 1
        if name == "write" { written += result }
    }
}
