internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// `exec`: no operation of the specification's, but one that every caller needs; as runc has it.
    @Suite(.enabled(if: OCIProbe.isPossible, "needs cc")) struct Exec {
        static func running(
            _ bench: OCIBench, _ change: (inout OCIConfig) throws -> Void = { _ in }
        ) throws -> OCIContainer {
            let container = try bench.container("sleep 1000", change)
            try container.installProbe()
            try container.launch()
            return container
        }

        /// Whoever asked for its number would not know of it.
        @Test(arguments: OCIRuntime.all.filter { $0.kind == .runimg })
        func noneIsLeftThatCouldNotBeAnnounced(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000")
                try container.launch()
                let file = bench.scratch("absent/pid")
                let output = try bench("exec", "--detach", "--pid-file", file, container.id, "sleep", "2000")
                #expect(output.status == 255 && output.stderr.contains(file), "\(output)")
                let isAlone = Wait.until(seconds: 10) {
                    (try? bench.check("ps", "--format", "json", container.id).stdout.contains(",")) == false
                }
                #expect(isAlone)
            }
        }

        @Test(arguments: OCIRuntime.all) func runsInAllNamespaces(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try Self.running(bench) { $0.namespace("cgroup", .new) }
                let script = "readlink /proc/1/ns/* /proc/self/ns/* | sort | uniq -c | awk '$1 != 2'; hostname"
                #expect(try container.shell("cd /proc/1/ns; \(script)") == "oci-test")
                // In the container's control groups.
                let own = try container.shell("cat /proc/self/cgroup")
                #expect(try container.shell("cat /proc/1/cgroup") == own)
            }
        }

        @Test(arguments: OCIRuntime.all) func endsAsItsProgramDoes(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try Self.running(bench)
                for code in [0, 1, 42, 125, 255] {
                    let output = try container.exec("sh", "-c", "echo out; echo err >&2; exit \(code)")
                    #expect(output.status == Int32(code), "\(output)")
                    #expect(output.stdout == "out\n" && output.stderr == "err\n", "\(output)")
                }
                let killed = try container.exec("sh", "-c", "kill -9 $$")
                #expect(killed.status == 137, "\(killed)")
                #expect(container.status == "running")
            }
        }

        @Test(arguments: OCIRuntime.all) func readsItsInput(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try Self.running(bench)
                let text = String(repeating: "line of input\n", count: 20_000)
                let output = try container.exec("wc", "-c", input: text)
                #expect(output.lines == ["\(text.utf8.count)"], "\(output)")
            }
        }

        @Test(arguments: OCIRuntime.all) func whatIsNotThereFails(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try Self.running(bench)
                for program in ["no-such-program", "/etc/passwd", "/no/such"] {
                    let output = try container.exec(program)
                    #expect(output.status != 0 && !output.stderr.isEmpty, "\(output)")
                }
                try bench.expectRefused("exec", container.id)
                try bench.expectRefused("exec", "--no-such-flag", container.id, "true")
                try container.kill()
                #expect(container.becomes("stopped"))
                try bench.expectRefused("exec", container.id, "true")
            }
        }

        @Test(arguments: OCIRuntime.all) func hasTheContainersRights(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try Self.running(bench) {
                    $0["process.user"] = ["uid": 0, "gid": 0, "additionalGids": [42]]
                    $0["process.rlimits"] = [["type": "RLIMIT_NOFILE", "soft": 123, "hard": 456]]
                    $0["process.env"] = ["PATH=/bin", "OF=container"]
                    $0["process.cwd"] = "/etc"
                }
                let said = try container.probe()
                #expect(said["cap_effective"] == "00000000a80425fb")
                #expect(said["cap_bounding"] == "00000000a80425fb" && said["cap_inheritable"] == "0000000000000000")
                let go: Comment = "runc 1.1.5 is built with a Go that raises its own soft limit"
                try runtime.deviates([.crun], "crun 1.8.1 gives it neither the limits nor the directory") {
                    try runtime.deviates([.runc], go, isIntermittent: true) {
                        #expect(said["rlimit.nofile"] == "123:456")
                    }
                    #expect(said["cwd"] == "/etc")
                }
                #expect(said["env.OF"] == "container")
                #expect(said["controlling_terminal"] == "ENXIO")
                #expect(said.keys.filter { $0.hasPrefix("fd.") }.sorted() == ["fd.0", "fd.1", "fd.2"])
            }
        }

        @Test(arguments: OCIRuntime.all) func flagsChangeTheProcess(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try Self.running(bench)
                let said = try container.probe(
                    "--cwd", "/tmp", "-e", "A=1", "-e", "B=two words", "--user", "1000:2000")
                #expect(said["cwd"] == "/tmp" && said["env.A"] == "1" && said["env.B"] == "two words")
                #expect(said["uid"] == "1000:1000:1000" && said["gid"] == "2000:2000:2000")
                try runtime.deviates([.crun], "crun 1.8.1 drops the container's own variables then") {
                    #expect(said["env.PATH"] == "/bin")
                }
                // A user alone.
                let user = try container.probe("-u", "1234")
                #expect(user["uid"] == "1234:1234:1234" && user["gid"] == "0:0:0")
            }
        }

        @Test(arguments: OCIRuntime.all) func flagsGiveRights(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try Self.running(bench)
                let said = try container.probe("--cap", "CAP_SYS_PTRACE", "--no-new-privs")
                try runtime.deviates([.crun], "crun 1.8.1 takes all others away") {
                    #expect(said["cap_effective"] == "00000000a80c25fb", "\(said["cap_effective"] ?? "none")")
                }
                #expect(said["no_new_privs"] == "1")
                let plain = try container.probe()
                #expect(plain["cap_effective"] == "00000000a80425fb" && plain["no_new_privs"] == "0")
            }
        }

        @Test(arguments: OCIRuntime.all) func aProcessMayBeGivenWhole(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try Self.running(bench)
                let process: JSONValue = [
                    "args": ["/bin/probe"], "env": ["PATH=/bin", "ONLY=this"], "cwd": "/tmp",
                    "user": ["uid": 7, "gid": 8, "additionalGids": [9]], "noNewPrivileges": true,
                    "capabilities": ["bounding": ["CAP_CHOWN"]],
                    "rlimits": [["type": "RLIMIT_NOFILE", "soft": 111, "hard": 222]],
                ]
                let file = try bench.scratch.file("process.json", process.written)
                let output = try bench.run(["exec", "--process", file, container.id])
                #expect(output.status == 0, "\(output)")
                let said = OCIProbe.parse(output.stdout)
                #expect(said["uid"] == "7:7:7" && said["gid"] == "8:8:8")
                #expect(said["groups"]?.contains("9") == true)
                #expect(said["cwd"] == "/tmp" && said["env.ONLY"] == "this" && said["no_new_privs"] == "1")
                #expect(said["cap_bounding"] == "0000000000000001" && said["cap_effective"] == "0000000000000000")
                let reason: Comment = "runc 1.1.5 is built with a Go that raises its own soft limit"
                try runtime.deviates([.runc], reason, isIntermittent: true) {
                    #expect(said["rlimit.nofile"] == "111:222")
                }
                for bad in ["", "{", "[]"] {
                    let broken = try bench.scratch.file("broken.json", bad)
                    try bench.expectRefused("exec", "--process", broken, container.id)
                }
                try bench.expectRefused("exec", "--process", bench.scratch("no-file"), container.id)
            }
        }

        @Test(arguments: OCIRuntime.all) func goesOnByItself(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try Self.running(bench)
                let file = bench.scratch("pid")
                let script = "echo started; sleep 0.3; echo done > /done; sleep 1000"
                let output = try bench.run(
                    ["exec", "--detach", "--pid-file", file, container.id, "sh", "-c", script], to: "detached")
                #expect(output.status == 0, "\(output)")
                let pid = String(decoding: try File.readAll(file), as: UTF8.self)
                // The number is the caller's.
                let inside = try File.readLink("/proc/\(pid)/ns/pid")
                #expect(inside == (try File.readLink("/proc/\(container.pid)/ns/pid")))
                #expect(Wait.until(seconds: 5) { File.exists("\(container.rootfs)/done") })
                let said = String(decoding: try File.readAll(bench.scratch("files/detached.out")), as: UTF8.self)
                #expect(said == "started\n")
                try container.kill()
                #expect(Wait.until(seconds: 5) { !File.exists("/proc/\(pid)/root/bin") })
            }
        }

        @Test(arguments: OCIRuntime.all) func createdTakesItToo(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("echo ran; sleep 1000")
                try container.create()
                #expect(try container.shell("hostname") == "oci-test")
                #expect(container.status == "created" && container.output.isEmpty)
                try container.start()
                #expect(container.prints("ran"))
            }
        }

        @Test(arguments: OCIRuntime.all) func joinsAUserNamespace(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000") { $0.userNamespace() }
                try container.installProbe()
                try container.give()
                try container.launch()
                let said = try container.probe("--user", "5:6")
                #expect(said["uid"] == "5:5:5" && said["gid"] == "6:6:6")
                #expect(said["uid_map.0"]?.split(separator: " ") == ["0", "100000", "65536"])
                #expect(try container.shell("touch /made && stat -c %u:%g /made") == "0:0")
                #expect(try File.status("\(container.rootfs)/made").uid == 100_000)
            }
        }
    }
}
