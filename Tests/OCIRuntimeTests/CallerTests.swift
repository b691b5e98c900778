internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

/// The programs that call OCI runtimes, each with the one that is tested.
@Suite(.serialized, .enabled(if: OCIBench.isPossible, OCIBench.requirement)) enum OCICallers {
    /// Nothing is left of a caller: its processes and mounts, and its control groups but for the parents.
    static func expectNothingLeft(of place: String, cgroup: String) {
        var left: [String] = []
        _ = Wait.until(seconds: 10) {
            left = LeakSnapshot.remains(of: place) + LeakSnapshot.cgroups(named: cgroup)
            return left.isEmpty
        }
        #expect(left.isEmpty, "\(left)")
    }

    @Suite(.enabled(if: Podman.isPossible, "needs root and podman from make servers"))
    struct ByPodman {
        @Test(arguments: OCIRuntime.first) func runsContainers(_ runtime: OCIRuntime) throws {
            let podman = try Podman(runtime: runtime)
            let common = ["--network", "none", "--cgroup-parent", "/\(podman.cgroup)"]
            do {
                defer { podman.clean() }
                try podman.importBusybox(as: "box:1")
                let run = { (flags: [String], script: String) in
                    try podman.run(["run"] + common + flags + ["box:1", "sh", "-c", script])
                }
                let ended = try run(["--rm"], "echo out; echo err >&2; exit 7")
                #expect(ended.status == 7 && ended.stdout == "out\n" && ended.stderr == "err\n", "\(ended)")
                let users = try run(
                    ["--rm", "--uidmap", "0:100000:65536", "--gidmap", "0:100000:65536"], "cat /proc/self/uid_map")
                #expect(users.stdout.split { " \n".contains($0) } == ["0", "100000", "65536"], "\(users)")
                let terminal = try run(["--rm", "-t"], "tty; test -t 1 && echo yes")
                #expect(terminal.stdout == "/dev/pts/0\r\nyes\r\n", "\(terminal)")

                let begun = try run(
                    ["-d", "--name", "one", "-m", "64m", "--pids-limit", "20"], "echo said; sleep 1000")
                #expect(begun.status == 0, "\(begun)")
                #expect(try podman.check("exec", "one", "sh", "-c", "echo in; exit 0").stdout == "in\n")
                let failed = try podman.run(["exec", "one", "sh", "-c", "exit 5"])
                #expect(failed.status == 5, "\(failed)")
                #expect(Wait.until(seconds: 10) { (try? podman.check("logs", "one").stdout) == "said\n" })
                try podman.check("pause", "one")
                #expect(try podman.check("inspect", "-f", "{{.State.Status}}", "one").lines == ["paused"])
                try podman.check("unpause", "one")
                let pids = try podman.run(["top", "one", "args"])
                #expect(pids.stdout.contains("sleep 1000"), "\(pids)")
                try podman.check("kill", "-s", "KILL", "one")
                let code = try podman.check("wait", "one")
                #expect(code.lines == ["137"], "\(code)")
                try podman.check("start", "one")
                try podman.check("stop", "-t", "1", "one")
                try podman.check("rm", "one")
            }
            OCICallers.expectNothingLeft(of: podman.place, cgroup: podman.cgroup)
        }

        @Test(arguments: OCIRuntime.first) func hooksPodsAndHealth(_ runtime: OCIRuntime) throws {
            let podman = try Podman(runtime: runtime)
            let common = ["--network", "none", "--cgroup-parent", "/\(podman.cgroup)"]
            do {
                defer { podman.clean() }
                try podman.importBusybox(as: "box:1")
                try Directory.makePath("\(podman.place)/hooks", mode: 0o755)
                let note = "\(podman.place)/hook.state"
                let hook: JSONValue = [
                    "version": "1.0.0", "when": ["always": true], "stages": ["createRuntime"],
                    "hook": ["path": "/bin/sh", "args": ["sh", "-c", "cat > \(note)"]],
                ]
                try File.replace("\(podman.place)/hooks/note.json", with: Array(hook.written.utf8), mode: 0o644)
                let hooked = try podman.run(
                    ["--hooks-dir", "\(podman.place)/hooks", "run", "--rm"] + common + ["box:1", "true"])
                #expect(hooked.status == 0, "\(hooked)")
                let state = try JSONValue(parsing: try File.readAll(note))
                #expect(state["id"]?.string?.count == 64 && (state["pid"]?.integer ?? 0) > 0)

                let health = ["--health-cmd", "test -e /healthy", "--health-interval", "disable"]
                let started = try podman.run(
                    ["run", "-d", "--name", "two"] + common + health + ["box:1", "sleep", "1000"])
                #expect(started.status == 0, "\(started)")
                let bad = try podman.run(["healthcheck", "run", "two"])
                #expect(bad.status == 1, "\(bad)")
                try podman.check("exec", "two", "touch", "/healthy")
                try podman.check("healthcheck", "run", "two")

                // podman 4.3.1 denies all devices to what is in a group of v2 that it makes for a pod.
                let isUnified = File.exists("/sys/fs/cgroup/cgroup.controllers")
                let parent = ["--cgroup-parent", "/\(podman.cgroup)"]
                let pod = try podman.run(
                    ["pod", "create", "--name", "pod", "--infra-image", "box:1", "--infra-command", "sleep 1000"]
                        + ["--network", "none", "--share-parent=\(!isUnified)"] + parent)
                #expect(pod.status == 0, "\(pod)")
                let line =
                    ["run", "--rm", "--pod", "pod"] + (isUnified ? parent : [])
                    + ["box:1", "readlink", "/proc/self/ns/ipc"]
                let member = try podman.run(line)
                let other = try podman.run(line)
                #expect(member.status == 0 && member.stdout == other.stdout, "\(member) \(other)")
            }
            OCICallers.expectNothingLeft(of: podman.place, cgroup: podman.cgroup)
        }
    }

    @Suite(.enabled(if: Containerd.isPossible, "needs root and containerd from make servers"))
    struct ByContainerd {
        @Test(arguments: OCIRuntime.first) func runsContainers(_ runtime: OCIRuntime) throws {
            var place = ""
            var cgroup = ""
            do {
                let containerd = try Containerd(runtime: runtime)
                (place, cgroup) = (containerd.place, containerd.cgroup)
                try tasks(containerd)
                try terminal(containerd)
            }
            OCICallers.expectNothingLeft(of: place, cgroup: cgroup)
        }

        private func tasks(_ containerd: Containerd) throws {
            let ended = try containerd.start(["--rm"], "one", "sh", "-c", "echo out; exit 7")
            #expect(ended.status == 7 && ended.stdout == "out\n", "\(ended)")
            let started = try containerd.start(
                ["-d", "--memory-limit", "67108864"], "two", "sh", "-c", "sleep 1000")
            #expect(started.status == 0, "\(started)")
            let inside = try containerd.check("tasks", "exec", "--exec-id", "e1", "two", "sh", "-c", "echo in")
            #expect(inside.stdout == "in\n")
            let failed = try containerd.run(["tasks", "exec", "--exec-id", "e2", "two", "sh", "-c", "exit 5"])
            #expect(failed.status == 5, "\(failed)")
            let status = { try containerd.check("tasks", "ls").stdout }
            try containerd.check("tasks", "pause", "two")
            #expect(try status().contains("PAUSED"))
            try containerd.check("tasks", "resume", "two")
            #expect(try status().contains("RUNNING"))
            let metrics = try containerd.check("tasks", "metrics", "two")
            #expect(metrics.stdout.contains("memory"), "\(metrics)")
            let processes = try containerd.check("tasks", "ps", "two")
            #expect(processes.lines.count == 2 || processes.lines.count == 3, "\(processes)")
            try containerd.check("tasks", "kill", "-s", "SIGKILL", "two")
            #expect(try Wait.until(seconds: 10) { try status().contains("STOPPED") })
            _ = try containerd.run(["tasks", "delete", "two"])
            try containerd.check("containers", "rm", "two")
        }

        private func terminal(_ containerd: Containerd) throws {
            let terminal = try containerd.onTerminal(
                containerd.line(["--rm", "-t"], "three", ["sh", "-c", "tty; read l; echo got-$l; exit 3"]))
            try terminal.expect("/dev/pts/0")
            try terminal.type("typed\r")
            try terminal.expect("got-typed")
            let end = try terminal.wait()
            #expect(end == .exited(3), "\(terminal.transcript)")
        }
    }

    @Suite(.enabled(if: DockerDaemon.isPossible, "needs root and docker from make servers"))
    struct ByDocker {
        @Test(arguments: OCIRuntime.first) func runsContainers(_ runtime: OCIRuntime) throws {
            let docker = try DockerDaemon(hasOwnNetwork: true, runtime: runtime)
            try docker.importBusybox(as: "box:1")
            let run = { (flags: [String], script: String) in
                try docker.run(["run", "--network", "none"] + flags + ["box:1", "sh", "-c", script])
            }
            let ended = try run(["--rm"], "echo out; echo err >&2; exit 7")
            #expect(ended.status == 7 && ended.stdout == "out\n" && ended.stderr == "err\n", "\(ended)")
            let terminal = try run(["--rm", "-t"], "tty; test -t 1 && echo yes")
            #expect(terminal.stdout == "/dev/pts/0\r\nyes\r\n", "\(terminal)")
            let health = ["--health-cmd", "test -e /healthy", "--health-interval", "200ms"]
            let flags = ["-d", "--name", "one", "-m", "64m", "--pids-limit", "20", "--cpus", "0.5"]
            let started = try run(flags + health, "touch /healthy; echo said; sleep 1000")
            #expect(started.status == 0, "\(started)")
            let used = try docker.check("inspect", "-f", "{{.HostConfig.Runtime}}", "one")
            #expect(used.lines == ["tested"])
            #expect(try docker.check("exec", "one", "sh", "-c", "echo in").stdout == "in\n")
            #expect(try docker.run(["exec", "one", "sh", "-c", "exit 5"]).status == 5)
            #expect(try docker.check("logs", "one").stdout == "said\n")
            #expect(
                Wait.until(seconds: 20) {
                    (try? docker.check("inspect", "-f", "{{.State.Health.Status}}", "one").lines) == ["healthy"]
                })
            try docker.check("pause", "one")
            try docker.check("unpause", "one")
            try runtime.deviates([.crun], "crun 1.8.1 sets limits that docker did not name", isIntermittent: true) {
                try docker.check("update", "--pids-limit", "30", "one")
            }
            try docker.check("stop", "-t", "1", "one")
            #expect(try docker.check("inspect", "-f", "{{.State.ExitCode}}", "one").lines == ["137"])
            try docker.check("rm", "one")
            // What starts no process is said so.
            let failed = try docker.run(["run", "--rm", "--network", "none", "box:1", "no-such-program"])
            #expect(failed.status == 127 || failed.status == 126, "\(failed)")
        }

        @Test(arguments: OCIRuntime.first) func runsAServiceOfASwarm(_ runtime: OCIRuntime) throws {
            let docker = try DockerDaemon(hasOwnNetwork: true, runtime: runtime)
            try docker.importBusybox(as: "box:1")
            try docker.check("swarm", "init", "--advertise-addr", "127.0.0.1", "--listen-addr", "127.0.0.1")
            try docker.check(
                "service", "create", "--detach", "--name", "three", "--replicas", "3", "--network", "host",
                "--no-resolve-image", "box:1", "sleep", "1000")
            let running = { () -> Int in
                let tasks = try? docker.check("service", "ps", "--format", "{{.CurrentState}}", "three")
                return tasks?.lines.count { $0.hasPrefix("Running") } ?? 0
            }
            #expect(Wait.until(seconds: 60) { running() == 3 })
            let ids = try docker.check("ps", "-q").lines
            #expect(ids.count == 3)
            for id in ids {
                let used = try docker.check("inspect", "-f", "{{.HostConfig.Runtime}}", id)
                #expect(used.lines == ["tested"])
            }
            // One that dies is replaced.
            try docker.check("kill", ids[0])
            #expect(
                Wait.until(seconds: 60) {
                    let now = (try? docker.check("ps", "-q").lines) ?? []
                    return now.count == 3 && !now.contains(ids[0])
                })
            try docker.check("service", "rm", "three")
            #expect(Wait.until(seconds: 60) { (try? docker.check("ps", "-q").lines) == [] })
            try docker.check("swarm", "leave", "--force")
        }
    }
}
