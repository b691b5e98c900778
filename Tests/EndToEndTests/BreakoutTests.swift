internal import Glibc
internal import Sys
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// Ways out of a container that need a caller, a sibling or a terminal beside it.
    @Suite struct Breakouts {
        /// Runs `runimg run --rm FLAGS IMAGE COMMAND` with descriptors 3 to 99 open: directories of the canary, and sockets.
        private static func runHolding(_ canary: Canary, _ flags: [String], _ command: String...) throws -> Tool.Output
        {
            let engine = try engine
            let script = """
                import os, socket, sys
                sockets = socket.socketpair()
                directory = os.open(sys.argv[1], os.O_RDONLY | os.O_DIRECTORY)
                high = [os.dup2(fd, 100 + i) for i, fd in enumerate((directory, sockets[0].fileno()))]
                for fd in range(3, 100):
                    os.dup2(high[fd % 8 == 7], fd, inheritable=True)
                os.closerange(100, 110)
                os.execv(sys.argv[2], sys.argv[2:])
                """
            let globals = ["--data-root", engine.runimg.dataRoot, "--config-file", engine.runimg.configFile]
            return try Tool.run(
                "python3",
                ["-c", script, canary.path, Runimg.path] + globals + ["run", "--rm"] + flags + [engine.image] + command)
        }

        private static func expectUntouched(_ canary: Canary, location: SourceLocation = #_sourceLocation) throws {
            for change in try canary.changes() {
                Issue.record("the host was changed: \(change)", sourceLocation: location)
            }
        }

        @Test(
            "R3: of the caller's descriptors only 0, 1 and 2 are inside",
            arguments: [[], ["--init"], ["-i"], ["-u", "alice"], ["--privileged"]])
        func noDescriptorIsInherited(_ flags: [String]) throws {
            let canary = try Canary()
            let output = try Self.runHolding(canary, flags, "/probe")
            let descriptors = Probe(output.stdout).all("fd.")
            #expect(Set(descriptors.keys) == ["0", "1", "2"], "\(output)")
            #expect(!descriptors.values.contains { $0.contains(canary.path) || $0.hasPrefix("socket:") })
            // Nor has the one that stays process 1.
            let first = try Self.runHolding(canary, flags, "sh", "-c", "ls -l /proc/1/fd; true")
            #expect(first.status == 0 && !first.stdout.contains(canary.path) && !first.stdout.contains("socket:"))
        }

        @Test("R2: a descriptor of the caller's is no working directory", arguments: 3...30)
        func noDescriptorIsTheWorkingDirectory(_ number: Int) throws {
            let canary = try Canary()
            let look = "pwd; ls; cd ../../..; ls -d work"
            let output = try Self.runHolding(canary, ["-w", "/proc/self/fd/\(number)"], "sh", "-c", look)
            #expect(!output.stdout.contains("setuid") && !output.stdout.contains("work"), "\(output)")
            #expect(output.status == 125 || output.stdout.hasPrefix("/proc\n") || output.stdout.hasPrefix("/\n"))
        }

        @Test(
            "R6: nothing is mounted on /proc or below",
            arguments: [
                ["-v", "$:/proc"], ["-v", "$:/proc/self"], ["-v", "$:/proc/self/attr/exec"],
                ["-v", "$:/tmp/../proc/1"],
                ["--tmpfs", "/proc"], ["--tmpfs", "/proc/sys"], ["--mount", "type=bind,src=$,dst=/proc/sys/kernel"],
                ["--mount", "type=tmpfs,dst=/proc"], ["-v", "/proc"], ["-v", "named:/proc/scsi"],
            ])
        func nothingIsMountedOnProc(_ flags: [String]) throws {
            let canary = try Canary()
            let output = try run(flags.map { $0.replacing("$", with: canary.path) }, "true")
            #expect(output.status == 125 && output.stderr.contains("mounts on /proc are refused"), "\(output)")
            try Self.expectUntouched(canary)
        }

        @Test("R15: control groups are no way out", arguments: ["default", "unconfined", "root"])
        func controlGroupsAreNoWayOut(_ kind: String) throws {
            func agents() throws -> [String: String] {
                var result: [String: String] = [:]
                for entry in try Directory.entries("/sys/fs/cgroup") {
                    let path = "/sys/fs/cgroup/\(entry.name)/release_agent"
                    if let bytes = try? File.readAll(path, limit: 4096) {
                        result[path] = String(decoding: bytes, as: UTF8.self)
                    }
                }
                return result
            }
            let before = try agents()
            let flags =
                switch kind {
                case "unconfined": ["--security-opt", "seccomp=unconfined"]
                case "root": ["--cap-profile", "docker", "--init"]
                default: [String]()
                }
            let output = try run(flags, "/probe", "escape")
            let probe = Probe(output.stdout)
            #expect(output.status == 0, "\(output)")
            #expect(probe.all("mount.own.").count == 5 && !probe.all("agent.").isEmpty, "\(output)")
            for (name, answer) in probe.all("mount.own.") { #expect(answer == "EPERM", "\(name)") }
            for (name, answer) in probe.all("agent.") {
                #expect(["EROFS", "ENOENT", "EPERM", "EACCES"].contains(answer), "\(name)")
            }
            let hierarchies = probe.all("mkdir./sys/fs/cgroup")
            #expect(!hierarchies.isEmpty && hierarchies.values.allSatisfy { $0 == "EROFS" }, "\(hierarchies)")
            #expect(probe.all("notify./sys").values.allSatisfy { $0 == "EROFS" })
            #expect(probe["remount.cgroup"] == "EPERM")
            if kind != "unconfined" { #expect(probe["unshare.user"] == "EPERM") }
            #expect(try agents() == before)
        }

        @Test(
            "R22: init and every child are in the container's cgroup of each hierarchy",
            arguments: [[], ["--init"], ["--privileged"], ["--pid", "host"]])
        func everyProcessIsInTheCgroup(_ flags: [String]) throws {
            let engine = try engine
            let scratch = try Scratch()
            let time = "\(UInt32.random(in: 100_000...999_999))"
            let script = """
                sleep \(time) & (setsid sh -c 'sleep \(time) & exec sleep \(time)' &)
                touch /shared/ready; while [ ! -e /shared/end ]; do sleep 0.05; done
                """
            let globals = ["--data-root", engine.runimg.dataRoot, "--config-file", engine.runimg.configFile]
            let own = ["--rm", "--cidfile", scratch("id"), "-v", "\(try scratch.directory("shared")):/shared"]
            let command = [engine.image, "sh", "-c", script]
            var child = try ChildProcess(
                Runimg.path, globals + ["run"] + own + flags + command, environment: Tool.baseEnvironment)
            #expect(Wait.until(seconds: 20) { File.exists(scratch("shared/ready")) })
            let id = String(decoding: try File.readAll(scratch("id"), limit: 100), as: UTF8.self)
            var sleepers = 0
            #expect(
                try Wait.until(seconds: 10) {
                    sleepers = try Self.checkCgroups(of: id, sleeping: time)
                    return sleepers == 3
                }, "\(sleepers)")
            try scratch.file("shared/end", "")
            #expect(try child.wait(seconds: 20) == .exited(0))
        }

        /// Expects of all processes of the container that are known by its command that they are in its cgroup of each
        /// hierarchy; returns how many of them sleep.
        private static func checkCgroups(of id: String, sleeping time: String) throws -> Int {
            func text(_ path: String) -> String {
                String(decoding: (try? File.readAll(path, limit: 65536)) ?? [], as: UTF8.self)
            }
            var sleepers = 0
            for entry in try Directory.entries("/proc") where Int32(entry.name) != nil {
                let command = text("/proc/\(entry.name)/cmdline")
                if !command.contains(time) || command.contains("--cidfile") { continue }
                if command == "sleep\u{0}\(time)\u{0}" { sleepers += 1 }
                let cgroup = text("/proc/\(entry.name)/cgroup")
                let paths = cgroup.split(separator: "\n").map {
                    $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)[2]
                }
                #expect(paths.allSatisfy { $0 == "/runimg/\(id)" }, "\(command) \(cgroup)")
            }
            return sleepers
        }

        @Test(
            "X11: what a container types into a terminal does not reach the caller's",
            arguments: [["-t"], ["-it"], ["-i"], []],
            [[], ["--cap-add", "SYS_ADMIN", "--security-opt", "seccomp=unconfined"]])
        func nothingIsTypedIntoTheCallersTerminal(_ streams: [String], _ rights: [String]) throws {
            let engine = try engine
            let flags = (["run", "--rm"] + streams + rights).joined(separator: " ")
            let globals = "--data-root \(engine.runimg.dataRoot) --config-file \(engine.runimg.configFile)"
            try TypingAttack.expectHarmless("\(Runimg.path) \(globals) \(flags) \(engine.image)")
        }

        @Test("X12: a key of the caller's is not found inside, filter or not") func theCallersKeysAreNotFound() throws {
            let engine = try engine
            let globals = ["--data-root", engine.runimg.dataRoot, "--config-file", engine.runimg.configFile]
            let flags = ["--security-opt", "seccomp=unconfined", "-e", "PROBE_KEY"]
            let output = try Tool.run(
                try Self.probePath(),
                ["withkey", "runimg-caller", Runimg.path] + globals + ["run", "--rm"] + flags
                    + [engine.image, "/probe", "findkey", "runimg-caller"])
            try Self.expectNoKey(output)
        }

        @Test("X12: a key of a sibling's is not found inside, filter or not") func theSiblingsKeysAreNotFound() throws {
            let runimg = try Runimg()
            try runimg.check("pull", "-q", "oci:\(Fixtures.layout("busybox")):latest")
            let image = try engine.image
            let unconfined = "seccomp=unconfined"
            var sibling = try runimg.start(
                "run", "--rm", "--security-opt", unconfined, image, "/probe", "addkey", "runimg-sibling", "sh", "-c",
                "echo $PROBE_KEY; exec sleep 60")
            #expect(Wait.until(seconds: 20) { runimg.startedOutput.hasSuffix("\n") }, "\(runimg.startedErrors)")
            let key = runimg.startedOutput.split(separator: "\n").first.map(String.init) ?? ""
            #expect(Int32(key) != nil)
            let output = try runimg.run([
                "run", "--rm", "--security-opt", unconfined, "-e", "PROBE_KEY=\(key)", image, "/probe", "findkey",
                "runimg-sibling",
            ])
            try Self.expectNoKey(output)
            try sibling.stop()
        }

        private static func expectNoKey(_ output: Tool.Output) throws {
            let probe = Probe(output.stdout)
            #expect(probe["search"] == "ENOKEY" && probe["request"] == "ENOKEY", "\(output)")
            #expect(probe["read"] == "EACCES" && probe["link"] == "EACCES", "\(output)")
            #expect(probe["session"]?.contains(";_ses.") == true, "\(output)")
        }

        /// The fixture's probe, as a program of the host.
        private static func probePath() throws -> String {
            let layers = "\(try engine.runimg.dataRoot)/overlay2"
            let paths = try Directory.entries(layers).map { "\(layers)/\($0.name)/diff/probe" }
            return try #require(paths.first { File.exists($0) })
        }
    }
}
