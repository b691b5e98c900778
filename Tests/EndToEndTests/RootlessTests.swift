internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

/// An ordinary user's life: the namespace that all commands share, what holds it, and what it is refused.
@Suite(
    .enabled(if: Conditions.canRun && OrdinaryUser.isPossible, "\(OrdinaryUser.need)"))
struct RootlessTests {
    static let image = "oci:\(Fixtures.layout("busybox")):latest"

    /// Runs `body` with a program and store of the user's own; a process that it leaves is a failure.
    static func isolated(
        _ user: OrdinaryUser? = OrdinaryUser.ranged, environment: [String: String] = [:],
        _ body: (Runimg) throws -> Void
    ) throws {
        let someone = try #require(user)
        let runimg = try Runimg(environment: environment, user: someone)
        do {
            try body(runimg)
        } catch {
            _ = try? runimg("rm", "-f", "-v", "--all")
            throw error
        }
        try runimg.check("rm", "-f", "-v", "--all")
        #expect(Wait.until(seconds: 20) { holders(runimg).isEmpty }, "\(holders(runimg))")
        #expect(try Directory.entries(runimg.runDirectory).allSatisfy { $0.name.hasPrefix("userns.") })
    }

    /// The processes that have a file of the run directory open, by name.
    static func holders(_ runimg: Runimg) -> [Int32: String] {
        var result: [Int32: String] = [:]
        for pid in ((try? Directory.entries("/proc")) ?? []).compactMap({ Int32($0.name) }) {
            let descriptors = (try? Directory.entries("/proc/\(pid)/fd").map(\.name)) ?? []
            let isHolder = descriptors.contains { name in
                ((try? File.readLink("/proc/\(pid)/fd/\(name)")) ?? "").hasPrefix(runimg.runDirectory)
            }
            guard isHolder, let name = try? File.readAll("/proc/\(pid)/comm") else { continue }
            result[pid] = String(decoding: name, as: UTF8.self).split(separator: "\n").joined()
        }
        return result
    }

    static func keepers(_ runimg: Runimg) -> [Int32] {
        holders(runimg).filter { $0.value == "runimg-keeper" }.map(\.key)
    }

    @Test func whatNeedsNoContainerNeedsNoNamespace() throws {
        try Self.isolated { runimg in
            for command in [["version"], ["help"], ["run", "--help"], ["__complete", "run", ""]] {
                _ = try runimg.run(command)
            }
            #expect(!File.exists("\(runimg.runDirectory)/userns.lock"))
            let info = try runimg.check("info").stdout
            #expect(info.contains("\n  rootless\n") && info.contains("in a user namespace, IDs 0 to 65536"), "\(info)")
            #expect(info.contains("userxattr: true"))
            #expect(try runimg.check("info", "-f", "{{json .SecurityOptions}}").stdout.contains("\"name=rootless\""))
        }
    }

    @Test func firstCommandsAtOnceMakeOneNamespace() throws {
        try Self.isolated { runimg in
            try runimg.check("pull", "-q", Self.image)
            #expect(Wait.until(seconds: 20) { Self.holders(runimg).isEmpty })
            let image = try #require(try runimg.check("images", "-q").lines.first)
            #expect(Wait.until(seconds: 20) { Self.holders(runimg).isEmpty })
            let line = runimg.command(["run", "-d", image, "sleep", "100"]).map { "'\($0)'" }.joined(separator: " ")
            let environment = ["HOME": runimg.scratch("home"), "XDG_RUNTIME_DIR": runimg.scratch("run")]
            let script = "for i in 1 2 3 4 5; do \(line) & done; wait"
            let ids = try Tool.check("sh", ["-c", script], environment: environment).lines
            #expect(ids.count == 5 && Self.keepers(runimg).count == 1)
            for id in ids { #expect(try runimg.check("exec", id, "id", "-u").stdout == "0\n") }
        }
    }

    @Test func theKeeperGoesWithItsLastUserAndMayBeKilled() throws {
        try Self.isolated { runimg in
            let id = try #require(try runimg.check("run", "-d", "-q", Self.image, "sleep", "100").lines.first)
            let keeper = try #require(Self.keepers(runimg).first)
            kill(keeper, SIGKILL)
            #expect(Wait.until(seconds: 10) { Self.keepers(runimg).isEmpty })
            #expect(try runimg.check("exec", id, "id", "-u").stdout == "0\n")
            #expect(Self.keepers(runimg).count == 1)
            #expect(try runimg.check("ps", "-q").lines.count == 1)
            try runimg.check("stop", "-t", "0", id)
            try runimg.check("start", id)
            try runimg.check("exec", id, "true")
        }
    }

    @Test(.timeLimit(.minutes(Wait.minutes(2)))) func aKilledCommandLeavesNothing() throws {
        try Self.isolated { runimg in
            try runimg.check("pull", "-q", Self.image)
            let image = try #require(try runimg.check("images", "-q").lines.first)
            for step in 0..<12 {
                var child = try runimg.start("run", "--rm", "--name", "killed", image, "sleep", "100")
                Wait.sleep(0.012 * Double(step))
                try child.kill()
                #expect(try runimg("rm", "-f", "killed").status == 0)
                #expect(try runimg.check("ps", "-aq").lines == [])
            }
        }
    }

    /// Into the host's network nobody here may enter, and nobody has to.
    @Test func execsWhereTheNetworkIsTheHosts() throws {
        try Self.isolated { runimg in
            try runimg.check("pull", "-q", Self.image)
            try runimg.check("run", "-d", "-q", "--name", "host", "--network", "host", Self.image, "sleep", "1000")
            let output = try runimg("exec", "host", "sh", "-c", "readlink /proc/self/ns/net; readlink /proc/1/ns/net")
            #expect(output.status == 0 && Set(output.lines).count == 1, "\(output)")
        }
    }

    @Test func withoutARangeThereIsOneID() throws {
        try Self.isolated(OrdinaryUser.plain) { runimg in
            let pulled = try runimg.check("pull", "-q", Self.image)
            let notes = pulled.stderr.split(separator: "\n").filter { $0.contains("your user namespace has one ID") }
            #expect(notes.count == 1, "\(pulled)")
            let ran = try runimg.check(
                "run", "--rm", "-q", Self.image, "sh", "-c", "id -u; ls -ldn /home/alice; touch /x")
            #expect(ran.lines.first == "0" && ran.stdout.contains(" 0        0 "), "\(ran)")
            let other = try runimg("run", "--rm", "-q", "-u", "1000", Self.image, "id")
            #expect(other.status == 125 && other.stderr.contains("only 0, which is you; with newuidmap"), "\(other)")
            #expect(try runimg.check("info").stdout.contains("IDs only 0"))
        }
    }

    /// Scripts that run the rest of their arguments where no user namespace can be made, and proot can't be executed; the
    /// first is an empty directory.
    private static let prisons = [
        // A process in a chroot may make none.
        (
            """
            exec unshare -m sh -c '[ ! -e /usr/bin/proot ] || mount --bind /dev/null /usr/bin/proot
                mount --rbind / "$0" && exec chroot "$0" "$@"' "$@"
            """,
            "operation not permitted (EPERM). Ways out: run as root: sudo runimg …; or let the container or sandbox "
                + "around this shell make user namespaces (its seccomp filter forbids them, or a chroot does); or install "
                + "proot (Debian's package proot)"
        ),
        // A namespace with IDs of its own and a limit of none below it.
        (
            """
            inner='[ ! -e /usr/bin/proot ] || mount --bind /dev/null /usr/bin/proot
                echo 0 > /proc/sys/user/max_user_namespaces; exec "$@"'
            unshare -U -m sh -c 'until grep -q . /proc/self/gid_map; do sleep 0.01; done; exec sh -c "$@"' - "$inner" "$@" &
            until [ "$(readlink /proc/$!/ns/user)" != "$(readlink /proc/self/ns/user)" ]; do sleep 0.01; done
            echo 0 0 65536 > /proc/$!/uid_map; echo 0 0 65536 > /proc/$!/gid_map; wait $!
            """,
            "(ENOSPC). Ways out: run as root: sudo runimg …; or allow user namespaces: sudo sysctl -w "
                + "user.max_user_namespaces=15000"
        ),
    ]

    @Test(arguments: prisons)
    func whereNamespacesAreForbiddenTheWaysOutAreNamed(_ prison: String, _ expected: String) throws {
        try Self.isolated { runimg in
            let script = try runimg.scratch.file("prison", prison)
            let prison = ["sh", script, try runimg.scratch.directory("root")]
            for line in [["run", "-q", Self.image, "true"], ["create", "-q", Self.image]] {
                let refused = try runimg.run(line, under: prison)
                #expect(
                    refused.status == (line[0] == "run" ? 125 : 1) && refused.stderr.contains(expected), "\(refused)")
            }
            // What needs no container goes on.
            for line in [["version"], ["ps"]] { #expect(try runimg.run(line, under: prison).status == 0) }
        }
    }

    @Test("F33: images are had and their files unpacked where no namespace can be made", arguments: prisons)
    func imagesNeedNoNamespace(_ prison: String, _: String) throws {
        try Self.isolated { runimg in
            let script = try runimg.scratch.file("prison", prison)
            let root = try runimg.scratch.directory("root")
            func check(_ line: String...) throws -> Tool.Output {
                let output = try runimg.run(line, under: ["sh", script, root])
                try #require(output.status == 0, "\(output)")
                return output
            }
            let tar = TarForge.make { tar in
                tar.file("closed/unreadable", "x") { ($0.mode, $0.uid, $0.gid) = (0, 7, 8) }
                tar.file("home/.wh.alice", "")
                tar.member(TarForge.Header("disk", type: "4").with { ($0.major, $0.minor) = (8, 0) }, [])
                tar.member(TarForge.Header("closed", type: "5").with { $0.mode = 0o555 }, [])
            }
            let path = runimg.scratch("layout")
            let layout = try OCILayout(path)
            try layout.tag(try ImageForge.onFixture(layout, tars: [tar]), "latest")
            try Tool.check("chmod", ["-R", "a+rX", path])
            let pulled = try check("pull", "oci:\(path):latest")
            #expect(pulled.stderr.contains("1 device node of the image left out"), "\(pulled)")
            #expect(pulled.stderr.contains("there is no user namespace here, so"), "\(pulled)")
            let image = try #require(try check("images", "-q").lines.first)
            let tree = runimg.scratch("home/tree")
            _ = try check("unpack", image, tree)
            #expect(try File.readAll("\(tree)/closed/unreadable") == Array("x".utf8))
            #expect(File.exists("\(tree)/home") && !File.exists("\(tree)/home/alice") && !File.exists("\(tree)/disk"))
            _ = try check("bundle", image, runimg.scratch("home/bundle"), "sh")
            #expect(File.exists(runimg.scratch("home/bundle/rootfs/bin/busybox")))
            let shown = try #require(try check("mount", image).lines.first)
            #expect(File.exists("\(shown)/closed/unreadable"))
            _ = try check("unmount", image)
            #expect(try check("info").stdout.contains("no user namespace"))
            _ = try check("tag", image, "mine:1")
            // Its builder wrote none: the header is all.
            #expect(try check("history", "mine:1").lines.count == 1)
            _ = try check("image", "prune", "-f")
            #expect(try check("system", "df", "--format", "{{.TotalCount}}").lines.first == "1")
            _ = try check("rmi", "-f", image)
            #expect(try check("images", "-q").lines == [])
        }
    }

    @Test func anothersDirectoriesAreRefused() throws {
        try Self.isolated { runimg in
            try runimg.scratch.directory("others")
            let others = runimg.scratch("others")
            for (variable, text) in [
                ("XDG_DATA_HOME", "XDG_DATA_HOME is \(others), which belongs to user 0 and not to you"),
                ("HOME", "HOME is \(others), which belongs to user 0 and not to you"),
                ("XDG_RUNTIME_DIR", "XDG_RUNTIME_DIR is \(others), which belongs to user 0 and not to you"),
            ] {
                let refused = try runimg.run(["ps"], environment: [variable: others])
                #expect(refused.status == 1 && refused.stderr.contains(text), "\(refused)")
            }
            try check { chmod(runimg.scratch("run"), 0o777) }
            let open = try runimg.run(["ps"])
            #expect(open.status == 1 && open.stderr.contains("can be written to by others (mode 777)"), "\(open)")
            try check { chmod(runimg.scratch("run"), 0o700) }
            try runimg.check("ps")
        }
    }

    @Test func theUsersFilesAreRootsInside() throws {
        try Self.isolated { runimg in
            try runimg.scratch.file("home/shared/mine", "mine")
            try Tool.check("chown", ["-R", "\(try #require(runimg.user).uid)", runimg.scratch("home/shared")])
            let script = "cat /s/mine; stat -c %u /s/mine; echo out > /s/new; cat /r/secret; echo x > /s/mine"
            let secret = try runimg.scratch.file("secret", "root's", mode: 0o600)
            let mounts = ["-v", "\(runimg.scratch("home/shared")):/s", "-v", "\(secret):/r/secret"]
            let ran = try runimg.run(["run", "--rm", "-q"] + mounts + [Self.image, "sh", "-c", script])
            #expect(ran.stdout == "mine0\n" && ran.stderr.contains("/r/secret': Permission denied"), "\(ran)")
            let status = try File.status(runimg.scratch("home/shared/new"))
            #expect(status.uid == runimg.user?.uid)
            let readOnly = ["-v", "\(runimg.scratch("home/shared")):/s:ro"]
            let refused = try runimg.run(["run", "--rm", "-q"] + readOnly + [Self.image, "touch", "/s/no"])
            #expect(refused.stderr.contains("Read-only file system"), "\(refused)")
        }
    }

    @Test func itsProcessesAreListedWithoutACgroup() throws {
        try Self.isolated { runimg in
            let id = try #require(
                try runimg.check("run", "-d", "-q", Self.image, "sh", "-c", "sleep 100 & wait").lines.first)
            #expect(Wait.until(seconds: 10) { (try? runimg.check("top", id).lines.count) == 3 })
            let paused = try runimg("pause", id)
            #expect(paused.status == 1 && paused.stderr.contains("no cgroup of this machine is yours"), "\(paused)")
        }
    }

    @Test func limitsWithoutACgroupAreRefused() throws {
        try Self.isolated { runimg in
            for flag in ["-m=64m", "--cpus=1", "--pids-limit=10"] {
                let refused = try runimg("run", "--rm", "-q", flag, Self.image, "true")
                #expect(
                    refused.status == 125 && refused.stderr.contains("no cgroup of this machine is yours"), "\(refused)"
                )
            }
        }
    }

    @Test(.enabled(if: Delegation.isPossible, "needs cgroups with memory and pids"))
    func limitsHoldInACgroupOfTheUsers() throws {
        try Self.isolated { runimg in
            try Self.delegated(runimg) { cgroups in
                func run(_ arguments: String...) throws -> Tool.Output {
                    try runimg.run(arguments, under: cgroups.inside)
                }
                let id = try #require(
                    try run("run", "-d", "-q", "-m", "64m", "--pids-limit", "7", Self.image, "sleep", "100")
                        .lines.first)
                let file = Delegation.isUnified ? "memory.max" : "memory.limit_in_bytes"
                let limit = try File.readAll("\(cgroups.places[0])/runimg/\(id)/\(file)")
                #expect(String(decoding: limit, as: UTF8.self) == "67108864\n")
                for place in cgroups.places { #expect(File.exists("\(place)/runimg/\(id)"), "\(place)") }
                // A process joins from where its user may move processes; the others find the cgroup from anywhere.
                let pids = Delegation.isUnified ? "/sys/fs/cgroup/pids.max" : "/sys/fs/cgroup/pids/pids.max"
                #expect(try run("exec", id, "cat", pids).stdout == "7\n")
                let outside = try runimg("exec", id, "true")
                #expect(outside.status == 126 && outside.stderr.contains("is delegated to you"), "\(outside)")
                try runimg.check("pause", id)
                #expect(try runimg.check("ps").stdout.contains("(Paused)"))
                try runimg.check("unpause", id)
                #expect(try runimg.check("stats", "--no-stream", id).stdout.contains("/ 64MiB"))
                if !cgroups.has("cpuset") {
                    let refused = try run("run", "--rm", "-q", "--cpuset-cpus", "0", Self.image, "true")
                    #expect(refused.status == 125 && refused.stderr.contains("\"cpuset\""), "\(refused)")
                }
                try runimg.check("rm", "-f", id)
                #expect(!File.exists("\(cgroups.places[0])/runimg/\(id)"))
            }
        }
    }

    /// With cgroups of the user's own.
    static func delegated(_ runimg: Runimg, _ body: (Delegation) throws -> Void) throws {
        let cgroups = try Delegation(to: try #require(runimg.user))
        defer {
            // The keeper is where the first command was.
            #expect(Wait.until(seconds: 20) { holders(runimg).isEmpty })
            #expect(Wait.until(seconds: 5) { cgroups.remove() }, "\(cgroups.places)")
        }
        try body(cgroups)
    }

    @Test("D2: a remapped user writes neither the store of its own user nor root's")
    func aRemappedUserWritesNoStore() throws {
        let root = try Runimg()
        try root.check("pull", "-q", Self.image)
        try check { chmod(root.scratch.path, 0o755) }
        try Self.isolated { runimg in
            try runimg.check("pull", "-q", Self.image)
            let script = """
                ls /store/image; for f in /store/image/overlay2/repositories.json /store/image/overlay2/layerdb/x; do
                echo x >> $f || echo refused; done
                """
            // Root of the container is the user, who owns the store; who is mapped to another ID is not.
            for (flags, store) in [
                (["-u", "1000"], runimg.dataRoot), (["-u", "0"], root.dataRoot), (["-u", "1000"], root.dataRoot),
            ] {
                let said = try runimg.run(
                    ["run", "--rm", "-q", "-v", "\(store):/store"] + flags + [Self.image, "sh", "-c", script])
                #expect(said.stdout == "refused\nrefused\n", "\(said)")
                #expect(said.stderr.split(separator: "\n").allSatisfy { $0.hasSuffix("Permission denied") }, "\(said)")
            }
        }
    }
}
