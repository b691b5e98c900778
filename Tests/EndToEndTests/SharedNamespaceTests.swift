internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `--pid`, `--ipc`, `--uts` and `--network container:NAME`.
    @Suite struct SharedNamespaces {
        private static let image = Leaks.image

        private static func shell(_ runimg: Runimg, _ flags: [String], _ script: String) throws -> Tool.Output {
            try runimg.run(["run", "--rm", "-q"] + flags + [image, "sh", "-c", script])
        }

        /// A container for others, called `owner`.
        private static func owner(_ runimg: Runimg, _ flags: String..., script: String = "exec sleep 1000") throws
            -> String
        {
            let output = try runimg.run(
                ["run", "-d", "-q", "--name", "owner"] + flags + [image, "sh", "-c", script])
            guard output.status == 0, let id = output.lines.first else { throw Tool.Failure(output: output) }
            return id
        }

        private static func guest(
            _ runimg: Runimg, _ flags: [String], _ script: String, name: String = "guest"
        ) throws -> String {
            let output = try runimg.run(
                ["run", "-d", "-q", "--name", name] + flags + [image, "sh", "-c", script])
            guard output.status == 0, let id = output.lines.first else { throw Tool.Failure(output: output) }
            return id
        }

        private static func inspect(_ runimg: Runimg, _ name: String, _ template: String) throws -> String {
            try runimg.check("inspect", "-f", template, name).lines.first ?? ""
        }

        private static func status(_ runimg: Runimg, _ name: String) -> String {
            (try? inspect(runimg, name, "{{.State.Status}} {{.State.ExitCode}}")) ?? ""
        }

        @Test func sharesWhatDockerShares() throws {
            try Lifecycle.isolated { runimg in
                let id = try Self.owner(runimg, "--ipc", "shareable", "--hostname", "boss")
                let links = "for n in net ipc uts pid; do readlink /proc/self/ns/$n; done"
                let theirs = try runimg.check("exec", "owner", "sh", "-c", links).lines
                try runimg.check(
                    "exec", "owner", "sh", "-c", "echo 192.0.2.7 far >> /etc/hosts; echo up > /dev/shm/mark")

                let network = try Self.shell(
                    runimg, ["--network", "container:owner"],
                    "\(links); hostname; cat /etc/hostname; grep far /etc/hosts; echo nameserver 192.0.2.1 > /etc/resolv.conf"
                )
                #expect(network.lines.first == theirs[0], "\(network)")
                #expect(network.lines[2] != theirs[2])
                #expect(Array(network.lines.suffix(3)) == ["boss", "boss", "192.0.2.7 far"])
                #expect(try runimg.check("exec", "owner", "cat", "/etc/resolv.conf").lines == ["nameserver 192.0.2.1"])

                let memory = try Self.shell(
                    runimg, ["--ipc", "container:owner"], "\(links); cat /dev/shm/mark; mount | grep -c ' /dev/shm '")
                #expect(memory.lines.count == 6 && memory.lines[1] == theirs[1], "\(memory)")
                #expect(Array(memory.lines.suffix(2)) == ["up", "1"])

                let names = try Self.shell(runimg, ["--uts", "container:owner"], "\(links); hostname")
                #expect(names.lines[2] == theirs[2] && names.lines.last == "boss", "\(names)")

                let processes = try Self.shell(runimg, ["--pid", "container:owner"], "\(links); ps -o args")
                #expect(processes.lines[3] == theirs[3] && processes.stdout.contains("sleep 1000"), "\(processes)")

                // As a shareable one of its own, all of them are its own.
                #expect(try Self.shell(runimg, ["--ipc", "none"], "ls /dev/shm").stderr.contains("No such file"))
                let prefix = String(id.prefix(10))
                #expect(try Self.shell(runimg, ["--pid", "container:\(prefix)"], links).lines[3] == theirs[3])
            }
        }

        @Test func inspectShowsFullIDs() throws {
            try Lifecycle.isolated { runimg in
                let id = try Self.owner(runimg, "--ipc", "shareable", "--hostname", "boss")
                let own = ["network", "ipc", "pid", "uts"].flatMap { ["--\($0)", "container:owner"] }
                _ = try Self.guest(runimg, own, "exec sleep 1000")
                let modes =
                    "{{.HostConfig.NetworkMode}} {{.HostConfig.IpcMode}} {{.HostConfig.PidMode}} {{.HostConfig.UTSMode}}"
                #expect(
                    try Self.inspect(runimg, "guest", modes)
                        == Array(repeating: "container:\(id)", count: 4).joined(separator: " "))
                #expect(try Self.inspect(runimg, "owner", modes) == "bridge shareable  ")
                let files = "{{.HostsPath}} {{.HostnamePath}} {{.ResolvConfPath}} {{.Config.Hostname}}"
                #expect(try Self.inspect(runimg, "guest", files) == (try Self.inspect(runimg, "owner", files)))
                #expect(try Self.inspect(runimg, "guest", "{{len .NetworkSettings.Networks}}") == "0")
                // A name may change hands: the record keeps who was meant.
                try runimg.check("rename", "owner", "former")
                try runimg.check("restart", "-t", "0", "guest")
                #expect(Self.status(runimg, "guest") == "running 0")
            }
        }

        @Test func execIsInTheRealNamespaces() throws {
            try Lifecycle.isolated { runimg in
                _ = try Self.owner(runimg)
                _ = try Self.guest(
                    runimg, ["--pid", "container:owner", "--network", "container:owner"], "exec sleep 600")
                let links = "for n in pid net mnt uts; do readlink /proc/self/ns/$n; done"
                let owner = try runimg.check("exec", "owner", "sh", "-c", links).lines
                let guest = try runimg.check("exec", "guest", "sh", "-c", "\(links); ps -o args").lines
                #expect(owner[0] == guest[0] && owner[1] == guest[1] && owner[2] != guest[2] && owner[3] != guest[3])
                #expect(guest.contains { $0.contains("sleep 1000") } && guest.contains { $0.contains("sleep 600") })
                #expect(try runimg.check("top", "guest").stdout.contains("sleep 600"))
                #expect(try !runimg.check("top", "guest").stdout.contains("sleep 1000"))
            }
        }

        @Test func aTerminalIsTheControllingOne() throws {
            try Lifecycle.isolated { runimg in
                _ = try Self.owner(runimg)
                let id = try Self.guest(
                    runimg, ["-t", "--pid", "container:owner"],
                    "tty; echo is-open > /dev/tty; stty -a > /dev/null && echo has-settings; exit 5")
                #expect(try runimg.check("wait", "guest").lines == ["5"])
                let log = Lifecycle.log(runimg, id)
                #expect(log.contains("/dev/pts/0") && log.contains("is-open") && log.contains("has-settings"), "\(log)")
            }
        }

        @Test(arguments: ["--network", "--pid", "--ipc", "--uts"])
        func theOtherMustRun(_ flag: String) throws {
            try Lifecycle.isolated { runimg in
                let id = try runimg.check("create", "-q", "--name", "made", Self.image, "sleep", "1000").lines[0]
                let message =
                    flag == "--network"
                    ? "cannot join network namespace of a non running container: container made is created"
                    : "failed to join \(flag.dropFirst(2).uppercased()) namespace: container \(id) is not running"
                let output = try Self.shell(runimg, [flag, "container:made"], "true")
                #expect(output.status == 125 && output.stderr.contains(message), "\(output)")
                try runimg.check(
                    "create", "-q", "--name", "later", flag, "container:made", Self.image, "sleep", "1000")
                let start = try runimg.run(["start", "later"])
                #expect(start.status == 1 && start.stderr.contains(message), "\(start)")
                #expect(try Self.inspect(runimg, "later", "{{.State.Error}}").contains(message))
                if flag != "--ipc" { try runimg.check("start", "made", "later") }
            }
        }

        @Test func refusals() throws {
            try Lifecycle.isolated { runimg in
                let id = try Self.owner(runimg)
                for flag in ["--network", "--pid", "--ipc", "--uts"] {
                    for verb in [["run", "--rm", "-q"], ["create", "-q"]] {
                        let output = try runimg.run(verb + [flag, "container:nobody", Self.image, "true"])
                        #expect(output.status != 0 && output.stderr.contains("No such container: nobody"), "\(output)")
                    }
                }
                let closed = try Self.shell(runimg, ["--ipc", "container:owner"], "true")
                #expect(
                    closed.stderr.contains(
                        "failed to join IPC namespace: container \(id): non-shareable IPC "
                            + "(hint: use IpcMode:shareable for the donor container)"), "\(closed)")
                let own = try runimg.run([
                    "run", "--rm", "--name", "self", "--pid", "container:self", Self.image, "true",
                ])
                #expect(own.stderr.contains("No such container: self"), "\(own)")
                for (flags, kind) in [("--network", "network"), ("--ipc", "ipc")] {
                    let name = kind == "ipc" ? "kernel.msgmax=9000" : "net.core.somaxconn=9"
                    let output = try Self.shell(runimg, [flags, "container:owner", "--sysctl", name], "true")
                    #expect(output.stderr.contains("not allowed in another container's \(kind) namespace"), "\(output)")
                }
            }
        }

        @Test("F27: a container in another's pid namespace ends with all its processes, whatever they write")
        func nothingOutlivesIt() throws {
            try Lifecycle.isolated { runimg in
                _ = try Self.owner(runimg, "--init")
                let script = "(setsid sleep 700 &); (while :; do echo chat; done &); "
                let ended = try Self.shell(runimg, ["--pid", "container:owner"], script + "exit 7")
                #expect(ended.status == 7)
                #expect(try Self.strangers(runimg) == [])
                for verb in [["stop", "-t", "1"], ["kill"], ["rm", "-f"]] {
                    let name = "guest-\(verb[0])"
                    let id = try Self.guest(
                        runimg, ["--pid", "container:owner"],
                        script + "trap '' TERM; echo ready; while :; do sleep 0.1; done", name: name)
                    #expect(Lifecycle.awaitLog(runimg, id, "ready"))
                    #expect(try runimg.run(verb + [name]).status == 0)
                    #expect(try Self.strangers(runimg) == [])
                }
                #expect(Self.status(runimg, "owner") == "running 0")
            }
        }

        /// What else runs in the owner's pid namespace.
        private static func strangers(_ runimg: Runimg) throws -> [String] {
            try runimg.check("exec", "owner", "ps", "-o", "args").lines
                .filter { $0.contains("700") || $0.contains("chat") || $0.contains("sleep 0.1") }
        }

        @Test func theEndOfTheOwnerIsRecorded() throws {
            try Lifecycle.isolated { runimg in
                _ = try Self.owner(runimg)
                _ = try Self.guest(runimg, ["--pid", "container:owner"], "exec sleep 600")
                _ = try Self.guest(runimg, ["--network", "container:owner"], "exec sleep 600", name: "neighbour")
                try runimg.check("kill", "owner")
                #expect(try runimg.check("wait", "guest").lines == ["137"])
                // A network lives as long as anybody is in it.
                #expect(Self.status(runimg, "neighbour") == "running 0")
                try runimg.check("start", "owner", "guest")
                #expect(Self.status(runimg, "guest") == "running 0")
                try runimg.check("rm", "-f", "owner")
                #expect(try runimg.check("wait", "guest").lines == ["137"])
                #expect(try runimg.check("exec", "neighbour", "cat", "/etc/hosts").stdout.contains("localhost"))
                let again = try runimg.run(["restart", "-t", "0", "neighbour"])
                #expect(again.status == 1 && again.stderr.contains("No such container"), "\(again)")
            }
        }

        @Test func bothSidesStartAgain() throws {
            try Lifecycle.isolated { runimg in
                _ = try Self.owner(runimg, "--restart", "always")
                _ = try Self.guest(runimg, ["--pid", "container:owner", "--restart", "always"], "exec sleep 600")
                try runimg.check("restart", "-t", "0", "owner")
                #expect(Wait.until(seconds: 20) { Self.status(runimg, "guest") == "running 0" })
                // While the other is away it waits, and says why.
                try runimg.check("stop", "-t", "0", "owner")
                #expect(
                    Wait.until(seconds: 20) {
                        (try? Self.inspect(runimg, "guest", "{{.State.Status}} {{.State.Error}}"))?
                            .hasPrefix("restarting failed to join PID namespace") == true
                    })
                try runimg.check("start", "owner")
                #expect(Wait.until(seconds: 20) { Self.status(runimg, "guest") == "running 0" })
                try runimg.check("stop", "-t", "0", "owner")
                #expect(Wait.until(seconds: 20) { Self.status(runimg, "guest").hasPrefix("restarting") })
                try runimg.check("stop", "guest")
                #expect(Self.status(runimg, "guest").hasPrefix("exited"))
            }
        }

        @Test("F27: a frozen guest does not keep its owner from ending")
        func aFrozenGuest() throws {
            try Lifecycle.isolated { runimg in
                _ = try Self.owner(runimg)
                _ = try Self.guest(runimg, ["--pid", "container:owner"], "exec sleep 600")
                _ = try Self.guest(runimg, ["--pid", "container:guest"], "exec sleep 600", name: "second")
                try runimg.check("pause", "second")
                try runimg.check("stop", "-t", "1", "owner")
                for name in ["guest", "second"] { #expect(try runimg.check("wait", name).lines == ["137"]) }
            }
        }

        @Test("F15, F16: neither a client nor a monitor that is killed leaves a process in another's pid namespace")
        func killedBesideAnOwner() throws {
            try Lifecycle.isolated { runimg in
                _ = try Self.owner(runimg)
                // Others may sleep as well.
                let seconds = Int.random(in: 100_000..<900_000)
                func sleepers(_ number: Int) -> Int {
                    (try? Tool.run("pgrep", ["-f", "^sleep \(number)$"]).lines.count) ?? -1
                }
                let id = try Self.guest(
                    runimg, ["--pid", "container:owner"], "(setsid sleep \(seconds) &); exec sleep \(seconds + 1)")
                #expect(Wait.until(seconds: 20) { sleepers(seconds) == 1 && sleepers(seconds + 1) == 1 })
                kill(try #require(Lifecycle.monitor(of: id)), SIGKILL)
                // The first dies with its monitor; its orphan by the next command.
                #expect(Wait.until(seconds: 20) { sleepers(seconds + 1) == 0 })
                #expect(try runimg.check("wait", "guest").lines == ["137"])
                #expect(sleepers(seconds) == 0)
                var client = try runimg.start(
                    "run", "-q", "--name", "kept", "--pid", "container:owner", Self.image, "sh", "-c",
                    "echo up; sleep 0.3; exit 9")
                #expect(Wait.until(seconds: 20) { runimg.startedOutput.contains("up") })
                try client.kill()
                #expect(try runimg.check("wait", "kept").lines == ["9"])
                #expect(Self.status(runimg, "owner") == "running 0")
            }
        }
    }
}
