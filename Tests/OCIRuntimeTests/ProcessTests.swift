internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// config.md, "Process": what the user's program is given.
    @Suite(.enabled(if: OCIProbe.isPossible, "needs cc")) struct Process {
        @Test(arguments: OCIRuntime.all) func argumentsAreTakenAsTheyAre(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let arguments = ["", " ", "a b", "$HOME", "'\"\\", "ü€", "-x", "--", "a\tb", "*"]
                let output = try bench.container {
                    $0["process.args"] = JSONValue(["sh", "-c", #"printf '[%s]' "$@""#, "sh"] + arguments)
                }.run()
                #expect(output.stdout == arguments.map { "[\($0)]" }.joined(), "\(output)")
            }
        }

        @Test(arguments: OCIRuntime.all) func aProgramIsSearchedInItsPath(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container {
                    $0["process.args"] = ["tool"]
                    $0["process.env"] = ["PATH=/nowhere:/opt/x:/bin"]
                }
                try container.file("opt/x/tool", "#!/bin/sh\necho found $0\n", mode: 0o755)
                let found = try container.run()
                #expect(found.lines == ["found /opt/x/tool"], "\(found)")
                // Relative to the working directory.
                let relative = try bench.container {
                    $0["process.args"] = ["./tool"]
                    $0["process.cwd"] = "/opt/x"
                }
                try relative.file("opt/x/tool", "#!/bin/sh\necho found $0\n", mode: 0o755)
                let near = try relative.run()
                #expect(near.stdout.hasPrefix("found ") && near.stdout.hasSuffix("/tool\n"), "\(near)")
            }
        }

        @Test(arguments: OCIRuntime.all) func aProgramThatIsNotThereFails(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                for program in ["no-such-program", "/no/such/program", "/etc/passwd", "/etc", ""] {
                    let container = try bench.container { $0["process.args"] = [.string(program)] }
                    // create or start says so: the specification leaves open which.
                    let created = try bench.run(["create", "--bundle", container.bundle, container.id])
                    let last = created.status == 0 ? try bench("start", container.id) : created
                    let isCrun = created.status == 0 && last.status == 0
                    try runtime.deviates(isCrun ? [.crun] : [], "crun 1.8.1 starts a file that can't be executed") {
                        #expect(last.status != 0 && !last.stderr.isEmpty, "\(program): \(last)")
                    }
                    _ = try bench("delete", "--force", container.id)
                }
                try runtime.deviates([.crun], "crun 1.8.1 creates a container without a command") {
                    try bench.expectRefused { $0["process.args"] = [] }
                    try bench.expectRefused { $0["process.args"] = nil }
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func theEnvironmentIsWhole(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let long = String(repeating: "x", count: 100_000)
                let output = try bench.container {
                    $0["process.args"] = ["/bin/probe"]
                    $0["process.env"] = [
                        "PATH=/bin", "A=1", "B=", "C=a=b", "D= with \"quotes\" and\ttabs", "A=2",
                        .string("LONG=\(long)"),
                    ]
                }
                try output.installProbe()
                let said = try output.run().stdout.split(separator: "\n").filter { $0.hasPrefix("env.") }
                // HOME may be added where it is missing.
                let names = said.filter { !$0.hasPrefix("env.HOME=") }.map(String.init)
                #expect(names.contains("env.B=") && names.contains("env.C=a=b"), "\(names.map { $0.prefix(80) })")
                #expect(names.contains("env.D= with \"quotes\" and\ttabs"))
                #expect(names.contains("env.LONG=\(long)"))
                // Given twice: the program sees the later one, or both.
                #expect(names.last { $0.hasPrefix("env.A=") } == "env.A=2")
                #expect(!names.contains { $0.hasPrefix("env._LIBCONTAINER") || $0.hasPrefix("env.RUNIMG") })
                #expect([6, 7].contains(names.count))
            }
        }

        @Test(arguments: OCIRuntime.all) func workingDirectories(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                try bench.expect("pwd", prints: ["/etc"]) { $0["process.cwd"] = "/etc" }
                try bench.expect("pwd; stat -c %u:%a .", prints: ["/made/here", "0:755"]) {
                    $0["process.cwd"] = "/made/here"
                }
                try runtime.deviates([.crun], "crun 1.8.1 takes a relative cwd") {
                    try bench.expectRefused { $0["process.cwd"] = "relative" }
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func usersAndGroups(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let said = try bench.probe {
                    $0["process.user"] = ["uid": 1234, "gid": 5678, "additionalGids": [42, 43, 5678]]
                }
                #expect(said["uid"] == "1234:1234:1234")
                #expect(said["gid"] == "5678:5678:5678")
                #expect(
                    Set(said["groups"]?.split(separator: ",").map(String.init) ?? []).subtracting(["5678"]) == [
                        "42", "43",
                    ])
                let root = try bench.probe()
                #expect(root["uid"] == "0:0:0" && root["gid"] == "0:0:0")
                #expect(["", "0"].contains(root["groups"]), "\(root["groups"] ?? "none")")
            }
        }

        @Test(arguments: OCIRuntime.all) func umask(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let script = "umask; touch /f; stat -c %a /f"
                try bench.expect(script, prints: ["0027", "640"]) { $0["process.user.umask"] = 0o27 }
                try bench.expect(script, prints: ["0000", "666"]) { $0["process.user.umask"] = 0 }
                try bench.expect(script, prints: ["0022", "644"])
            }
        }

        @Test(arguments: OCIRuntime.all) func aNewSessionWithoutSignals(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let said = try bench.probe()
                #expect(said["pid"] == "1" && said["sid"] == "1" && said["pgid"] == "1")
                #expect(said["signals_blocked"] == "0000000000000000")
                // 32 and 33 are the C library's own, which nobody can reset by it.
                let ignored = UInt64(said["signals_ignored"] ?? "1", radix: 16) ?? 1
                #expect(ignored & ~(3 << 31) == 0)
                #expect(said["isatty.0"] == "0" && said["controlling_terminal"] == "ENXIO")
            }
        }

        @Test(arguments: OCIRuntime.all) func onlyTheThreeDescriptors(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let said = try bench.probe()
                #expect(said.keys.filter { $0.hasPrefix("fd.") }.sorted() == ["fd.0", "fd.1", "fd.2"])
            }
        }

        @Test(arguments: OCIRuntime.all) func resourceLimits(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let said = try bench.probe {
                    $0["process.rlimits"] = [
                        ["type": "RLIMIT_NOFILE", "soft": 123, "hard": 456],
                        ["type": "RLIMIT_CORE", "soft": 0, "hard": 0],
                        ["type": "RLIMIT_STACK", "soft": 1_048_576, "hard": .number("18446744073709551615")],
                        ["type": "RLIMIT_CPU", "soft": 100, "hard": 200],
                    ]
                }
                #expect(said["rlimit.nofile"] == "123:456")
                #expect(said["rlimit.core"] == "0:0")
                #expect(said["rlimit.stack"] == "1048576:-1")
                #expect(said["rlimit.cpu"] == "100:200")
                try bench.expectRefused {
                    $0["process.rlimits"] = [["type": "RLIMIT_NOTHING", "soft": 1, "hard": 1]]
                }
                try bench.expectRefused {
                    $0["process.rlimits"] = [["type": "RLIMIT_NOFILE", "soft": 20, "hard": 10]]
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func theScoreForLackOfMemory(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                try bench.expect("cat /proc/self/oom_score_adj", prints: ["345"]) { $0["process.oomScoreAdj"] = 345 }
                // Less than the caller's is for who has CAP_SYS_RESOURCE; nobody is told that it was done when it wasn't.
                if Conditions.mayRaiseResources {
                    try bench.expect("cat /proc/self/oom_score_adj", prints: ["-321"]) {
                        $0["process.oomScoreAdj"] = -321
                    }
                } else {
                    try bench.expectRefused { $0["process.oomScoreAdj"] = -321 }
                }
                let own = try File.readAll("/proc/self/oom_score_adj", limit: 64)
                let line = String(decoding: own, as: UTF8.self).split(separator: "\n").map(String.init)
                try bench.expect("cat /proc/self/oom_score_adj", prints: line)
            }
        }

        /// config-linux.md: ioPriority and scheduler came with 1.1, which these versions of crun and runc do not know.
        @Test(arguments: OCIRuntime.all) func prioritiesOfDiskAndProcessor(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                try runtime.deviates([.crun, .runc], "crun 1.8.1 and runc 1.1.5 do not know process.ioPriority") {
                    try bench.expect("ionice -p 1", prints: ["best-effort: prio 6"]) {
                        $0["process.ioPriority"] = ["class": "IOPRIO_CLASS_BE", "priority": 6]
                    }
                }
                try runtime.deviates([.crun, .runc], "crun 1.8.1 and runc 1.1.5 do not know process.scheduler") {
                    try bench.expect(
                        "cut -d' ' -f41 /proc/self/stat; cut -d' ' -f19 /proc/self/stat", prints: ["3", "5"]
                    ) {
                        $0["process.scheduler"] = ["policy": "SCHED_BATCH", "nice": 5]
                    }
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func theProcessor(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                try runtime.deviates([.runc], "runc 1.1.5 does not know linux.personality") {
                    try bench.expect("uname -m", prints: ["i686"]) { $0["linux.personality"] = ["domain": "LINUX32"] }
                }
            }
        }
    }
}
