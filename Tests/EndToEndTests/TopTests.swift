internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `top`: the processes of a container as the host sees them.
    @Suite struct Top {
        /// Cells of the lines, parted by three blanks and more.
        private static func cells(_ output: Tool.Output) -> [[String]] {
            output.lines.map { line in
                line.split(separator: " ", omittingEmptySubsequences: true).map(String.init)
            }
        }

        @Test func listsAllProcessesInDockersColumns() throws {
            let container = try DetachedContainer([], "sh", "-c", "sleep 61 & sleep 62 & wait")
            #expect(Wait.until(seconds: 10) { container.processes.count == 3 })
            // A clone is in its cgroup before it is its program.
            #expect(
                try Wait.until(seconds: 10) {
                    let commands = Self.cells(try container.runimg.check("top", container.id)).map { $0.dropFirst(7) }
                    return commands.count { $0.first == "sleep" } == 2
                })
            let rows = Self.cells(try container.runimg.check("top", container.id))
            #expect(rows.first == ["UID", "PID", "PPID", "C", "STIME", "TTY", "TIME", "CMD"])
            #expect(rows.dropFirst().map { Int32($0[1]) } == container.processes)
            #expect(Set(rows.dropFirst().map { $0[7] }) == ["sh", "sleep"])
            #expect(rows.dropFirst().allSatisfy { $0[0] == "root" && $0[5] == "?" })
            let line = try #require(try container.runimg.check("top", container.id).lines.first)
            #expect(
                line == "UID                 PID                 PPID                C                   "
                    + "STIME               TTY                 TIME                CMD")
        }

        @Test(.enabled(if: Tool.find("ps") != nil, "needs ps")) func optionsAreThoseOfPS() throws {
            let container = try DetachedContainer([], "sh", "-c", "sleep 61 & wait")
            #expect(Wait.until(seconds: 10) { container.processes.count == 2 })
            for options in [["-o", "pid,comm"], ["-o pid,comm"], ["-eo", "pid,comm"]] {
                let rows = Self.cells(try container.runimg.run(["top", container.id] + options))
                #expect(rows.first == ["PID", "COMMAND"])
                #expect(rows.dropFirst().map { Int32($0[0]) } == container.processes, "\(options)")
            }
            let aux = Self.cells(try container.runimg.check("top", container.id, "aux"))
            #expect(aux.first?.prefix(3) == ["USER", "PID", "%CPU"] && aux.count == 3, "\(aux)")
            let refused = try container.runimg("top", container.id, "-o", "comm")
            #expect(refused.status == 1 && refused.stderr == "runimg: Couldn't find PID field in ps output\n")
        }

        @Test func aStoppedOneHasNone() throws {
            let container = try DetachedContainer([], "true")
            try container.runimg.check("wait", container.id)
            let output = try container.runimg("top", container.id)
            #expect(output.status == 1 && output.stderr.contains("\(container.id) is not running"), "\(output)")
        }

        @Test("X8: top runs no ps but the host's", .enabled(if: Tool.find("ps") != nil, "needs ps"))
        func runsNoProgramOfTheContainer() throws {
            let canary = try Canary()
            let script = """
                for n in /bin/ps /usr/bin/ps /sbin/ps /usr/local/bin/ps; do mkdir -p ${n%/*}; rm -f $n
                printf '#!/bin/sh\\ntouch %s/new /reached\\nexit 0\\n' "$1" > $n; chmod 755 $n; done
                export PATH=/bin:/usr/bin; : > /ready; exec sleep 1000
                """
            let container = try DetachedContainer(
                ["-e", "PATH=/usr/local/bin:/bin:/usr/bin"], "sh", "-c", script, "sh", canary.path)
            let upper = "\(container.runimg.dataRoot)/overlay2/\(container.id)/diff"
            #expect(Wait.until(seconds: 10) { File.exists("\(upper)/ready") })
            for options in [[], ["-ef"], ["-o", "pid,args"], ["--no-such-option"]] {
                _ = try container.runimg.run(["top", container.id] + options)
            }
            for change in try canary.changes() { Issue.record("the host was changed: \(change)") }
            #expect(!File.exists("\(upper)/reached"))
        }

        /// A process names itself as it likes: no line of the list moves the cursor or looks like another one.
        @Test func namesThatWouldDriveTheTerminalAreShownHarmless() throws {
            let container = try DetachedContainer(
                [], "sh", "-c", "exec sh -c 'sleep 1000; :' \"$(printf 'a\\033[2J\\nroot 1 0')\"")
            #expect(
                try Wait.until(seconds: 10) {
                    try container.runimg.check("top", container.id).stdout.contains("a?[2J?root 1 0")
                })
            let output = try container.runimg.check("top", container.id)
            #expect(!output.stdout.utf8.contains(0x1b) && output.lines.count <= 3, "\(output)")
        }
    }
}
