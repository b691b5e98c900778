internal import Glibc
internal import Sys

/// Faults at single system calls, by strace's injection: the moments between two steps of a commit, a record or a
/// removal, which random moments seldom meet.
package enum SyscallFaults {
    package static let isPossible = Conditions.isRoot && Conditions.has("strace")
    package static let requirements = "needs root and strace"

    /// The calls that change what others see. A name that begins with a slash is a regular expression over names.
    package static let changing = [
        "openat", "openat2", "write", "fsync", "fdatasync", "syncfs", "/^rename", "/^link", "/^symlink", "/^mkdir",
        "/^unlink", "/^u?mount", "/^clone", "sendmsg", "flock", "ftruncate", "fchmodat",
    ]

    /// Tests visit every single call when this is set (`make soak`); otherwise some of each, from a random one on.
    package static let isSoak = getenv("RUNIMG_SOAK").map { String(cString: $0) == "1" } ?? false

    fileprivate static func strace(_ call: String, _ effect: String, log: String, path: String? = nil) -> [String] {
        ["strace", "-f", "-qq", "-o", log, "-e", "trace=\(call)", "-e", "inject=\(call):\(effect)"]
            + (path.map { ["-P", $0] } ?? [])
    }
}

/// `kill -9` at the k-th of a system call, for k from 1 until the command ends by itself. Calls are counted by name and
/// thread (strace(1)).
package struct CrashEnumerator: Sendable {
    package let call: String
    package let stride: Int
    package let limit: Int

    /// One kill, as it is named in a failed test.
    package struct Moment: Sendable, CustomStringConvertible {
        package let call: String
        package let number: Int
        package var description: String { "killed at \(call) number \(number)" }
    }

    package struct NeverEnded: Error, CustomStringConvertible {
        package let description: String
    }

    /// Every `stride`-th call is tried, beginning with a random one of the first `stride`; every single one in a soak.
    package init(_ call: String, stride: Int = 1, limit: Int = 5000) {
        self.call = call
        self.stride = SyscallFaults.isSoak ? 1 : stride
        self.limit = limit
    }

    /// For each moment: `prepare`s a subject, runs the `command` behind the prefix of a command line that it is given,
    /// and `check`s what is left. `command` tells whether it came to a good end. Returns how many kills there were.
    @discardableResult
    package func run<Subject>(
        prepare: () throws -> Subject, command: (_ subject: Subject, _ prefix: [String]) throws -> Bool,
        check: (_ subject: Subject, _ moment: Moment, _ ended: Bool) throws -> Void
    ) throws -> Int {
        var number = Int.random(in: 1...stride)
        var kills = 0
        while number <= limit {
            let subject = try prepare()
            let prefix = SyscallFaults.strace(call, "signal=SIGKILL:when=\(number)", log: "/dev/null")
            let ended = try command(subject, prefix)
            try check(subject, Moment(call: call, number: number), ended)
            if ended { return kills }
            kills += 1
            number += stride
        }
        throw NeverEnded(description: "\(call): the command had not ended after \(limit) calls")
    }
}

/// A system call that fails without having been made: the k-th, or all from the k-th on, on any file or on one path.
package struct ErrnoInjection: Sendable, CustomStringConvertible {
    package let call: String
    /// `ENOSPC`, `EDQUOT`, `EIO`, `EMFILE`, `ENOMEM`, `EINTR`, ….
    package let error: String
    package let number: Int
    package let isLasting: Bool
    package let path: String?
    private let scratch: Scratch

    package init(
        _ call: String, _ error: String, at number: Int = 1, lasting: Bool = false, path: String? = nil
    ) throws {
        self.call = call
        self.error = error
        self.number = number
        isLasting = lasting
        self.path = path
        scratch = try Scratch()
    }

    /// What goes before a command line.
    package var prefix: [String] {
        SyscallFaults.strace(
            call, "error=\(error):when=\(number)\(isLasting ? "+" : "")", log: scratch("log"), path: path)
    }

    /// Whether the command came as far as the fault.
    package var wasMet: Bool {
        let log = (try? File.readAll(scratch("log"))) ?? []
        return String(decoding: log, as: UTF8.self).contains("(INJECTED)")
    }

    package var description: String { "\(error) at \(call) number \(number)\(isLasting ? " and later ones" : "")" }

    /// Runs `body` with a fault at the k-th call for k from 1, until its command meets none. Returns how many faults
    /// there were. As with kills, every single call is tried in a soak only.
    @discardableResult
    package static func each(
        _ call: String, _ error: String, lasting: Bool = false, path: String? = nil, stride: Int = 1,
        limit: Int = 5000, _ body: (ErrnoInjection) throws -> Void
    ) throws -> Int {
        let stride = SyscallFaults.isSoak ? 1 : stride
        var number = Int.random(in: 1...stride)
        var faults = 0
        while number <= limit {
            let fault = try ErrnoInjection(call, error, at: number, lasting: lasting, path: path)
            try body(fault)
            if !fault.wasMet { return faults }
            faults += 1
            number += stride
        }
        throw CrashEnumerator.NeverEnded(description: "\(call): there was a fault at each of \(limit) calls")
    }
}
