internal import Glibc
internal import OCI
internal import Sys
internal import Systemd
internal import TestSupport
internal import Testing

extension OCIRuntimeTests.SystemdCgroup {
    /// An ordinary user with a systemd of its own, as a login has one: a delegated part of the tree of cgroups, in which the
    /// user's commands are too.
    private final class UserManager {
        let scratch: Scratch
        private let user: OrdinaryUser
        private let unit = "runimgtest-user-\(Random.hex(bytes: 4)).service"
        var cgroup: String { "/sys/fs/cgroup/system.slice/\(unit)" }
        var places: [SystemdPlace] { [SystemdPlace(path: scratch("run/systemd/private"), isBus: false)] }

        init() throws {
            user = try #require(OrdinaryUser.plain)
            scratch = try Scratch()
            try check { chmod(scratch.path, 0o755) }
            try OCIContainer.makeRoot(scratch, "bundle/rootfs")
            try scratch.directory("run", mode: 0o700)
            try Tool.check("chown", ["-hR", user.name, scratch("bundle"), scratch("run")])
            try Tool.check(
                "systemd-run",
                [
                    "--unit=\(unit)", "--uid=\(user.name)", "-pDelegate=yes", "-EXDG_RUNTIME_DIR=\(scratch("run"))",
                    "/usr/lib/systemd/systemd", "--user",
                ])
            let socket = scratch("run/systemd/private")
            try #require(Wait.until(seconds: 20) { File.exists(socket) })
            try Directory.make("\(cgroup)/commands", mode: 0o755)
        }

        func run(_ words: String...) throws -> Tool.Output {
            let line = user.command + words
            return try Tool.run(
                "sh", ["-c", "echo $$ > \(cgroup)/commands/cgroup.procs && exec \"$@\"", "sh"] + line,
                environment: ["XDG_RUNTIME_DIR": scratch("run")], directory: scratch("bundle"))
        }

        deinit {
            _ = try? Tool.run("systemctl", ["stop", unit])
            _ = try? Tool.run("systemctl", ["reset-failed", unit])
        }
    }

    @Test(
        .enabled(
            if: OrdinaryUser.isPossible && File.exists("/sys/fs/cgroup/cgroup.controllers"),
            "\(OrdinaryUser.need), and cgroup v2 alone"),
        arguments: OCIRuntime.all.filter { $0.kind == .runimg })
    func aUsersContainersAreUnitsOfTheUsersSystemd(_ runtime: OCIRuntime) throws {
        let manager = try UserManager()
        let globals = [runtime.path, "--cgroup-manager", "systemd"]
        let written = try manager.run(runtime.path, "spec", "--rootless")
        #expect(written.status == 0, "\(written)")
        var config = try JSONValue(parsing: File.readAll(manager.scratch("bundle/config.json")))
        config[path: "process.terminal"] = .bool(false)
        config[path: "process.args"] = ["sleep", "1000"]
        config[path: "linux.resources"] = ["memory": ["limit": 67_108_864], "pids": ["limit": 9]]
        try manager.scratch.file("bundle/config.json", config.written)
        let created = try manager.run(globals[0], globals[1], globals[2], "create", "c1")
        #expect(created.status == 0, "\(created)")
        let scope = "\(manager.cgroup)/user.slice/runimg-oci-c1.scope"
        let limit = try? File.readAll("\(scope)/memory.max")
        #expect(limit == Array("67108864\n".utf8))
        let tasks = try? File.readAll("\(scope)/pids.max")
        #expect(tasks == Array("9\n".utf8))
        let systemd = try SystemdManager(places: manager.places, name: "the user's systemd")
        let maximum = try systemd.property(
            "MemoryMax", of: "runimg-oci-c1.scope", in: "org.freedesktop.systemd1.Scope")
        #expect(maximum == .uint64(67_108_864))
        let started = try manager.run(globals[0], "start", "c1")
        #expect(started.status == 0, "\(started)")
        let further = try manager.run(globals[0], "exec", "c1", "cat", "/proc/self/cgroup")
        // The root of its cgroup namespace is the scope.
        #expect(further.status == 0 && further.lines == ["0::/"], "\(further)")
        let listed = try? File.readAll("\(scope)/cgroup.procs")
        #expect(listed?.isEmpty == false)
        let updated = try manager.run(globals[0], "update", "--pids-limit", "12", "c1")
        #expect(updated.status == 0, "\(updated)")
        let more = try? File.readAll("\(scope)/pids.max")
        #expect(more == Array("12\n".utf8))
        let removed = try manager.run(globals[0], "delete", "--force", "c1")
        #expect(removed.status == 0, "\(removed)")
        #expect(Wait.until(seconds: 5) { !File.exists(scope) })
        let left = try systemd.property("LoadState", of: "runimg-oci-c1.scope")
        #expect(left == .string("not-found"))
    }
}
