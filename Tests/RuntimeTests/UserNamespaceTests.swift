import Cgroups
import Glibc
import OCI
import Rootfs
import Runtime
import Sys
import TestSupport
import Testing

/// Containers whose users are others outside, over a tree that belongs to those.
@Suite(.enabled(if: ContainerFixture.isPossible, ContainerFixture.requirement))
struct UserNamespaceTests {
    private static let mapping = [Spec.IDMapping(containerID: 0, hostID: 100_000, size: 65536)]

    /// A bundle's root, which only the host's root can reach.
    private func bundle() throws -> ContainerFixture {
        let fixture = try ContainerFixture()
        try Tool.check("chown", ["-R", "100000:100000", fixture.scratch("overlay2/base/diff")])
        try Tool.check("chmod", ["700", fixture.scratch("overlay2")])
        return fixture
    }

    private func map(_ request: inout LaunchRequest, _ fixture: ContainerFixture) {
        request.rootfs = RootfsMount(directory: fixture.scratch("overlay2/base/diff"), readOnly: false)
        request.spec.linux.namespaces.append(Spec.Namespace(.user))
        request.spec.linux.uidMappings = Self.mapping
        request.spec.linux.gidMappings = Self.mapping
    }

    @Test func rootOwnsWhatItMakes() throws {
        let fixture = try bundle()
        let script = """
            cat /proc/self/uid_map; id -u; id -G; touch /made /dev/shm/made && mkdir /etc/made && stat -c '%u %g' /made /dev/shm/made /dev/pts; touch /dev/mqueue/made
            echo x > /dev/null && stat -c %F /dev/null; grep -c ' /sys/fs/cgroup' /proc/mounts; ls /proc/sys >/dev/null && echo all
            """
        let result = try fixture.shell(script) { map(&$0, fixture) }
        #expect(result.exit == .code(0) && result.errors == "", "\(result)")
        #expect(result.lines.first?.split(separator: " ") == ["0", "100000", "65536"])
        #expect(
            result.lines.dropFirst().prefix(5) == ["0", "0", "0 0", "0 0", "0 0"], "\(result)")
        #expect(result.lines[6] == "character special file" && result.lines.last == "all", "\(result)")
        #expect(try File.status(fixture.scratch("overlay2/base/diff/made")).uid == 100_000)
    }

    @Test func hasATerminalOfItsGroup() throws {
        let fixture = try bundle()
        let request = try fixture.request(["/bin/sh", "-c", "stat -c '%u %g' $(tty); echo done"]) { request in
            map(&request, fixture)
            request.spec.process.terminal = true
        }
        let process = try Launcher.start(try Launcher.plan(request))
        var text = ""
        var chunk = [UInt8](repeating: 0, count: 4096)
        while let count = try? chunk.withUnsafeMutableBytes({ try File.read(process.terminalNumber, into: $0) }),
            count > 0
        { text += String(decoding: chunk[..<count], as: UTF8.self) }
        #expect(try Pidfd.wait(process.pidfd.raw) == .code(0))
        #expect(text == "0 5\r\ndone\r\n")
    }

    /// The source is root's alone on the host, and its files' owners are others in the container.
    @Test func bindsWhatOnlyTheHostMayOpen() throws {
        let fixture = try bundle()
        try fixture.scratch.file("hidden/file", "inside\n")
        try Tool.check("chmod", ["700", fixture.scratch("hidden")])
        try Tool.check("chown", ["-R", "100000:100000", fixture.scratch("hidden/file")])
        let result = try fixture.shell("cat /data") { request in
            map(&request, fixture)
            request.spec.mounts.append(
                Spec.Mount(
                    destination: "/data", type: "bind", source: fixture.scratch("hidden/file"), options: ["bind"]))
        }
        #expect(result.output == "inside\n", "\(result)")
    }

    @Test func furtherProcessesOwnTheirTerminals() throws {
        let fixture = try bundle()
        let owner = try RunningContainer(fixture) { map(&$0, fixture) }
        let process = try owner.start(["/bin/sh", "-c", "stat -c '%u %g' $(tty); : < $(tty) && echo opened; id -G"]) {
            $0.process.terminal = true
        }
        var text = ""
        var chunk = [UInt8](repeating: 0, count: 4096)
        while let count = try? chunk.withUnsafeMutableBytes({ try File.read(process.terminalNumber, into: $0) }),
            count > 0
        { text += String(decoding: chunk[..<count], as: UTF8.self) }
        #expect(try Pidfd.wait(process.pidfd.raw) == .code(0))
        #expect(text == "0 5\r\nopened\r\n0\r\n")
    }

    /// Without a pid namespace of its own it can mount no procfs, so the host's is bound (as podman does).
    @Test func bindsTheHostsProc() throws {
        let fixture = try bundle()
        let result = try fixture.shell("cat /proc/self/comm; grep -c ' /proc ' /proc/mounts; ls -d /proc/\(getpid())") {
            request in
            map(&request, fixture)
            request.spec.linux.namespaces.removeAll { $0.type == .pid }
            request.spec.mounts[0] = Spec.Mount(
                destination: "/proc", type: "bind", source: "/proc", options: ["rbind", "nosuid", "noexec", "nodev"])
        }
        #expect(result.lines == ["cat", "1", "/proc/\(getpid())"], "\(result)")
        let other = try fixture.failure(["true"]) { request in
            request.spec.mounts[0] = Spec.Mount(
                destination: "/proc", type: "bind", source: "/proc/sys", options: ["bind"])
        }
        #expect("\(other)".contains("mounts on /proc are refused"), "\(other)")
    }

    /// What leads to the source is another user's alone, and a mount is taken without the one below it.
    @Test func bindsWhatTheHostsRootReaches() throws {
        let fixture = try bundle()
        let host = try fixture.scratch.directory("closed/host")
        try fixture.scratch.directory("closed/host/below")
        try check { mount("tmpfs", "\(host)/below", "tmpfs", 0, "size=64k") }
        defer { umount2("\(host)/below", Int32(MNT_DETACH)) }
        try File.open("\(host)/below/hidden", O_WRONLY | O_CREAT, mode: 0o644).close()
        try Tool.check("chmod", ["700", fixture.scratch("closed")])
        try Tool.check("chown", ["1234", fixture.scratch("closed")])
        try Tool.check("chown", ["1234", fixture.scratch("overlay2")])
        let result = try fixture.shell("ls /data /data/below; cat /proc/mounts | grep -c /data") { request in
            map(&request, fixture)
            request.spec.mounts.append(
                Spec.Mount(destination: "/data", type: "bind", source: host, options: ["bind"]))
        }
        #expect(result.lines == ["/data:", "below", "/data/below:", "1"], "\(result)")
        let absent = try fixture.failure(["true"]) { request in
            map(&request, fixture)
            request.spec.mounts.append(
                Spec.Mount(destination: "/data", type: "bind", source: "\(host)/absent", options: ["bind"]))
        }
        #expect("\(absent)" == "bind source path \(host)/absent: open_tree: no such file or directory (ENOENT)")
    }

    private static let raisesLimits: Bool = {
        let status = try? File.readAll("/proc/self/status", limit: 1 << 16)
        let line = String(decoding: status ?? [], as: UTF8.self).split(separator: "\n").first {
            $0.hasPrefix("CapEff:")
        }
        // CAP_SYS_RESOURCE
        return line.flatMap { UInt64($0.split(separator: "\t")[1], radix: 16) }.map { $0 >> 24 & 1 == 1 } ?? false
    }()

    @Test(.enabled(if: raisesLimits, "needs CAP_SYS_RESOURCE")) func raisesLimitsThatTheHostGives() throws {
        let fixture = try bundle()
        var own = rlimit()
        getrlimit(__rlimit_resource(7), &own)
        let wanted = UInt64(own.rlim_max) + 1000
        let result = try fixture.shell("ulimit -Hn") { request in
            map(&request, fixture)
            request.spec.process.rlimits = [Spec.Rlimit(type: "RLIMIT_NOFILE", soft: 1024, hard: wanted)]
        }
        #expect(result.lines == ["\(wanted)"], "\(result)")
    }

    @Test func refusesMapsThatCantBe() throws {
        func message(_ change: @escaping (inout LaunchRequest) -> Void) throws -> String {
            "\(try ContainerFixture().failure(["true"]) { request in change(&request) })"
        }
        #expect(
            try message { $0.spec.linux.namespaces.append(Spec.Namespace(.user)) }.contains("must map the id 0"))
        #expect(try message { $0.spec.linux.uidMappings = Self.mapping }.contains("no user namespace"))
        let odd = [Spec.IDMapping(containerID: 0, hostID: .max, size: 2)]
        #expect(
            try message { request in
                request.spec.linux.namespaces.append(Spec.Namespace(.user))
                request.spec.linux.uidMappings = odd
                request.spec.linux.gidMappings = Self.mapping
            }.contains("is no range of ids"))
    }

    /// As the containers of a Kubernetes pod with users of its own.
    @Test(arguments: [[.network, .ipc], [.network, .ipc, .uts, .pid]] as [[Spec.Namespace.Kind]])
    func joinsThoseOfAFirstContainer(_ kinds: [Spec.Namespace.Kind]) throws {
        let first = try bundle()
        let owner = try RunningContainer(first) { map(&$0, first) }
        let second = try bundle()
        let joined = kinds + [.user]
        let names = ["user", "net", "ipc", "mnt", "cgroup"]
        let script = names.map { "readlink /proc/self/ns/\($0)" }.joined(separator: ";") + "; id -u; touch /made"
        let theirs = try owner.shell(script)
        let result = try second.run(["/bin/sh", "-c", script]) { request in
            request.rootfs = RootfsMount(directory: second.scratch("overlay2/base/diff"), readOnly: false)
            request.spec.linux.namespaces.removeAll { kinds.contains($0.type) }
            request.spec.linux.namespaces += joined.map { kind in
                let file = kind == .network ? "net" : kind == .mount ? "mnt" : kind.rawValue
                return Spec.Namespace(kind, path: "/proc/\(owner.pid)/ns/\(file)")
            }
            if kinds.contains(.uts) { request.spec.hostname = nil }
        }
        #expect(result.exit == .code(0) && result.errors == "", "\(result)")
        #expect(result.lines.count == 6 && theirs.lines.count == 6, "\(result)")
        #expect(result.lines.prefix(3) == theirs.lines.prefix(3), "\(result)")
        #expect(Set(result.lines[3...4]).isDisjoint(with: theirs.lines[3...4]), "\(result)")
        #expect(result.lines.last == "0")
        #expect(try File.status(second.scratch("overlay2/base/diff/made")).uid == 100_000)
    }

    /// A namespace of the host's with users of its own: joined while that is still allowed.
    @Test func joinsOneOfTheHostBeforeItsOwnUsers() throws {
        let other = try RunningContainer(try ContainerFixture())
        let fixture = try bundle()
        let result = try fixture.shell("readlink /proc/self/ns/net") { request in
            map(&request, fixture)
            request.spec.linux.namespaces.removeAll { $0.type == .network }
            request.spec.linux.namespaces.append(Spec.Namespace(.network, path: "/proc/\(other.pid)/ns/net"))
            // sysfs is for who owns the network.
            request.spec.mounts.removeAll { $0.destination.hasPrefix("/sys") }
        }
        #expect(result.lines == (try other.shell("readlink /proc/self/ns/net").lines), "\(result)")
    }

    /// By whoever makes it, the child starts in its cgroup, and has our process as its parent.
    @Test func startsInItsCgroup() throws {
        let first = try bundle()
        let owner = try RunningContainer(first) { map(&$0, first) }
        let second = try bundle()
        let cgroup = try CgroupManager.detect().create(path: "/runimg-\(second.id)", resources: Spec.Resources())
        defer { try? cgroup.remove() }
        let request = try second.request(["/bin/sleep", "1000"]) { request in
            request.stdio = StandardIO()
            request.rootfs = RootfsMount(directory: second.scratch("overlay2/base/diff"), readOnly: false)
            request.spec.linux.namespaces.append(Spec.Namespace(.user, path: "/proc/\(owner.pid)/ns/user"))
            request.spec.linux.cgroupsPath = cgroup.path
        }
        let process = try Launcher.start(try Launcher.plan(request), cgroup: cgroup)
        #expect(try cgroup.processes() == [process.pid])
        #expect(ProcessStatus.parent(process.pid) == getpid())
        try Pidfd.send(SIGKILL, to: process.pidfd.raw)
        #expect(try Pidfd.wait(process.pidfd.raw) == .signal(SIGKILL))
    }

    /// In a namespace in which groups can't be changed they must be gone before it is joined.
    @Test func keepsNoGroupOfTheHost() throws {
        let first = try bundle()
        var host = HostFacts.current()
        host.mapsOnlyItself = true
        let output = try PipeEnds()
        let one = [Spec.IDMapping(containerID: 0, hostID: 0, size: 1)]
        let request = try first.request(["/bin/sh", "-c", "cat /proc/self/setgroups; exec sleep 1000"]) { request in
            map(&request, first)
            (request.spec.linux.uidMappings, request.spec.linux.gidMappings) = (one, one)
            for index in request.spec.mounts.indices { request.spec.mounts[index].options.removeAll { $0 == "gid=5" } }
            request.stdio = StandardIO(input: -1, output: output.writer, error: -1)
        }
        let owner = try Launcher.start(try Launcher.plan(request, host: host))
        defer {
            try? Pidfd.send(SIGKILL, to: owner.pidfd.raw)
            _ = try? Pidfd.wait(owner.pidfd.raw)
        }
        var word = [UInt8](repeating: 0, count: 5)
        _ = try word.withUnsafeMutableBytes { try File.read(output.reader.raw, into: $0) }
        #expect(word == Array("deny\n".utf8))
        let second = try bundle()
        let result = try second.shell("grep Groups /proc/self/status") { request in
            request.rootfs = RootfsMount(directory: second.scratch("overlay2/base/diff"), readOnly: false)
            request.spec.linux.namespaces.append(Spec.Namespace(.user, path: "/proc/\(owner.pid)/ns/user"))
            for index in request.spec.mounts.indices { request.spec.mounts[index].options.removeAll { $0 == "gid=5" } }
        }
        #expect(
            result.output.split(separator: "\t").dropFirst().allSatisfy { $0.allSatisfy(\.isWhitespace) }, "\(result)")
        var further = ExecRequest(
            id: "further", process: Spec.Process(args: ["/bin/sh", "-c", "grep Groups /proc/self/status"]), seccomp: nil
        )
        let words = try PipeEnds()
        further.joinsUserNamespace = true
        further.diesWithParent = false
        further.process.env = ["PATH=/bin"]
        further.stdio = StandardIO(input: -1, output: words.writer, error: -1)
        let process = try Launcher.start(try Launcher.plan(further), joining: [owner.pidfd.raw])
        let text = String(decoding: try words.readAll(), as: UTF8.self)
        #expect(try Pidfd.wait(process.pidfd.raw) == .code(0))
        #expect(text.hasPrefix("Groups:") && !text.contains { $0.isNumber }, "\(text)")
    }

    @Test func saysWhichNamespaceItCouldNotJoin() throws {
        let fixture = try bundle()
        let error = try fixture.failure(["true"]) { request in
            request.spec.linux.namespaces.append(Spec.Namespace(.user, path: "/proc/self/ns/net"))
        }
        #expect("\(error)" == "join the user namespace /proc/self/ns/net: invalid argument (EINVAL)")
        let absent = try fixture.failure(["true"]) { request in
            request.spec.linux.namespaces.append(Spec.Namespace(.user, path: "/proc/self/ns/none"))
        }
        #expect(
            "\(absent)" == "open the user namespace /proc/self/ns/none: no such file or directory (ENOENT)")
    }
}
