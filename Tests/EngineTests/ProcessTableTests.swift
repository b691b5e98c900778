import Glibc
import Sys
import TestSupport
import Testing

@testable import Engine

/// The list of processes that `top` prints: from /proc, and from the host's ps.
@Suite struct ProcessTableTests {
    private static let times = ProcessTimes(now: 1_700_000_000, uptime: 1000, ticks: 100)

    private func entry(
        _ name: String, terminal: Int = 0, user: Int = 0, system: Int = 0, start: Int = 0, command: [UInt8]
    ) -> ProcessEntry? {
        let line =
            "42 (\(name)) S 7 42 42 \(terminal) 42 4194304 1 2 3 4 \(user) \(system) 0 0 20 0 1 0 \(start) 100 20 0\n"
        return ProcessEntry(pid: 42, statistics: Array(line.utf8), uid: 5, commandLine: command)
    }

    @Test func aProcessAsPSShowsIt() throws {
        let process = try #require(
            entry(
                "sh", terminal: 0x8803, user: 360_000, system: 6_100, start: 50_000,
                command: Array("sh\0-c\0a b\0".utf8)))
        let cells = process.cells([5: "games"], Self.times)
        #expect(cells[0...3] == ["games", "42", "7", "99"])
        #expect(cells[5...] == ["pts/3", "01:01:01", "sh -c a b"])
        #expect(process.cells([:], Self.times)[0] == "5")
    }

    /// The name and the command line are the process's own words.
    @Test(arguments: ["a) R 1 1 1", "a b", ") S 0 0", "((", "x\u{1b}[2Jy\nz"])
    func aNameDoesNotShiftTheFields(_ name: String) throws {
        let process = try #require(entry(name, command: []))
        #expect(process.parent == 7 && process.start == 0)
        #expect(process.command.unicodeScalars.allSatisfy { $0.value >= 0x20 }, "\(process.command)")
        let loud = try #require(entry("x", command: Array("a\u{1b}[2J\tb\nc\u{9b}d\0\0".utf8) + [0xff, 0]))
        #expect(loud.command == "a?[2J?b?c?d  ?")
    }

    @Test func terminalsByNumber() throws {
        for (number, name) in [
            (0, "?"), (0x8800, "pts/0"), (0x8900, "pts/256"), (0x0401, "tty1"), (0x0440, "ttyS0"), (0x0501, "console"),
            (0x0300, "?"),
        ] {
            #expect(try #require(entry("x", terminal: number, command: [])).cells([:], Self.times)[5] == name)
        }
    }

    @Test(arguments: ["", "42", "42 (sh", "42 (sh) S 1", "42 (sh) S a b c d e f g h i j k l m n o p q r s t u v"])
    func whatIsNoStatusLineIsNone(_ line: String) {
        #expect(ProcessEntry(pid: 42, statistics: Array(line.utf8), uid: 0, commandLine: []) == nil)
    }

    @Test func thisProcessIsListedAndAGoneOneIsNot() throws {
        let table = ProcessTable.full(of: [Int32.max - 1, getpid()], at: .current)
        #expect(table.titles == ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"])
        #expect(table.rows.count == 1)
        #expect(table.rows.first?[1] == String(getpid()) && table.rows.first?[2] == String(getppid()))
    }

    @Test(.enabled(if: File.exists("/usr/bin/ps"), "needs ps")) func agreesWithPS() throws {
        if try differenceFromPS() == nil { return }
        // ps rounds the start by a clock of its own: where a minute ends the two may differ.
        Wait.sleep(2)
        let difference = try differenceFromPS()
        #expect(difference == nil)
    }

    private func differenceFromPS() throws -> String? {
        let child = try ChildProcess("/bin/sleep", ["60"], environment: Tool.baseEnvironment)
        // The spawn returns while the new program's arguments are not in place yet.
        #expect(Wait.until(seconds: 5) { ProcessEntry(pid: child.pid)?.command == "/bin/sleep 60" })
        let ours = ProcessTable.full(of: [child.pid], at: .current)
        let theirs = try HostPS().table(of: [child.pid], options: ["-ef"])
        #expect(try HostPS().table(of: [child.pid], options: ["-o", "pid,comm"]).rows == [["\(child.pid)", "sleep"]])
        return ours == theirs ? nil : "\(ours) \(theirs)"
    }

    @Test func onlyTheContainersLinesAreTaken() throws {
        let output = """
            USER       PID CMD
            root         1 init of the host
            root        20 a  b c
            -            - thread
            me          30 x
            -            - other

            """
        let table = try HostPS.parse(Array(output.utf8), of: [20])
        #expect(table.titles == ["USER", "PID", "CMD"])
        #expect(table.rows == [["root", "20", "a b c"], ["-", "-", "thread"]])
    }

    @Test(
        arguments: [
            (["-o", "comm"], "Couldn't find PID field in ps output"),
            (["-o", "sid=PID"], "specifying \"sid=PID\" is not allowed"),
            (["-o", "pid,ppid=PIDS"], "specifying \"ppid=PIDS\" is not allowed"),
            (["--no-such-option"], "ps: error:"),
        ] as [([String], String)])
    func whatPSCannotDoIsSaid(_ options: [String], _ expected: String) {
        do {
            _ = try HostPS().table(of: [getpid()], options: options)
            Issue.record("accepted")
        } catch {
            #expect("\(error)".contains(expected), "\(error)")
        }
    }
}
