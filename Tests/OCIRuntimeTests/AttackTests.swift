internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// What a container tries against the next one's start, or against who comes to visit.
    @Suite(.serialized, .enabled(if: OCIProbe.isPossible, "needs cc")) struct Attacks {
        /// How many starts, consoles and visits an attack is made against: threats.md's counts in a soak.
        static let rounds = (
            starts: SyscallFaults.rounds(100, soak: 10_000), consoles: SyscallFaults.rounds(50, soak: 5000),
            visits: SyscallFaults.rounds(50, soak: 500)
        )

        /// Files beside the bundles that nothing may touch.
        private static func canary(_ bench: OCIBench) throws -> String {
            try bench.scratch.file("canary/file", "untouched\n")
            return bench.scratch("canary")
        }

        private static func expectUntouched(_ canary: String) throws {
            let names = try Directory.entries(canary).map(\.name)
            #expect(names == ["file"])
            let text = try File.readAll("\(canary)/file")
            #expect(text == Array("untouched\n".utf8))
            #expect(Scratch.mounts(below: canary).isEmpty)
        }

        private static func attacker(
            _ bench: OCIBench, _ arguments: [String], _ change: (inout OCIConfig) -> Void
        ) throws -> OCIContainer {
            let container = try bench.container {
                $0["process.args"] = JSONValue(["/bin/probe"] + arguments)
                change(&$0)
            }
            try container.installProbe()
            try container.launch()
            #expect(container.prints("ready"))
            return container
        }

        @Test("R4, R11: a mount target that a sibling swaps for a link stays inside", arguments: OCIRuntime.all)
        func mountTargetIsSwapped(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let canary = try Self.canary(bench)
                let volume = try bench.scratch.directory("volume")
                try bench.scratch.directory("volume/target/deep")
                try File.symlink(canary, "\(volume)/link")
                let attacker = try Self.attacker(bench, ["exchange", "/volume/target", "/volume/link"]) {
                    $0.mount("/volume", "bind", volume, "bind")
                }
                let victim = try bench.container("cat /proc/self/mountinfo")
                var started = 0
                for round in 0..<Self.rounds.starts {
                    var config = victim.config
                    config.mount("/volume", "bind", volume, "bind")
                    for target in ["deep", "made/\(round)/deeper"] {
                        config.mount("/volume/target/\(target)", "tmpfs", "swapped")
                    }
                    try victim.write(config)
                    let output = try victim.run()
                    if output.status != 0 { continue }
                    started += 1
                    let mounts = MountLine.parse(output.stdout).filter { $0.source == "swapped" }
                    #expect(mounts.count == 2, "\(output)")
                }
                #expect(started > 0)
                try attacker.kill()
                #expect(attacker.output == "ready\n")
                let reason: Comment = "runc 1.1.5 makes directories where the link leads (CVE-2024-45310)"
                try runtime.deviates([.runc], reason, isIntermittent: true) { try Self.expectUntouched(canary) }
            }
        }

        @Test(
            "R8: a console that a sibling swaps for a link is bound inside, and the masks are there",
            arguments: OCIRuntime.all)
        func consoleIsSwapped(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let canary = try Self.canary(bench)
                let dev = try bench.scratch.directory("devices")
                for name in ["pts", "shm"] { try bench.scratch.directory("devices/\(name)") }
                try bench.scratch.file("devices/console", "")
                try File.symlink("/proc/sys/kernel/core_pattern", "\(dev)/link")
                try File.symlink(canary, "\(dev)/directory")
                let pattern = try File.readAll("/proc/sys/kernel/core_pattern", limit: 4096)
                let swaps = ["/devices/console", "/devices/link", "/devices/pts", "/devices/directory"]
                let attacker = try Self.attacker(bench, ["exchange"] + swaps) {
                    $0.mount("/devices", "bind", dev, "bind")
                }
                let said = try bench.scratch.directory("said")
                let script = "echo x > /proc/sys/kernel/core_pattern; cat /proc/self/mountinfo > /said/mounts"
                let victim = try bench.container(script) { config in
                    config.removeMount("/dev")
                    config.append(
                        "mounts",
                        [
                            "destination": "/said", "type": "bind", "source": .string(said), "options": ["bind"],
                        ])
                    config["mounts"] = .array(
                        [["destination": "/dev", "type": "bind", "source": .string(dev), "options": ["bind"]]]
                            + (config["mounts"]?.array ?? []))
                    config["process.terminal"] = true
                    config["linux.readonlyPaths"] = ["/proc/sys"]
                }
                for _ in 0..<Self.rounds.consoles {
                    let socket = try ConsoleSocket(bench.scratch)
                    let output = try victim.run("--console-socket", socket.path)
                    if output.status != 0 {
                        _ = try bench("delete", "--force", victim.id)
                        continue
                    }
                    let mounts = MountLine.parse(String(decoding: try File.readAll("\(said)/mounts"), as: UTF8.self))
                    let places = mounts.filter { $0.type == "devpts" }.map(\.point)
                    #expect(!places.contains { $0.hasPrefix("/proc") || $0.hasPrefix("/sys") }, "\(places)")
                    #expect(mounts.contains { $0.point == "/proc/sys" && $0.options.contains("ro") })
                }
                try attacker.kill()
                try Self.expectUntouched(canary)
                let after = try File.readAll("/proc/sys/kernel/core_pattern", limit: 4096)
                #expect(after == pattern)
            }
        }

        @Test("R19: what is too long is refused or whole, never cut off", arguments: OCIRuntime.all)
        func longMessages(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                // Some 70 KiB of lines; the kernel takes 340 of them (user_namespaces(7)).
                let maps = (0..<3000).map { number -> JSONValue in
                    ["containerID": JSONValue(number * 2), "hostID": JSONValue(100_000 + number * 2), "size": 1]
                }
                try bench.expectRefused {
                    $0.userNamespace()
                    $0["linux.uidMappings"] = .array(maps)
                    $0["linux.gidMappings"] = .array(maps)
                }
                let variables = (0..<50).map { "V\($0)=" + String(repeating: "x", count: 100_000) }
                let environment = try bench.run(script: "tr -d -c x < /proc/self/environ | wc -c") {
                    $0["process.env"] = JSONValue(["PATH=/bin"] + variables)
                }
                let isWhole = environment.status == 0 && environment.lines == ["5000000"]
                #expect(
                    isWhole || environment.status != 0 && !environment.stderr.isEmpty,
                    "\(environment.description.prefix(2000))")
                let file = bench.scratch("count")
                let arguments = (0..<10).map { _ in String(repeating: "y", count: 100_000) }
                let hooked = try bench.container("true") {
                    $0["hooks.createRuntime"] = [
                        [
                            "path": "/bin/sh",
                            "args": JSONValue(
                                ["sh", "-c", "echo \"$@\" | tr -d -c y | wc -c > \(file)", "sh"] + arguments),
                            "env": ["PATH=/usr/bin:/bin"],
                        ]
                    ]
                }
                try hooked.create()
                let count = String(decoding: try File.readAll(file), as: UTF8.self)
                #expect(count == "1000000\n")
                // One argument that no kernel takes (execve(2), MAX_ARG_STRLEN).
                try bench.expectRefused {
                    $0["hooks.createRuntime"] = [
                        ["path": "/bin/sh", "args": ["sh", .string(String(repeating: "y", count: 1 << 20))]]
                    ]
                }
            }
        }

        @Test(
            "X10: process 1 sees nothing of the host in who comes to run a further process", arguments: OCIRuntime.all,
            ["read", "trace"])
        func visitorsAreWatched(_ runtime: OCIRuntime, _ mode: String) throws {
            try OCIBench.with(runtime) { bench in
                let secret = "SECRET-\(Random.hex(bytes: 8))"
                let attacker = try Self.attacker(bench, ["stalk", mode, secret, bench.state]) {
                    for set in ["bounding", "effective", "permitted"] {
                        $0.append("process.capabilities.\(set)", "CAP_SYS_PTRACE")
                    }
                }
                let long = String(repeating: "x", count: 100_000)
                var ran = 0
                for _ in 0..<Self.rounds.visits {
                    let output = try bench.run(
                        ["exec", attacker.id, "true", long], environment: ["OF_THE_HOST": secret])
                    if output.status == 0 { ran += 1 }
                }
                #expect(ran > 0)
                let reason: Comment = "crun 1.8.1 shows its environment, and runc 1.1.5 its init's"
                try runtime.deviates([.crun, .runc], reason, isIntermittent: true) {
                    #expect(attacker.output == "ready\n", "\(attacker.output.prefix(400))")
                }
                #expect(attacker.status == "running")
            }
        }
    }
}
