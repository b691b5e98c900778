internal import Glibc
internal import Sys
internal import TestSupport
internal import Testing

extension EndToEnd.UserNetworks {
    /// A server of one line in the container.
    private static func server(_ words: String = "hello") -> [String] {
        [image, "sh", "-c", "while :; do echo \(words) | nc -l -p 80; done"]
    }

    /// What a machine of the network reads there; nil where nobody listens.
    private static func read(_ run: Run, _ address: String, _ port: Int) throws -> String? {
        let line = run.prefix + ["busybox", "nc", "-w", "5", address, "\(port)"]
        let output = try Tool.run(line[0], Array(line.dropFirst()), environment: Tool.baseEnvironment)
        return output.status == 0 ? output.stdout : nil
    }

    /// Those of this program's containers: the user has others, of tests that run beside this one.
    private static func holders(_ run: Run) throws -> [Int32] {
        let lines = try run(["ps", "-aq", "--no-trunc"]).lines.map { Array("runimg-ports\0\($0)\0".utf8) }
        return try Directory.entries("/proc").compactMap { Int32($0.name) }.filter { pid in
            lines.contains((try? File.readAll("/proc/\(pid)/cmdline", limit: 4096)) ?? [])
        }
    }

    private static func start(_ run: Run, _ flags: [String], name: String = "web") throws {
        let output = try run(["run", "-d", "-q", "--name", name] + flags + server())
        guard output.status == 0 else { throw Tool.Failure(output: output) }
    }

    /// The program in the container may begin to listen a little later.
    private static func answers(_ run: Run, _ address: String, _ port: Int) throws -> Bool {
        try Wait.until(seconds: 10) { try read(run, address, port) == "hello\n" }
    }

    @Test(arguments: programs) func publishedPortsLeadInside(_ program: String) throws {
        try Self.isolated { _, run in
            try Self.start(run, ["--network", program, "-p", "8180:80", "-p", "127.0.0.1::90/udp", "--expose", "70"])
            for address in ["127.0.0.1", LocalNetwork.hostAddress] { #expect(try Self.answers(run, address, 8180)) }
            #expect(
                try run(["port", "web"]).stdout
                    == "80/tcp -> 0.0.0.0:8180\n80/tcp -> [::]:8180\n90/udp -> 127.0.0.1:32768\n")
            #expect(
                try run(["ps", "--format", "{{.Ports}}"]).stdout
                    == "70/tcp, 0.0.0.0:8180->80/tcp, [::]:8180->80/tcp, 127.0.0.1:32768->90/udp\n")
            #expect(
                try run(["inspect", "-f", "{{json .NetworkSettings.Ports}}", "web"]).stdout.contains("\"70/tcp\":null"))
            #expect(try Self.holders(run).count == 1)
            // Taken: nothing is started.
            let second = try run(["run", "--rm", "--network", program, "-p", "8180:80", Self.image, "true"])
            #expect(second.status == 125)
            #expect(
                second.stderr.contains("Bind for 0.0.0.0:8180 failed: port is already allocated (by container web)"),
                "\(second)")
            #expect(try run(["stop", "-t", "0", "web"]).status == 0)
            #expect(try Self.holders(run).isEmpty)
            #expect(try Self.read(run, "127.0.0.1", 8180) == nil)
            #expect(try run(["port", "web"]).stdout == "")
            #expect(try run(["start", "web"]).status == 0)
            #expect(try Self.answers(run, "127.0.0.1", 8180))
        }
    }

    @Test func allExposedPortsAtOnce() throws {
        try Self.isolated { _, run in
            try Self.start(run, ["-P", "--expose", "80", "--expose", "53/udp"])
            let lines = try run(["port", "web"]).lines
            #expect(
                lines == [
                    "53/udp -> 0.0.0.0:32768", "53/udp -> [::]:32768", "80/tcp -> 0.0.0.0:32769",
                    "80/tcp -> [::]:32769",
                ])
            #expect(try Self.answers(run, "127.0.0.1", 32_769))
        }
    }

    @Test func portsOfRootAreRootsOwn() throws {
        try Self.isolated { _, run in
            let output = try run(["run", "--rm", "--name", "low", "-p", "80:80", Self.image, "true"])
            #expect(output.status == 125)
            #expect(
                output.stderr.contains("on endpoint low: failed to bind host port for 0.0.0.0:80:")
                    && output.stderr.contains("sudo sysctl net.ipv4.ip_unprivileged_port_start=80"), "\(output)")
            #expect(try run(["ps", "-aq"]).stdout == "")
        }
    }

    /// A start after an end finds its ports free, however little time lies between.
    @Test func aRestartHasThePortAgain() throws {
        try Self.isolated { _, run in
            let line = ["run", "-d", "-q", "--name", "again", "--restart", "on-failure:3", "-p", "8180:80", Self.image]
            let started = try run(line + ["sh", "-c", "exit 3"])
            #expect(started.status == 0, "\(started)")
            let state = ["inspect", "-f", "{{.State.Status}} {{.RestartCount}} {{.State.ExitCode}}", "again"]
            let isOver = try Wait.until(seconds: 20) { try run(state).stdout == "exited 3 3\n" }
            #expect(isOver)
            #expect(try Wait.until(seconds: 10) { try Self.holders(run).isEmpty })
        }
    }

    @Test func aKilledMonitorLeavesNoPort() throws {
        try Self.isolated { _, run in
            try Self.start(run, ["-p", "8180:80"])
            let pid = try #require(Int32(try run(["inspect", "-f", "{{.State.Pid}}", "web"]).lines.first ?? ""))
            kill(try #require(ProcessStatus.parent(pid)), SIGKILL)
            #expect(try Wait.until(seconds: 10) { try Self.holders(run).isEmpty })
            #expect(try Self.read(run, "127.0.0.1", 8180) == nil)
        }
    }
}
