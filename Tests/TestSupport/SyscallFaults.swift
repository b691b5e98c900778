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

    /// Tests visit every single call when this is set (`make soak`); otherwise a random sample of each.
    package static let isSoak = getenv("RUNIMG_SOAK").map { String(cString: $0) == "1" } ?? false

    /// `count` of something in `make test`, `soak` of it in a soak.
    package static func rounds(_ count: Int, soak: Int) -> Int { isSoak ? soak : count }

    fileprivate static func strace(_ call: String, _ options: [String], log: String) -> [String] {
        ["strace", "-f", "-y", "-qq", "-o", log, "-e", "trace=\(call)"] + options
    }

    /// How often the busiest thread makes the call.
    fileprivate static func count(_ call: String, _ body: (_ prefix: [String]) throws -> Void) throws -> Int {
        let scratch = try Scratch()
        try body(strace(call, [], log: scratch("log")))
        let log = String(decoding: (try? File.readAll(scratch("log"))) ?? [], as: UTF8.self)
        var counts: [Substring: Int] = [:]
        for line in log.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            guard parts.count == 2, !parts[1].hasPrefix("<..."), !parts[1].hasPrefix("+++"), !parts[1].hasPrefix("---")
            else { continue }
            counts[parts[0], default: 0] += 1
        }
        return counts.values.max() ?? 0
    }

    /// The numbers to try, of calls that were counted; nil: all from 1 on, until the command does not come so far.
    fileprivate static func sample(_ samples: Int?, of count: () throws -> Int) throws -> [Int]? {
        guard let samples, !isSoak else { return nil }
        let all = try count()
        return all == 0 ? [] : Array((1...all).shuffled().prefix(samples)).sorted()
    }
}

/// `kill -9` at the k-th of a system call, for k from 1 until the command ends by itself. Calls are counted by name and
/// thread (strace(1)).
package struct CrashEnumerator: Sendable {
    package let call: String
    package let samples: Int?
    private static let limit = 20_000

    /// One kill, as it is named in a failed test.
    package struct Moment: Sendable, CustomStringConvertible {
        package let call: String
        package let number: Int
        package var description: String { "killed at \(call) number \(number)" }
    }

    package struct NeverEnded: Error, CustomStringConvertible {
        package let description: String
    }

    /// Every single call is tried; with `samples` that many of them, chosen at random, unless it is a soak.
    package init(_ call: String, samples: Int? = nil) {
        self.call = call
        self.samples = samples
    }

    /// For each moment: `prepare`s a subject, runs the `command` behind the prefix of a command line that it is given,
    /// and `check`s what is left. `command` tells whether it came to a good end. Returns how many kills there were.
    @discardableResult
    package func run<Subject>(
        prepare: () throws -> Subject, command: (_ subject: Subject, _ prefix: [String]) throws -> Bool,
        check: (_ subject: Subject, _ moment: Moment, _ ended: Bool) throws -> Void
    ) throws -> Int {
        let numbers = try SyscallFaults.sample(samples) {
            try SyscallFaults.count(call) { prefix in _ = try command(try prepare(), prefix) }
        }
        var kills = 0
        for number in numbers ?? Array(1...CrashEnumerator.limit) {
            let subject = try prepare()
            let kill = ["-e", "inject=\(call):signal=SIGKILL:when=\(number)"]
            let ended = try command(subject, SyscallFaults.strace(call, kill, log: "/dev/null"))
            try check(subject, Moment(call: call, number: number), ended)
            if ended, numbers == nil { return kills }
            if !ended { kills += 1 }
        }
        if numbers == nil {
            throw NeverEnded(description: "\(call): the command had not ended after \(CrashEnumerator.limit) calls")
        }
        return kills
    }
}

/// A system call that fails without having been made: the k-th, or all from the k-th on.
package struct ErrnoInjection: Sendable, CustomStringConvertible {
    package let call: String
    /// `ENOSPC`, `EDQUOT`, `EIO`, `EMFILE`, `ENOMEM`, `EINTR`, ….
    package let error: String
    package let number: Int
    package let isLasting: Bool
    private let scratch: Scratch

    package init(_ call: String, _ error: String, at number: Int = 1, lasting: Bool = false) throws {
        self.call = call
        self.error = error
        self.number = number
        isLasting = lasting
        scratch = try Scratch()
    }

    /// What goes before a command line.
    package var prefix: [String] {
        let fault = ["-e", "inject=\(call):error=\(error):when=\(number)\(isLasting ? "+" : "")"]
        return SyscallFaults.strace(call, fault, log: scratch("log"))
    }

    /// The calls that failed, with the paths of their descriptors; none when the command did not come so far.
    package var met: [String] {
        let log = (try? File.readAll(scratch("log"))) ?? []
        return String(decoding: log, as: UTF8.self).split(separator: "\n").map(String.init)
            .filter { $0.contains("(INJECTED)") }
    }

    package var description: String { "\(error) at \(call) number \(number)\(isLasting ? " and later ones" : "")" }

    /// Runs `body` with a fault at the k-th call for k from 1, until its command meets none; with `samples` at that many
    /// of the calls, chosen at random, unless it is a soak. Returns how many faults there were.
    @discardableResult
    package static func each(
        _ call: String, _ error: String, lasting: Bool = false, samples: Int? = nil,
        _ body: (_ prefix: [String], _ fault: ErrnoInjection) throws -> Void
    ) throws -> Int {
        let numbers = try SyscallFaults.sample(samples) {
            // Beyond any count: nothing fails.
            let peace = try ErrnoInjection(call, error, at: 65535)
            return try SyscallFaults.count(call) { prefix in try body(prefix, peace) }
        }
        var faults = 0
        for number in numbers ?? Array(1...20_000) {
            let fault = try ErrnoInjection(call, error, at: number, lasting: lasting)
            try body(fault.prefix, fault)
            if fault.met.isEmpty, numbers == nil { return faults }
            if !fault.met.isEmpty { faults += 1 }
        }
        return faults
    }
}
