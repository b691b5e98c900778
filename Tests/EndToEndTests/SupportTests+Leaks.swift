internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension SupportTests {
    /// Each kind of leak is planted, must be named, is taken away and must be gone. Other tests compare the machine
    /// meanwhile, so what they could take for theirs stays for a moment only.
    @Suite(.enabled(if: Conditions.isRoot, "needs root")) struct Leaks {
        private let scratch: Scratch
        private let before: LeakSnapshot

        init() throws {
            scratch = try Scratch()
            try scratch.file("data/file", "x")
            before = try LeakSnapshot(dataRoot: scratch("data"))
            #expect(try before.leaks(seconds: 0) == [])
        }

        private func expectNamed(_ words: String..., by snapshot: LeakSnapshot? = nil) throws {
            var lines: [String] = []
            // A child needs a moment until it has done what was planted.
            let named = try Wait.until(seconds: 10) {
                lines = try (snapshot ?? before).leaks(seconds: 0)
                return words.allSatisfy { word in lines.contains { $0.contains(word) } }
            }
            #expect(named, "\(words) is not in \(lines)")
        }

        private func expectGone(_ snapshot: LeakSnapshot? = nil) throws {
            #expect(try (snapshot ?? before).leaks(seconds: 10) == [])
        }

        /// A child whose command line says nothing of the data root, which is its working directory.
        private func plant(_ program: String, _ arguments: String...) throws -> ChildProcess {
            let path = try #require(Tool.find(program))
            return try ChildProcess(
                path, arguments, environment: Tool.baseEnvironment, directory: scratch("data"))
        }

        @Test("H3: a process of the data root is named") func process() throws {
            var child = try plant("sh", "-c", ": \(scratch("data")); sleep 60; :")
            try expectNamed("process \(child.pid): ")
            try child.kill()
            try expectGone()
        }

        @Test("H3: a mount in any namespace is named") func mounts() throws {
            var child = try plant(
                "unshare", "-m", "--propagation", "private", "sh", "-c", "mount -t tmpfs none .; sleep 60; :")
            try expectNamed("mount \(scratch("data")) in the namespace of process")
            try child.kill()
            try expectGone()
            try Tool.check("mount", ["-t", "tmpfs", "none", scratch("data")])
            defer { umount2(scratch("data"), Int32(MNT_DETACH)) }
            try expectNamed("mount \(scratch("data"))")
        }

        @Test("H3: a lock on a file of the store is named", .enabled(if: Conditions.has("flock"), "needs flock"))
        func locks() throws {
            var child = try plant("flock", "-x", "file", "sleep", "60")
            try expectNamed("on \(scratch("data/file"))")
            try child.kill()
            try expectGone()
        }

        @Test("H3: a change of the store is named, modes as well") func store() throws {
            let path = scratch("data/file")
            try check { chmod(path, 0o4755) }
            try scratch.file("data/tmp/left", "x")
            try expectNamed("store: file: mode 4755, expected 644", "store: tmp/left: unexpected file")
            try check { chmod(path, 0o644) }
            try Directory.removeTree(scratch("data/tmp"))
            try expectGone()
        }

        @Test("H3: a loop device on a file of the store is named", .enabled(if: LoopDisk.isPossible, "needs losetup"))
        func loopDevices() throws {
            let file = try scratch.file("data/disk", [UInt8](repeating: 0, count: 1 << 20))
            let device = try #require(try Tool.check("losetup", ["-f", "--show", file]).lines.first)
            try expectNamed("loop device of \(file)")
            try Tool.check("losetup", ["-d", device])
            try File.unlink(file)
            try expectGone()
        }

        @Test("H3: a cgroup and a run directory without a process are named") func cgroupsAndRunDirectories() throws {
            let id = "self-test-\(Random.hex(bytes: 8))"
            let cgroup = "/sys/fs/cgroup/unified/runimg/\(id)"
            let base = File.exists("/sys/fs/cgroup/unified") ? cgroup : "/sys/fs/cgroup/runimg/\(id)"
            try Directory.makePath(base, mode: 0o755)
            defer { rmdir(base) }
            try expectNamed("cgroup \(base)")
            try Directory.remove(base)
            try expectGone()

            let run = "/run/runimg/\(id)"
            try Directory.makePath("/run/runimg", mode: 0o711)
            try Directory.make(run, mode: 0o700)
            defer { try? Directory.removeTree(run) }
            try File.replace("\(run)/state.json", with: Array(#"{"dataRoot":"\#(scratch("data"))"}"#.utf8))
            try expectNamed("run directory \(run)")
            try Directory.removeTree(run)
            try expectGone()
        }

        @Test("H3: a named network namespace is named") func namespaces() throws {
            let name = "runimg-self-test-\(Random.hex(bytes: 4))"
            try Directory.makePath("/run/netns", mode: 0o755)
            let file = try File.open("/run/netns/\(name)", O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
            defer { try? File.unlink("/run/netns/\(name)") }
            try expectNamed("namespace netns \(name)")
            try File.unlink("/run/netns/\(name)")
            _ = consume file
            try expectGone()
        }

        @Test(
            "H3: links, addresses, routes, neighbours and filter rules are named",
            .enabled(if: PrivateNetwork.isPossible, "\(PrivateNetwork.requirements)"))
        func network() throws {
            let network = try PrivateNetwork()
            let before = try LeakSnapshot(dataRoot: scratch("data"), network: network)
            // Not every kernel has dummy devices; one end of a pair is as good.
            try network.run("ip", "link", "add", "leak0", "type", "veth", "peer", "name", "leak1")
            try network.run("ip", "addr", "add", "192.0.2.1/24", "dev", "leak0")
            try network.run("ip", "link", "set", "leak0", "up")
            try network.run("ip", "neigh", "add", "192.0.2.9", "lladdr", "02:00:00:00:00:09", "dev", "leak0")
            try network.run("ip", "route", "add", "198.51.100.0/24", "dev", "lo")
            try expectNamed(
                "leak0@leak1: <", "inet 192.0.2.1/24", "192.0.2.9 dev leak0", "198.51.100.0/24 dev lo", by: before)
            try network.run("ip", "link", "del", "leak0")
            try network.run("ip", "route", "del", "198.51.100.0/24")
            try expectGone(before)
            guard Conditions.has("nft") else { return }
            try network.run("nft", "add", "table", "inet", "leak")
            try expectNamed("network table inet leak", by: before)
            try network.run("nft", "delete", "table", "inet", "leak")
            try expectGone(before)
        }

        @Test("H3: pseudo-terminals and keys in use are counted") func terminalsAndKeys() throws {
            let before = try LeakSnapshot(dataRoot: scratch("data"), scope: .machine)
            // More than other tests open meanwhile give back.
            var terminals: [PseudoTerminal] = []
            for _ in 0..<40 { terminals.append(try PseudoTerminal("sleep", ["60"])) }
            try expectNamed("pseudo-terminals in use", by: before)
            terminals = []
            #expect(Wait.until(seconds: 30) { (try? before.leaks(seconds: 0)) == [] })
            guard let number = ["x86_64": "248", "aarch64": "217"][Machine.name], Conditions.has("perl") else { return }
            // A key of the process keyring lives as long as the process.
            var child = try plant(
                "perl", "-e",
                "my ($t, $v) = ('user', 'x'); syscall(\(number), $t, \"leak$_\", $v, 1, -2) > 0 or die $! for 1..40; sleep 60"
            )
            try expectNamed("keys in use", by: before)
            try child.kill()
            #expect(Wait.until(seconds: 30) { (try? before.leaks(seconds: 0)) == [] })
        }
    }
}

private enum Machine {
    /// As uname(2) has it.
    static let name = (try? Tool.check("uname", ["-m"]).lines.first) ?? ""
}
