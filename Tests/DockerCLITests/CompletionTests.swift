import DockerCLI
import Engine
import OCI
import Testing

/// What is offered for a word of a command line, by the program alone.
@Suite struct CompletionTests {
    private static func bench() throws -> Bench {
        let image = try Digest(parsing: "sha256:" + String(repeating: "f", count: 64))
        func container(_ name: String, _ digit: Character, _ condition: ContainerCondition) -> ContainerSummary {
            var summary = ContainerSummary(
                id: String(repeating: digit, count: 64), name: name, created: "2025-11-21T15:00:00Z", image: image)
            summary.condition = condition
            summary.imageName = "alpine"
            return summary
        }
        let bench = Bench()
        var frozen = container("frozen", "3", .running(pid: 7, startedAt: ""))
        frozen.isPaused = true
        bench.engine.containers = [
            container("web", "1", .running(pid: 5, startedAt: "")), container("old", "2", .exited), frozen,
            container("looping", "4", .restarting),
        ]
        bench.engine.summaries = [ImageSummary(id: image)]
        bench.engine.summaries[0].repoTags = ["alpine:3", "shop/front:1"]
        for name in ["front", "back"] { _ = try bench.engine.createNetwork(NetworkRequest(name: name)) }
        for name in ["data", "logs"] { _ = try bench.engine.createVolume(name, labels: [:]) }
        bench.engine.files = ["web:/etc/": [NamedFile(name: "a b", isDirectory: false)]]
        return bench
    }

    /// The candidates for the last of the words, and the directive.
    private static func offered(_ words: [String]) throws -> [String] {
        let bench = try bench()
        #expect(bench.run(["__complete", "fish"] + words) == 0)
        #expect(bench.errors.text.isEmpty)
        return bench.output.text.split(separator: "\n").map { String($0.prefix { $0 != "\t" }) }
    }

    private static func offered(_ line: String) throws -> [String] {
        try offered(line.split(separator: " ", omittingEmptySubsequences: false).map(String.init))
    }

    @Test(arguments: [
        ("stop ", ["web", "frozen", "looping"]), ("exec -it w", ["web"]), ("start ", ["old"]),
        ("unpause ", ["frozen"]), ("rm -f ", ["web", "old", "frozen", "looping"]), ("rm web o", ["old"]),
        ("container rm w", ["web"]), ("rm 22", ["222222222222"]), ("rename web ", []), ("rename web x ", []),
        ("rmi ", ["alpine:3", "shop/front:1"]), ("run al", ["alpine:3"]), ("run alpine:3 ", []),
        ("run alpine:3 --", []), ("create --name x alp", ["alpine:3"]), ("volume rm ", ["data", "logs"]),
        ("network rm ", ["front", "back"]), ("run --network fr", ["front"]), ("network connect back w", ["web"]),
        ("ps --filter network=b", ["network=back"]),
        ("inspect ", ["web", "old", "frozen", "looping", "alpine:3", "shop/front:1", "front", "back", "data", "logs"]),
        ("--data-root /x stop w", ["web"]), ("-D -l debug stop w", ["web"]), ("-- stop w", ["web"]),
        ("kill -s SIGW", ["SIGWINCH"]), ("kill --signal=WI", ["--signal=WINCH"]), ("stop -s TER", ["TERM"]),
        ("run --restart al", ["always"]), ("run --log-driver j", ["json-file"]), ("run --network h", ["host"]),
        ("run --cap-add NET_B", ["NET_BIND_SERVICE", "NET_BROADCAST"]),
        ("run --log-opt max-", ["max-size=", "max-file="]),
        ("run --ulimit nof", ["nofile="]), ("run --pull n", ["never"]), ("ps --filter st", ["status="]),
        ("ps --filter status=ru", ["status=running"]), ("ps --filter=status=ru", ["--filter=status=running"]),
        ("start --all --filter restart-policy=un", ["restart-policy=unless-stopped"]),
        ("ps --filter ancestor=al", ["ancestor=alpine:3"]), ("volume ls --filter dangling=t", ["dangling=true"]),
        ("ps --format j", ["json"]), ("cp w", ["web:"]), ("cp web:/etc/a", ["web:/etc/a b"]), ("cp old:/etc/a", []),
        ("logs --ta", ["--tail"]), ("logs --tail=a", ["--tail=all"]), ("logs --tail 5 --ta", []),
        ("logs --timestamps=t", ["--timestamps=true"]), ("ps -a --a", []), ("completion z", ["zsh"]),
        ("help vol", ["volume"]), ("help volume cr", ["create"]), ("help ps ", []), ("swarm ", []), ("build ", []),
        ("nonsense ", []), ("nonsense --", []), ("stop --nonsense=", []),
    ])
    func offers(_ line: String, _ expected: [String]) throws {
        let found = try Self.offered(line)
        let candidates = Array(found.dropLast())
        // Files come beside a container's name in `cp`.
        #expect(candidates == expected, "\(line)")
        #expect(found.last?.hasPrefix(":") == true)
    }

    @Test func commandsAreThoseOfTheHelp() throws {
        let top = try Self.offered("")
        #expect(Set(["run", "ps", "container", "volume", "help"]).isSubset(of: top))
        #expect(Set(top).isDisjoint(with: ["build", "swarm", "__complete", "monitor-end", "builder"]))
        let members = try Self.offered("volume ")
        #expect(members == ["create", "exists", "inspect", "ls", "list", "prune", "rm", "remove", ":none 0"])
    }

    @Test func flagsAreThoseOfTheHelp() throws {
        for (path, command) in CommandTable.entries.compactMap({ entry in entry.command.map { (entry.path, $0) } }) {
            let found = Set(try Self.offered(path.split(separator: " ").map(String.init) + ["--"]))
            for flag in command.flagInfos {
                let isShown = !flag.hidden && flag.availability == .supported
                #expect(found.contains("--\(flag.name)") == isShown, "\(path) --\(flag.name)")
            }
        }
        #expect(try Self.offered("ps -").contains("-a"))
    }

    @Test(arguments: [
        ("run --env-file ", ":files 0"), ("run --env-file=x", ":files 11"), ("--data-root ", ":directories 0"),
        ("--data-root=", ":directories 12"), ("run -v ", ":directories 0"), ("run -v data:/", ":none 0"),
        ("run --security-opt seccomp=/e", ":files 8"), ("run --security-opt=seccomp=/e", ":files 23"),
        ("cp ", ":files 0"), ("cp /e", ":files 0"), ("cp web:/e", ":none 0"), ("run alpine:3 ", ":none 0"),
    ])
    func leavesPathsToTheShell(_ line: String, _ directive: String) throws {
        #expect(try Self.offered(line).last == directive)
    }

    @Test(arguments: [
        (#"runimg stop we"#, "web"), (#"runimg "--data-root" '/a b' stop we"#, "web"),
        (#"X=1 Y='a b' /opt/bin/runimg stop we"#, "web"), (#"runimg stop "we"#, "web"), (#"runimg sto\p we"#, "web"),
        // Readline replaces only what is behind the last break character.
        (#"runimg kill --signal=WI"#, "WINCH"), (#"runimg ps --filter status=ru"#, "running"),
        (#"runimg rmi alpine:"#, "3"), (#"runimg rmi alpine\:"#, "alpine:3"), (#"runimg cp web:/etc/"#, #"/etc/a\ b"#),
        // Not to be said inside quotes without harm.
        (#"runimg cp "web:/etc/"#, nil), (#"runimg $(touch x) stop "#, nil), (#"runimg stop $(touch x)"#, nil),
    ])
    func takesALineOfBash(_ line: String, _ expected: String?) throws {
        let bench = try Self.bench()
        #expect(bench.run(["__complete", "bash", line, " \t\n\"'><=;|&(:"]) == 0)
        let lines = bench.output.text.split(separator: "\n").map(String.init)
        #expect(lines.dropLast().first == expected && lines.count <= 2, "\(lines)")
    }

    @Test func whatCantBeSaidOnALineIsNotOffered() throws {
        let bench = try Self.bench()
        bench.engine.files = [
            "web:/": ["new\nline", "esc\u{1b}[2J", "tab\there", "plain"].map { NamedFile(name: $0, isDirectory: true) }
        ]
        #expect(bench.run(["__complete", "zsh", "cp", "web:/"]) == 0)
        #expect(bench.output.text == "web:/plain/\n:none 0\n")
    }

    @Test func anErrorIsNoCandidate() {
        let errors = BufferOutput()
        let output = BufferOutput()
        let context = CommandContext(
            program: "runimg", output: output, errors: errors, environment: { _ in "tcp://elsewhere" }, now: { 0 },
            standardInputIsTerminal: false, makeEngine: { _ in throw PlainFailure(description: "no engine") })
        #expect(DockerCLI.main(["__complete", "zsh", "stop", ""], context) == 0)
        #expect(output.text == ":none 0\n" && errors.text.isEmpty)
        #expect(DockerCLI.main(["__complete", "tcsh", "stop", ""], context) == 1)
        #expect(errors.text.isEmpty)
    }
}
