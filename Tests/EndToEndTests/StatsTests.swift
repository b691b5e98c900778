internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `stats`: what containers use, by the kernel's counting.
    @Suite struct Stats {
        @Test func showsTheEightColumns() throws {
            let container = try DetachedContainer(["--name", "stats-columns"], "sleep", "1000")
            let output = try container.runimg.check("stats", "--no-stream", container.id)
            let header = try #require(output.lines.first)
            for title in [
                "CONTAINER ID", "NAME", "CPU %", "MEM USAGE / LIMIT", "MEM %", "NET I/O", "BLOCK I/O", "PIDS",
            ] {
                #expect(header.contains(title), "\(header)")
            }
            #expect(output.lines.count == 2)
            #expect(output.lines.last?.hasPrefix("\(container.id.prefix(12))   stats-columns   ") == true, "\(output)")
            let full = try container.runimg.check(
                "stats", "--no-stream", "--no-trunc", "--format", "{{.ID}}", container.id)
            #expect(full.stdout == "\(container.id)\n")
        }

        @Test(
            .enabled(
                if: Conditions.hasController("memory") && Conditions.hasController("pids"),
                "needs the memory and pids controllers"))
        func countsWhatABusyContainerUses() throws {
            let container = try DetachedContainer(["-m", "64m"], "sh", "-c", "sleep 1000 & while :; do :; done")
            #expect(Wait.until(seconds: 10) { container.processes.count == 2 })
            let line = try container.runimg.check(
                "stats", "--no-stream", "--format", "{{.CPUPerc}}|{{.MemUsage}}|{{.MemPerc}}|{{.NetIO}}|{{.PIDs}}",
                container.id
            ).stdout
            let cells = line.dropLast().split(separator: "|").map(String.init)
            try #require(cells.count == 5, "\(line)")
            #expect(cells[0].hasSuffix("%") && (Double(cells[0].dropLast()) ?? 0) > 1, "\(line)")
            #expect(cells[1].hasSuffix(" / 64MiB") && !cells[1].hasPrefix("0B"), "\(line)")
            #expect((Double(cells[2].dropLast()) ?? 0) > 0, "\(line)")
            #expect(cells[3].contains("B / ") && cells[4] == "2", "\(line)")
        }

        @Test func stoppedOnesAreShownOnRequestAndUseNothing() throws {
            let runs = try DetachedContainer([], "sleep", "1000")
            let ended = try DetachedContainer([], "true")
            try ended.runimg.check("wait", ended.id)
            let format = "{{.ID}} {{.CPUPerc}} {{.MemUsage}} {{.NetIO}} {{.BlockIO}} {{.PIDs}}"
            func lines(_ flags: String...) throws -> [String] {
                try runs.runimg.run(["stats", "--no-stream", "--format", format] + flags).lines
            }
            let nothing = "\(ended.id.prefix(12)) 0.00% 0B / 0B 0B / 0B 0B / 0B 0"
            #expect(try lines(ended.id) == [nothing])
            #expect(try lines("-a").contains(nothing))
            let running = try lines()
            #expect(running.contains { $0.hasPrefix(runs.id.prefix(12)) })
            #expect(!running.contains { $0.hasPrefix(ended.id.prefix(12)) })
            let unknown = try runs.runimg("stats", "--no-stream", "no-such-container")
            #expect(unknown.status == 1 && unknown.stderr.contains("No such container: no-such-container"))
        }

        @Test func theTableIsRedrawnInPlace() throws {
            let container = try DetachedContainer([], "sleep", "1000")
            let terminal = try container.runimg.terminal("stats", container.id)
            try terminal.expect("\u{1b}[H")
            try terminal.expect(String(container.id.prefix(12)))
            try terminal.expect("\u{1b}[J")
            try terminal.expect("\u{1b}[HCONTAINER ID")
            try terminal.type("\u{3}")
            #expect(try terminal.wait(seconds: 10) == .signaled(SIGINT))
        }

        /// Nobody has to come back to see that the last one is gone.
        @Test func endsWithTheContainersThatWereNamed() throws {
            let container = try DetachedContainer([], "sleep", "1000")
            let scratch = try Scratch()
            let output = try File.open(scratch("out"), O_WRONLY | O_CREAT, mode: 0o644)
            let line = container.runimg.command(["stats", "--format", "{{.PIDs}}", container.id])
            var child = try ChildProcess(
                line[0], Array(line.dropFirst()), environment: Tool.baseEnvironment, output: .descriptor(output.raw))
            #expect(Wait.until(seconds: 10) { (try? File.readAll(scratch("out")).isEmpty) == false })
            try container.runimg.check("rm", "-f", container.id)
            #expect(try child.wait(seconds: 15) == .exited(0))
        }
    }
}
