internal import Sys
internal import Systemd
internal import TestSupport
internal import Testing

extension OCICallers {
    /// A caller that leaves cgroups to systemd, and has its runtime do the same.
    @Suite(.enabled(if: UnitBench.hasSystemd && Podman.isPossible, "needs systemd as the first process, and podman"))
    struct BySystemd {
        @Test(arguments: OCIRuntime.first) func podmansContainersAreScopes(_ runtime: OCIRuntime) throws {
            let podman = try Podman(runtime: runtime, cgroupManager: "systemd")
            let manager = try SystemdManager(isUser: false)
            var unit = ""
            do {
                defer { podman.clean() }
                try podman.importBusybox(as: "box:1")
                let ended = try podman.run(
                    ["run", "--rm", "--network", "none", "box:1", "sh", "-c", "echo out; exit 7"])
                #expect(ended.status == 7 && ended.stdout == "out\n", "\(ended)")
                let started = try podman.run([
                    "run", "-d", "--name", "one", "--network", "none", "-m", "64m", "--pids-limit", "20", "box:1",
                    "sleep",
                    "1000",
                ])
                let id = try #require(started.lines.last, "\(started)")
                unit = "libpod-\(id).scope"
                #expect(try manager.property("ActiveState", of: unit).text == "active")
                let isLegacy = File.exists("/sys/fs/cgroup/memory")
                let limit = try manager.property(
                    isLegacy ? "MemoryLimit" : "MemoryMax", of: unit, in: "org.freedesktop.systemd1.Scope")
                #expect(limit.unsigned == 64 << 20, "\(limit)")
                #expect(try podman.check("exec", "one", "echo", "in").stdout == "in\n")
                try podman.check("pause", "one")
                try podman.check("unpause", "one")
                try podman.check("stop", "-t", "1", "one")
                try podman.check("start", "one")
                #expect(try manager.property("ActiveState", of: unit).text == "active")
                try podman.check("rm", "-f", "-t", "0", "one")
            }
            let isGone = Wait.until(seconds: 20) {
                (try? manager.property("LoadState", of: unit).text) == "not-found"
                    && LeakSnapshot.remains(of: podman.place).isEmpty
            }
            #expect(isGone, "\(LeakSnapshot.remains(of: podman.place))")
        }
    }
}
