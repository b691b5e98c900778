internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `logs` on real containers.
    @Suite(.enabled(if: Conditions.canRun, "needs root, overlayfs, the executables and the fixture images"))
    struct LogsTests {
        private func runimg() throws -> Runimg { try EndToEnd.engine.runimg }

        /// A detached container of a shell; its name.
        private func start(_ flags: [String] = [], _ script: String) throws -> String {
            let engine = try EndToEnd.engine
            let name = "logs-\(Random.hex(bytes: 6))"
            let output = try engine.runimg.run(
                ["run", "-d", "--name", name] + flags + [engine.image, "sh", "-c", script])
            guard output.status == 0 else { throw Tool.Failure(output: output) }
            return name
        }

        private func remove(_ names: String...) {
            for name in names { _ = try? runimg().run(["rm", "-f", name]) }
        }

        private func finished(_ flags: [String] = [], _ script: String) throws -> String {
            let name = try start(flags, script)
            try runimg().check("wait", name)
            return name
        }

        @Test func whatAContainerWroteIsShownOnItsOwnStreams() throws {
            let name = try finished([], "echo out; echo err >&2; printf 'no end'")
            defer { remove(name) }
            let output = try runimg().check("logs", name)
            #expect(output.stdout == "out\nno end")
            #expect(output.stderr == "err\n")
            let last = try runimg().check("logs", "-n", "1", name)
            #expect(last.stdout + last.stderr == "no end")
            #expect(try runimg().check("logs", "--tail", "0", name).stdout.isEmpty)
        }

        @Test func timesBeginLines() throws {
            let name = try finished([], "echo one; sleep 0.2; echo two")
            defer { remove(name) }
            let lines = try runimg().check("logs", "-t", name).lines
            #expect(lines.map { $0.drop { $0 != " " } } == [" one", " two"])
            let stamp = #/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z/#
            let times = lines.map { String($0.prefix { $0 != " " }) }
            #expect(times.allSatisfy { $0.wholeMatch(of: stamp) != nil })
            #expect(try runimg().check("logs", "--since", times[1], name).stdout == "two\n")
            #expect(try runimg().check("logs", "--until", times[0], name).stdout == "one\n")
            #expect(try runimg().check("logs", "--since", "1h", name).stdout == "one\ntwo\n")
            #expect(try runimg().check("logs", "--until", "1h", name).stdout.isEmpty)
        }

        @Test func aTerminalsOutputGoesToStandardOutput() throws {
            let name = try finished(["-t"], "echo out; echo err >&2")
            defer { remove(name) }
            let output = try runimg().check("logs", name)
            #expect(output.stdout == "out\r\nerr\r\n")
            #expect(output.stderr.isEmpty)
        }

        @Test func detailsAreWhatLogOptionsAskFor() throws {
            let flags = [
                "--label", "a=1", "--label", "b=x y&z", "-e", "MODE=fast", "--log-opt", "labels=a,b,missing",
                "--log-opt", "env=MODE", "--log-opt", "tag={{.Name}}",
            ]
            let name = try finished(flags, "echo hi")
            defer { remove(name) }
            let output = try runimg().check("logs", "--details", name)
            #expect(output.stdout == "MODE=fast,a=1,b=x+y%26z,tag=\(name) hi\n")
        }

        @Test(arguments: ["json-file", "local"]) func patternsChooseDetails(_ driver: String) throws {
            let flags = [
                "--log-driver", driver, "--label", "com.one=1", "--label", "com.two=2", "--label", "net=3",
                "--label", "kept=4", "-e", "PORT1=a", "-e", "PORTX=b", "--log-opt", "labels=kept",
                "--log-opt", "labels-regex=^(?:com|org)\\.", "--log-opt", #"env-regex=^PORT\d$"#,
                "--log-opt", "tag={{.ImageName}}/{{.Name}}",
            ]
            let name = try finished(flags, "echo hi")
            defer { remove(name) }
            let image = try #require(
                try runimg().check("inspect", "-f", "{{.Config.Image}}", name).lines.first)
            let output = try runimg().check("logs", "--details", name)
            #expect(
                output.stdout
                    == "PORT1=a,com.one=1,com.two=2,kept=4,tag=\(image.replacing(":", with: "%3A"))%2F\(name) hi\n")
        }

        @Test(arguments: [
            ("labels-regex=(", "it is not a regular expression"), ("env-regex=[", "it is not a regular expression"),
            ("tag={{.Nope}}", "are known"), ("max-size=much", "invalid size: 'much'"),
            ("max-file=0", "max-file cannot be less than 1"), ("colour=red", "unknown log opt 'colour'"),
        ])
        func wrongOptionsAreRefusedBeforeAnythingIsMade(_ option: String, _ message: String) throws {
            let name = "never-\(Random.hex(bytes: 6))"
            let output = try runimg().run(
                ["create", "--name", name, "--log-opt", option, EndToEnd.engine.image, "true"])
            #expect(output.status != 0 && output.stderr.contains(message), "\(output)")
            #expect(try runimg().run(["container", "exists", name]).status == 1)
        }

        @Test func whatCanNotBeReadIsSaidAsDockerSaysIt() throws {
            let name = try finished(["--log-driver", "none"], "echo hi")
            defer { remove(name) }
            let silent = try runimg().run(["logs", name])
            #expect(silent.status == 1)
            #expect(silent.stderr == "runimg: configured logging driver does not support reading\n")
            let missing = try runimg().run(["logs", "nosuch"])
            #expect(missing.status == 1)
            #expect(missing.stderr.contains("No such container: nosuch"))
            let wrong = try runimg().run(["logs", "--since", "abc", name])
            #expect(wrong.status == 1)
            #expect(
                wrong.stderr.contains(
                    #"invalid value for "since": failed to parse value as time or duration: "abc""#))
        }

        @Test func severalContainersAreToldApart() throws {
            let one = try finished([], "echo 1")
            let two = try finished([], "echo 2")
            defer { remove(one, two) }
            #expect(try runimg().check("logs", one, two).stdout == "\(one) 1\n\(two) 2\n")
            #expect(try runimg().check("logs", "-f", "--names", one).stdout == "\(one) 1\n")
        }

        @Test("F24: following ends with the container, and with its last line")
        func followingEndsWithTheContainer() throws {
            let name = try start([], "i=0; while [ $i -lt 300 ]; do echo $i; i=$((i + 1)); done; sleep 0.3; echo end")
            defer { remove(name) }
            let output = try runimg().check("logs", "-f", name)
            #expect(output.lines == (0..<300).map(String.init) + ["end"])
        }

        @Test("F24: rotation while following loses no line")
        func rotationWhileFollowing() throws {
            let script = "i=0; while [ $i -lt 6000 ]; do echo line $i; i=$((i + 1)); done"
            let name = try start(
                ["--log-opt", "max-size=20k", "--log-opt", "max-file=100"], "read x < /dev/null; sleep 0.5; \(script)")
            defer { remove(name) }
            let output = try runimg().check("logs", "-f", name)
            #expect(output.lines == (0..<6000).map { "line \($0)" })
            #expect(output.stderr.isEmpty)
            #expect(try logFiles(name).count > 10)
        }

        @Test("F24: a container that is removed ends its followers with the last line")
        func removalEndsFollowers() throws {
            let name = try start(["--rm"], "echo first; sleep 0.5; echo last")
            defer { remove(name) }
            #expect(try runimg().check("logs", "-f", name).stdout == "first\nlast\n")
            let other = try start([], "echo first; exec sleep 60")
            defer { remove(other) }
            var follower = try runimg().start("logs", "-f", other)
            let sees = try Wait.until(seconds: 20) { try runimg().startedOutput == "first\n" }
            #expect(sees)
            try runimg().check("rm", "-f", other)
            #expect(try follower.wait(seconds: 20) == .exited(0))
        }

        @Test("F24: a restart by the container's policy is followed through")
        func restartsAreFollowed() throws {
            let name = try start(["--restart", "on-failure:2"], "echo again; exit 1")
            defer { remove(name) }
            #expect(try runimg().check("logs", "-f", name).stdout == "again\nagain\nagain\n")
        }

        @Test("F23: the log is capped by default, and each file begins and ends with a whole entry")
        func theLogIsCapped() throws {
            let name = try finished(
                ["--log-opt", "max-size=100k"], "yes 0123456789012345678901234567890123456789 | head -n 50000")
            defer { remove(name) }
            let files = try logFiles(name)
            #expect(files.count == 3)
            let sizes = try files.map { try File.status($0).size }
            #expect(sizes.allSatisfy { $0 < 110_000 })
            #expect(try runimg().check("logs", name).lines.allSatisfy { $0.hasSuffix("6789") && $0.count == 40 })
        }

        @Test("F23: a reader that reads nothing stops neither the container nor others")
        func aReaderThatReadsNothing() throws {
            let name = try start(
                ["--log-opt", "max-size=50k"], "sleep 0.3; yes 01234567890123456789 | head -n 50000; echo end")
            defer { remove(name) }
            let pipe = try Pipe()
            var follower = try ChildProcess(
                Runimg.path, Array(runimg().command(["logs", "-f", name]).dropFirst()),
                environment: Tool.baseEnvironment, output: .descriptor(pipe.writer.raw))
            #expect(try runimg().check("wait", name, timeout: 60).stdout == "0\n")
            #expect(try runimg().check("logs", "-n", "1", name).stdout == "end\n")
            try follower.kill()
        }

        @Test("F23: what a container writes comes out whole, whatever it is")
        func anyBytesComeOut() throws {
            let script =
                "head -c 300000 /dev/urandom > /bytes; md5sum < /bytes | cut -c1-32 >&2; base64 /bytes | tr -d '\\n'"
            let name = try finished([], script)
            defer { remove(name) }
            let output = try runimg().check("logs", name)
            #expect(output.stdout.utf8.count == 400_000)
            let sum = try Tool.check(
                "sh", ["-c", "base64 -d | md5sum | cut -c1-32"], input: Array(output.stdout.utf8))
            #expect(sum.stdout == output.stderr)
        }

        /// The newest first.
        private func logFiles(_ name: String) throws -> [String] {
            let id = try File.readLink("\(runimg().dataRoot)/containers/names/\(name)")
            let directory = "\(try runimg().dataRoot)/containers/\(Path.split(id).name)"
            return try Directory.entries(directory).map(\.name).filter { $0.contains("-json.log") }.sorted()
                .map { "\(directory)/\($0)" }
        }
    }
}

/// A log on a disk that is full.
extension EndToEnd {
    @Suite(.enabled(if: Conditions.canRun && LoopDisk.isPossible, "\(LoopDisk.requirements), the executables"))
    struct FullDiskLogTests {
        /// `$2` is the command line of runimg with a data root on the disk, `$3` the fixture's layout, `$4` a directory
        /// elsewhere through which container and script tell each other how far they are.
        private static let script = #"""
            set -e
            r=$2
            $r pull -q "oci:$3:latest" > /dev/null
            id=$($r run -d --log-opt max-size=-1 -v "$4:/signs" "$($r images -q)" sh -c '
                await() { while [ ! -e "/signs/$1" ]; do sleep 0.02; done; }
                lines() { i=0; while [ $i -lt $2 ]; do echo "$1 $i"; i=$((i + 1)); done; }
                lines before 50; touch /signs/filling; await full
                lines during 30000; touch /signs/written; await free
                sleep 1.5; lines after 50')
            while [ ! -e "$4/filling" ]; do sleep 0.02; done
            sleep 0.3
            fill || true
            touch "$4/full"
            while [ ! -e "$4/written" ]; do sleep 0.02; done
            rm "$1"/fill-* "$1"/rest-*
            touch "$4/free"
            $r wait "$id"
            $r logs "$id" 2>&1
            $r rm "$id" > "$4/removed"
            """#

        @Test("F23: a container goes on while the disk of its log is full, and the log says what is missing")
        func aFullDiskStopsNothing() throws {
            let runimg = try Runimg()
            let signs = try Scratch()
            let disk = try LoopDisk(megabytes: 48)
            let program = runimg.command([], dataRoot: disk.dataRoot).joined(separator: " ")
            let output = try disk.run(Self.script, [program, Fixtures.layout("busybox"), signs.path])
            #expect(output.status == 0, "\(output)")
            let lines = output.lines.drop { !$0.hasPrefix("before") }
            #expect(lines.filter { $0.hasPrefix("before ") } == (0..<50).map { "before \($0)" })
            #expect(lines.filter { $0.hasPrefix("after ") } == (0..<50).map { "after \($0)" })
            let during = lines.compactMap { $0.hasPrefix("during ") ? Int($0.dropFirst(7)) : nil }
            let notices = lines.filter { $0.hasPrefix("runimg: ") }
            let lost = notices.compactMap { Int($0.split(separator: " ")[1]) }.reduce(0, +)
            #expect(lost > 0)
            #expect(during == during.sorted())
            #expect(during.count + lost == 30_000)
            #expect(notices.allSatisfy { $0.hasSuffix("of the log lost here: No space left on device") })
        }
    }
}
