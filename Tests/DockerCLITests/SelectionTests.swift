import DockerCLI
import Engine
import Testing

/// Which containers a command is about: podman's `--all`, `--filter`, `--latest` and `--ignore`.
@Suite struct SelectionTests {
    private static func bench() throws -> Bench {
        let bench = try PsCommandTests.bench()
        for index in bench.engine.containers.indices where bench.engine.containers[index].name == "web" {
            bench.engine.containers[index].restart = RestartPolicy(kind: .always)
        }
        return bench
    }

    private static func id(_ digit: Character) -> String { String(repeating: digit, count: 64) }

    @Test(arguments: [
        ("stop --filter label=k=v", "4"), ("stop -f name=web -f name=still", "45"),
        ("kill --filter status=paused", "5"),
        ("stop --all --filter label=x=y", "345"), ("stop -a", "345"), ("kill --filter name=ended", ""),
        ("unpause --all", "5"), ("unpause --filter name=web", ""), ("pause --filter label=x", "4"),
        ("start --filter restart-policy=always", ""), ("start --all --filter restart-policy=no", "21"),
        ("stop --latest --filter status=running", "4"), ("stop -l", "1"), ("stop --filter before=web", "5"),
    ])
    func chooses(_ line: String, _ digits: String) throws {
        let bench = try Self.bench()
        #expect(bench.run(line) == 0, "\(bench.errors.text)")
        #expect(bench.output.text == digits.map { Self.id($0) + "\n" }.joined())
    }

    @Test(arguments: [
        ("stop --filter label=k web", "--filter takes no arguments"), ("stop --all web", "--all takes no arguments"),
        ("kill --latest web", "--latest takes no arguments"),
        ("pause --all --latest", "--all and --latest cannot be used together"),
        ("stop --filter nosuch=1", "invalid filter 'nosuch'"),
        ("stop --filter status=odd", "invalid filter 'status=odd'"),
        ("stop --filter before=nosuch", "No such container: nosuch"),
    ])
    func refuses(_ line: String, _ message: String) throws {
        let bench = try Self.bench()
        #expect(bench.run(line) == 125)
        #expect(bench.errors.text == "runimg: \(message)\n")
        #expect(bench.engine.verbs.isEmpty && bench.engine.usageCalls.isEmpty)
    }

    @Test func aFilterWithoutAValueIsRefused() throws {
        let bench = try Self.bench()
        #expect(bench.run("stop --filter label") == 125)
        #expect(bench.errors.text.contains("bad format of filter (expected name=value)"))
    }

    /// Without --filter those that run are passed over; chosen ones are tried, and refused.
    @Test func removes() throws {
        let bench = try Self.bench()
        #expect(bench.run("rm --filter status=exited") == 0)
        #expect(bench.engine.removedContainers == [Self.id("2")])
        #expect(bench.run("rm -a") == 0)
        #expect(bench.engine.removedContainers == ["2", "1", "2", "3"].map(Self.id))
        #expect(bench.run("rm --filter name=web") == 0)
        #expect(bench.engine.removedContainers.last == Self.id("4"))
    }

    @Test(arguments: [
        ("wait web", "wait web not-running -1"), ("wait --condition running web", "wait web running -1"),
        ("wait --condition=paused,exited --condition created -i 250 web", "wait web paused,exited,created 250000000"),
        ("wait --interval 1.5s --condition next-exit web", "wait web next-exit 1500000000"),
    ])
    func waits(_ line: String, _ call: String) throws {
        let bench = try Self.bench()
        #expect(bench.run(line) == 0, "\(bench.errors.text)")
        #expect(bench.output.text == "7\n")
        #expect(bench.engine.verbs == [call])
    }

    @Test func waitRefuses() throws {
        let bench = try Self.bench()
        #expect(bench.run("wait --condition bogus web") == 1)
        #expect(bench.errors.text == "runimg: unknown container state: bogus: invalid argument\n")
        #expect(bench.run("wait -i soon web") == 125)
        #expect(bench.errors.text.contains("time: invalid duration \"soon\""))
        #expect(bench.run("wait nosuch") == 1)
        // podman's code for one that is not there.
        #expect(bench.run("wait --ignore nosuch web") == 0)
        #expect(bench.output.text == "-1\n7\n")
    }

    @Test func exposedPorts() throws {
        let bench = try Self.bench()
        #expect(bench.run("ps -q --filter expose=53/udp") == 0)
        #expect(bench.output.text == "444444444444\n")
    }
}
