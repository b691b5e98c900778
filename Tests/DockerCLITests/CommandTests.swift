import DockerCLI
import Engine
import Images
import OCI
import TestSupport
import Testing

/// Whole command lines: what is printed where, and the exit code.
@Suite struct CommandTests {
    @Test(
        arguments: [
            (
                "run --foo", 125,
                "unknown flag: --foo\n\nUsage:  runimg run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nRun 'runimg run --help' for more information\n"
            ),
            (
                "run", 1,
                "runimg: 'runimg run' requires at least 1 argument\n\nUsage:  runimg run [OPTIONS] IMAGE [COMMAND] [ARG...]\n\nRun 'runimg run --help' for more information\n"
            ),
            (
                "container run --pid x a", 125,
                "runimg: --pid: invalid PID mode\n\nRun 'runimg container run --help' for more information\n"
            ),
            (
                "run --gpus=all a", 125,
                "runimg: flag --gpus: not supported yet (planned)\n\nRun 'runimg run --help' for more information\n"
            ),
            (
                "rmi -z", 125,
                "unknown shorthand flag: 'z' in -z\n\nUsage:  runimg rmi [OPTIONS] IMAGE [IMAGE...]\n\nRun 'runimg rmi --help' for more information\n"
            ),
            (
                "version x", 1,
                "runimg: 'runimg version' accepts no arguments\n\nUsage:  runimg version [OPTIONS]\n\nRun 'runimg version --help' for more information\n"
            ),
            (
                "--foo", 125,
                "unknown flag: --foo\n\nUsage:  runimg [OPTIONS] COMMAND [ARG...]\n\nRun 'runimg --help' for more information\n"
            ),
            (
                "imges", 1,
                "runimg: unknown command: runimg imges\n\nDid you mean this?\n\timages\n\timage\n\nRun 'runimg --help' for more information\n"
            ),
            (
                "image lls", 1,
                "runimg: unknown command: runimg image lls\n\nDid you mean this?\n\tls\n\nRun 'runimg --help' for more information\n"
            ),
            (
                "zzzzzzzzzz", 1,
                "runimg: unknown command: runimg zzzzzzzzzz\n\nRun 'runimg --help' for more information\n"
            ),
            (
                "builder prune", 125,
                "runimg: command builder prune: not supported yet (planned)\n\nRun 'runimg --help' for more information\n"
            ),
            (
                "swarm init", 1,
                "runimg: command swarm is not supported: clusters are not part of runimg\n\nRun 'runimg --help' for more information\n"
            ),
            (
                "-H tcp://x ps", 1,
                "runimg: flag -H, --host: there is no daemon to connect to; containers run on this machine\n\nRun 'runimg --help' for more information\n"
            ),
            (
                "-l foo images", 1,
                "runimg: Unable to parse logging level: foo\n\nRun 'runimg --help' for more information\n"
            ),
            (
                "-s aufs images", 1,
                "runimg: storage driver aufs was removed upstream, use overlay2\n\nRun 'runimg --help' for more information\n"
            ),
            (
                "-s vfs images", 1,
                "runimg: storage driver vfs is not supported, use overlay2, fuse-overlayfs, copyup\n\nRun 'runimg --help' for more information\n"
            ),
            (
                "--registry-mirror ftp://x pull a", 125,
                "invalid argument \"ftp://x\" for \"--registry-mirror\" flag: invalid mirror: want a URL that starts with http:// or https://\n\nUsage:  runimg [OPTIONS] COMMAND [ARG...]\n\nRun 'runimg --help' for more information\n"
            ),
            ("help foo", 1, "unknown help topic: foo\n"),
            ("pull -a alpine:3", 1, "runimg: tag can't be used with --all-tags/-a\n"),
            (
                "pull", 1,
                "runimg: 'runimg pull' requires at least 1 argument\n\nUsage:  runimg pull [OPTIONS] NAME[:TAG|@DIGEST] [NAME...]\n\nRun 'runimg pull --help' for more information\n"
            ),
            (
                "-it=false run -it a", 125,
                "unknown shorthand flag: 'i' in -it=false\n\nUsage:  runimg [OPTIONS] COMMAND [ARG...]\n\nRun 'runimg --help' for more information\n"
            ),
            ("run -it alpine", 1, "the input device is not a TTY\n"),
            (
                "run --network -mine a", 125,
                "runimg: network -mine not found\n\nRun 'runimg run --help' for more information\n"
            ),
        ] as [(String, Int32, String)])
    func refuses(_ line: String, _ code: Int32, _ message: String) {
        let bench = Bench()
        #expect(bench.run(line) == code)
        #expect(bench.errors.text == message)
        #expect(bench.output.text.isEmpty)
        #expect(bench.engine.ran.isEmpty && bench.engine.pulled.isEmpty && bench.engine.removed.isEmpty)
    }

    @Test func help() {
        for line in ["", "--help", "help", "-h"] {
            let bench = Bench()
            #expect(bench.run(line) == 0)
            #expect(
                bench.output.text.hasPrefix(
                    "Usage:  runimg [OPTIONS] COMMAND [ARG...]\n\nContainers without a daemon\n\nCommands:\n  run "))
        }
        let topic = Bench()
        #expect(topic.run("help run") == 0)
        let flag = Bench()
        #expect(flag.run("run --help") == 0)
        #expect(topic.output.text == flag.output.text)
        let group = Bench()
        #expect(group.run("image") == 0 && group.output.text.hasPrefix("Usage:  runimg image COMMAND\n"))
        #expect(Bench().run("help image") == 0)
    }

    @Test func runPassesTheRequestAndTheCode() {
        let bench = Bench()
        bench.engine.exitCode = 42
        #expect(bench.run("run --rm alpine sh -c true") == 42)
        #expect(bench.engine.ran.map(\.image) == ["alpine"] && bench.engine.ran[0].command == ["sh", "-c", "true"])
        #expect(bench.output.text.isEmpty && bench.errors.text.isEmpty)
    }

    @Test func runReportsTheEnginesErrors() {
        let bench = Bench()
        bench.engine.failure = PlainFailure(description: "no space")
        #expect(bench.run("run alpine") == 125)
        #expect(bench.errors.text == "runimg: no space\n\nRun 'runimg run --help' for more information\n")
        bench.engine.failure = CodedFailure(description: "exec: \"x\": not found", exitCode: 127)
        #expect(bench.run("run alpine x") == 127)
    }

    @Test func runPullsToStandardError() {
        let bench = Bench()
        bench.engine.events = [
            .imageMissing("alpine:latest"), .pull(.pulling(tag: "latest", repository: "library/alpine")),
            .pull(.status("Downloaded newer image for alpine:latest")),
        ]
        #expect(bench.run("run alpine") == 0)
        #expect(bench.output.text.isEmpty)
        #expect(
            bench.errors.text
                == "Unable to find image 'alpine:latest' locally\nlatest: Pulling from library/alpine\nStatus: Downloaded newer image for alpine:latest\n"
        )
        let quiet = Bench()
        quiet.engine.events = bench.engine.events
        #expect(quiet.run("run -q alpine") == 0)
        #expect(quiet.output.text.isEmpty && quiet.errors.text.isEmpty)
    }

    @Test func runWarns() {
        let bench = Bench()
        #expect(bench.run("run -p 80:80 --network host alpine --registry-mirror=http://x") == 0)
        #expect(
            bench.errors.text == """
                WARNING: Published ports are discarded when using host network mode
                WARNING: --registry-mirror stands behind the image, so the container gets it

                """)
    }

    @Test func environmentChoosesThePlatform() {
        var bench = Bench()
        bench.environment = ["DOCKER_DEFAULT_PLATFORM": "linux/arm64", "DOCKER_HOST": "tcp://far:2375"]
        #expect(bench.run("run alpine") == 0 && bench.run("pull --platform linux/amd64 -q alpine") == 0)
        #expect(bench.engine.ran[0].platform == Platform(os: "linux", architecture: "arm64", variant: "v8"))
        #expect(bench.engine.pulled[0].platform == Platform(os: "linux", architecture: "amd64"))
        #expect(bench.errors.text.hasPrefix("WARNING: DOCKER_HOST is not used"))
        var trusting = Bench()
        trusting.environment = ["DOCKER_CONTENT_TRUST": "1"]
        #expect(trusting.run("pull alpine") == 1 && trusting.engine.pulled.isEmpty)
        #expect(trusting.errors.text.hasPrefix("runimg: DOCKER_CONTENT_TRUST: content trust is not available"))
    }

    @Test func pullsSeveral() {
        let bench = Bench()
        bench.engine.events = [
            .pull(.pulling(tag: "latest", repository: "library/alpine")),
            .pull(.layer(id: "c926b61bad3b", state: .pulling)),
        ]
        #expect(bench.run("pull --registry-mirror http://m/ alpine oci:/x:1") == 0)
        #expect(bench.engine.pulled.map(\.source) == ["alpine", "oci:/x:1"])
        #expect(bench.engine.pulled.allSatisfy { $0.registryRules == .hubMirrors(["http://m"]) })
        #expect(
            bench.output.text.hasPrefix("latest: Pulling from library/alpine\nc926b61bad3b: Pulling fs layer\n"))
    }

    @Test func pullsWhatAListNames() throws {
        var bench = Bench()
        let scratch = try Scratch()
        let list = try scratch.file("list", "# ours\n\n  a:1\nb # that one\r\n\t#c\na:1\nd#e\n")
        #expect(bench.run("pull x -f \(list)") == 1)
        #expect(bench.errors.text.hasPrefix("runimg: \(list):6: invalid reference format"), "\(bench.errors.text)")
        #expect(bench.engine.pulled.isEmpty)
        try scratch.file("list", "# ours\n\n  a:1\nb # that one\r\n\t#c\na:1\n")
        #expect(bench.run("pull x -f \(list)") == 0)
        #expect(bench.engine.pulled.map(\.source) == ["x", "a:1", "b"])
        bench.lines = ["y", "", "#z"]
        #expect(bench.run("pull -q --file -") == 0)
        #expect(bench.engine.pulled.last?.source == "y")
        #expect(bench.run("pull -f \(scratch("none"))") == 1)
        #expect(bench.errors.text.contains("runimg: read the list \(scratch("none")): no such file"))
        #expect(bench.run("pull") == 1)
        #expect(bench.errors.text.contains("'runimg pull' requires at least 1 argument"))
    }

    @Test func oneFailureOfSeveralStopsNoOther() {
        let bench = Bench()
        bench.engine.pullFailures = ["b": .worker(message: "manifest for b:latest not found", kind: .notFound)]
        #expect(bench.run("pull -q a b c") == 1)
        #expect(bench.engine.pulled.count == 3)
        #expect(bench.errors.text == "runimg: b: manifest for b:latest not found\n")
        bench.engine.pullFailures["a"] = .worker(message: "interrupted", kind: .interrupted)
        #expect(bench.run("pull a b") == 130)
        let alone = Bench()
        alone.engine.pullFailures = bench.engine.pullFailures
        #expect(alone.run("pull b") == 1)
        #expect(alone.errors.text == "runimg: manifest for b:latest not found\n")
    }

    @Test func pullRefusesBadNames() {
        let bench = Bench()
        #expect(bench.run("pull ALPINE") == 1)
        #expect(bench.errors.text.hasPrefix("runimg: invalid reference format"))
        #expect(bench.engine.pulled.isEmpty)
    }

    @Test func removesSeveral() throws {
        let bench = Bench()
        let id = Digest.of("x".utf8)
        bench.engine.removals = ["a": [.untagged("a:latest"), .deleted(id)], "c": []]
        #expect(bench.run("rmi a nosuch c") == 1)
        #expect(bench.output.text == "Untagged: a:latest\nDeleted: \(id)\n")
        #expect(bench.errors.text == "runimg: No such image: nosuch\n")
        #expect(bench.engine.removed == ["a false true", "nosuch false true", "c false true"])
        let forced = Bench()
        forced.engine.removals = bench.engine.removals
        #expect(forced.run("image rm -f --no-prune nosuch a") == 0)
        #expect(forced.output.text == bench.output.text && forced.errors.text == bench.errors.text)
        #expect(forced.engine.removed == ["nosuch true false", "a true false"])
        // Only what is not there is no failure.
        #expect(forced.run("rmi -f nosuch damaged") == 1)
    }

    @Test func tags() {
        let bench = Bench()
        #expect(bench.run("tag a:1 host:5000/b") == 0 && bench.run("image tag 0123 c:2") == 0)
        #expect(bench.engine.tagged == ["a:1 host:5000/b", "0123 c:2"])
        #expect(bench.output.text.isEmpty && bench.errors.text.isEmpty)
        #expect(bench.run("tag a") == 1)
        #expect(bench.errors.text.hasPrefix("runimg: 'runimg tag' requires 2 arguments\n"))
    }

    @Test func version() {
        let bench = Bench()
        #expect(bench.run("--version") == 0 && bench.run("-v") == 0)
        #expect(bench.output.text == "Runimg version 1.2.3, build abc1234\nRunimg version 1.2.3, build abc1234\n")
        let template = Bench()
        #expect(
            template.run(["version", "-f", "{{.Server.Version}} {{.Client.ApiVersion}} {{json .Server.Platform}}"]) == 0
        )
        #expect(template.output.text == "1.2.3 1.49 {\"Name\":\"runimg\"}\n")
        #expect(Bench().run(["version", "-f", "{{.Foo"]) == 64)
        let text = Bench()
        #expect(text.run("version") == 0)
        #expect(text.output.text.contains("\n OS/Arch:           linux/amd64\n"))
    }

    @Test func info() {
        let bench = Bench()
        bench.engine.systemInfo.securityOptions = ["name=seccomp,profile=builtin"]
        bench.engine.systemInfo.memoryTotal = 8_184_000_000
        bench.engine.systemInfo.insecureRegistries = ["127.0.0.0/8", "foo:5000"]
        bench.engine.systemInfo.warnings = ["no swap limit"]
        #expect(bench.run("system info") == 0)
        #expect(
            bench.output.text.contains(" Total Memory: 7.622GiB\n")
                && bench.output.text.contains("  seccomp\n   Profile: builtin\n"))
        #expect(bench.errors.text == "WARNING: no swap limit\n")
        let json = Bench()
        json.engine.systemInfo = bench.engine.systemInfo
        #expect(
            json.run([
                "info", "-f",
                "{{.Driver}} {{.MemTotal}} {{json .RegistryConfig.InsecureRegistryCIDRs}} {{json .Swarm.LocalNodeState}}",
            ]) == 0)
        #expect(json.output.text == "overlay2 8184000000 [\"127.0.0.0/8\"] \"inactive\"\n")
    }

    @Test func globalFlagsReachTheEngine() {
        let bench = Bench()
        var seen: GlobalOptions?
        let context = CommandContext(
            program: "runimg", output: bench.output, errors: bench.errors, environment: { _ in nil }, now: { 0 },
            standardInputIsTerminal: false,
            makeEngine: { options in
                seen = options
                return bench.engine
            })
        let line = [
            "--graph", "/d", "--config-file", "/c", "--config=/h", "-D", "--registry-mirror", "https://m",
            "--insecure-registry", "r:5", "images",
        ]
        #expect(DockerCLI.main(line, context) == 0)
        var expected = GlobalOptions()
        expected.dataRoot = "/d"
        expected.configFile = "/c"
        expected.dockerConfigDirectory = "/h"
        expected.logLevel = .debug
        expected.registryRules = .hubMirrors(["https://m"])
        expected.insecureRegistries = ["r:5"]
        #expect(seen == expected)
        #expect(bench.errors.text == "Flag --graph has been deprecated, use --data-root instead\n")
    }
}
