import Cgroups
import Glibc
import OCI
import Rootfs
import Runtime
import Sys
import TestSupport
import Testing

/// What a program finds in a container that is launched with the engine's usual spec.
@Suite(.enabled(if: ContainerFixture.hasProbe, ContainerFixture.probeRequirement))
struct LaunchTests {
    @Test func runsACommandAndPassesItsExitCode() throws {
        let fixture = try ContainerFixture()
        let result = try fixture.shell("echo hello; echo problem >&2; exit 7")
        #expect(result.output == "hello\n")
        #expect(result.errors == "problem\n")
        #expect(result.exit == .code(7))
        #expect(try fixture.shell("kill -9 $$; sleep 1").exit == .code(0), "pid 1 is not killed from inside")
    }

    @Test func makesNamespaces() throws {
        let inside = try ContainerFixture.withProbe().probe()
        for name in ["cgroup", "ipc", "mnt", "net", "pid", "uts"] {
            let own = try File.readLink("/proc/self/ns/\(name)")
            #expect(inside["ns.\(name)"].map { "\(name):[\($0)]" } != own, "\(name)")
        }
        #expect(inside["pid"] == "1")
        #expect(inside["hostname"] == "fixture")
        #expect(inside["interface.lo"] == "up")
        #expect(inside["sid"] == "1")
        let interfaces = inside.keys.filter { $0.hasPrefix("interface.") }
        #expect(interfaces == ["interface.lo"])
    }

    @Test func sharesWhatTheSpecDoesNotName() throws {
        let inside = try ContainerFixture.withProbe().probe { request in
            request.spec.linux.namespaces = [Spec.Namespace(.mount), Spec.Namespace(.ipc)]
            request.spec.hostname = nil
        }
        for name in ["cgroup", "net", "pid", "uts"] {
            let own = try File.readLink("/proc/self/ns/\(name)")
            #expect(inside["ns.\(name)"].map { "\(name):[\($0)]" } == own, "\(name)")
        }
    }

    @Test("X10: joins namespaces; the launching process stays in its own") func joinsNamespaces() throws {
        let fixture = try ContainerFixture()
        let request = try fixture.request(["/bin/sleep", "60"]) { $0.stdio = StandardIO() }
        let first = try Launcher.start(try Launcher.plan(request))
        defer {
            try? Pidfd.send(SIGKILL, to: first.pidfd.raw)
            _ = try? Pidfd.wait(first.pidfd.raw)
        }
        let inside = try ContainerFixture.withProbe().probe { request in
            request.spec.hostname = nil
            request.spec.linux.namespaces = [
                Spec.Namespace(.mount), Spec.Namespace(.pid, path: "/proc/\(first.pid)/ns/pid"),
                Spec.Namespace(.network, path: "/proc/\(first.pid)/ns/net"),
                Spec.Namespace(.ipc, path: "/proc/\(first.pid)/ns/ipc"),
                Spec.Namespace(.uts, path: "/proc/\(first.pid)/ns/uts"),
            ]
        }
        for name in ["ipc", "net", "pid", "uts"] {
            let theirs = try File.readLink("/proc/\(first.pid)/ns/\(name)")
            #expect(inside["ns.\(name)"].map { "\(name):[\($0)]" } == theirs, "\(name)")
        }
        #expect(inside["pid"] != "1")
        // The caller's own children stay where they were.
        #expect(try File.readLink("/proc/self/ns/pid") == File.readLink("/proc/self/ns/pid_for_children"))
    }

    @Test func populatesDev() throws {
        let inside = try ContainerFixture.withProbe().probe()
        let expected = [
            "null": "c 1:3 666", "zero": "c 1:5 666", "full": "c 1:7 666", "random": "c 1:8 666",
            "urandom": "c 1:9 666", "tty": "c 5:0 666", "ptmx": "link pts/ptmx", "fd": "link /proc/self/fd",
            "stdin": "link /proc/self/fd/0", "stdout": "link /proc/self/fd/1", "stderr": "link /proc/self/fd/2",
            "core": "link /proc/kcore", "pts": "directory 755", "shm": "directory 1777", "mqueue": "directory 1777",
        ]
        let found = Dictionary(
            uniqueKeysWithValues: inside.filter { $0.key.hasPrefix("dev.") }.map {
                (String($0.key.dropFirst(4)), $0.value)
            })
        #expect(found == expected)
    }

    @Test("R17: masks files and directories, and protects what is to be read only") func masksAndProtects() throws {
        let inside = try ContainerFixture.withProbe().probe()
        for path in ["/proc/keys", "/proc/timer_list", "/proc/sched_debug", "/proc/kcore"] {
            let state = inside["read.\(path)"]
            #expect(state == "masked" || state == "ENOENT", "\(path)")
        }
        for path in ["/proc/acpi", "/proc/scsi", "/sys/firmware"] {
            let state = inside["read.\(path)"]
            #expect(state == "empty" || state == "ENOENT", "\(path)")
        }
        #expect(inside["write./proc/sys/kernel/core_pattern"] == "EROFS")
        #expect(inside["write./proc/sys/net/ipv4/ip_forward"] == "EROFS")
        #expect(inside["write./proc/sysrq-trigger"] != "ok")
        for path in ["/sys/kernel", "/sys/fs/cgroup", "/sys/fs/cgroup/memory"] {
            let state = inside["write.\(path)"]
            #expect(state == "EROFS" || state == "ENOENT", "\(path)")
        }
        for path in ["/", "/etc", "/dev", "/dev/shm", "/dev/mqueue"] {
            let state = inside["write.\(path)"]
            #expect(state == "ok", "\(path)")
        }
    }

    @Test("R3: closes descriptors and resets signals") func closesDescriptorsAndResetsSignals() throws {
        let directory = try Directory.open("/root")
        // One that is not close-on-exec, as a careless caller leaves them.
        let leaked = dup(directory.raw)
        defer { close(leaked) }
        let inside = try ContainerFixture.withProbe().probe()
        #expect(inside.keys.filter { $0.hasPrefix("fd.") }.sorted() == ["fd.0", "fd.1", "fd.2"])
        #expect(inside["fd.0"] == "/dev/null")
        #expect(inside["signals_blocked"] == "0000000000000000")
        #expect(inside["signals_ignored"] == "0000000000000000")
        #expect(inside["umask"] == "0022")
    }

    @Test func givesOnlyTheCapabilitiesOfTheSpec() throws {
        let fixture = try ContainerFixture.withProbe()
        let root = try fixture.probe()
        let expected = try CapabilityMask(names: ContainerFixture.capabilities)
        let text =
            String(repeating: "0", count: 16 - String(expected.rawValue, radix: 16).count)
            + String(expected.rawValue, radix: 16)
        #expect(root["cap_bounding"] == text)
        #expect(root["cap_effective"] == text)
        #expect(root["cap_permitted"] == text)
        #expect(root["cap_inheritable"] == "0000000000000000")
        #expect(root["cap_ambient"] == "0000000000000000")
        let user = try fixture.probe { $0.spec.process.user = .init(uid: 1000, gid: 1001, additionalGids: [1001, 7]) }
        #expect(user["cap_effective"] == "0000000000000000")
        #expect(user["cap_permitted"] == "0000000000000000")
        #expect(user["cap_bounding"] == text)
        #expect(user["uid"] == "1000:1000:1000")
        #expect(user["gid"] == "1001:1001:1001")
        #expect(user["groups"] == "7,1001")
    }

    @Test(arguments: [false, true]) func loadsTheFilter(noNewPrivileges: Bool) throws {
        let inside = try ContainerFixture.withProbe().probe { request in
            request.spec.process.noNewPrivileges = noNewPrivileges
            request.spec.process.user = .init(uid: 1000, gid: 1000)
            request.spec.linux.seccomp = SeccompDefault.profile(capabilities: CapabilityProfile.runimg.mask)
        }
        #expect(inside["seccomp"] == "2")
        #expect(inside["seccomp_filters"] == "1")
        #expect(inside["no_new_privs"] == (noNewPrivileges ? "1" : "0"))
        #expect(inside["cap_effective"] == "0000000000000000")
    }

    @Test func setsLimitsAndScores() throws {
        let inside = try ContainerFixture.withProbe().probe { request in
            request.spec.process.rlimits = [
                Spec.Rlimit(type: "RLIMIT_NOFILE", soft: 100, hard: 200),
                Spec.Rlimit(type: "RLIMIT_CORE", soft: 0, hard: UInt64.max),
            ]
            request.spec.process.oomScoreAdj = 321
        }
        #expect(inside["rlimit.nofile"] == "100:200")
        #expect(inside["rlimit.core"] == "0:-1")
        #expect(inside["oom_score_adj.0"] == "321")
    }

    @Test func setsSysctls() throws {
        let fixture = try ContainerFixture()
        let script = "cat /proc/sys/net/ipv4/ip_unprivileged_port_start /proc/sys/net/ipv4/ping_group_range"
        let result = try fixture.shell(script) { request in
            request.spec.linux.sysctl = [
                "net.ipv4.ip_unprivileged_port_start": "0", "net/ipv4/ping_group_range": "0 2147483647",
            ]
        }
        #expect(result.output == "0\n0\t2147483647\n")
        let failure = try fixture.failure(["true"]) { $0.spec.linux.sysctl = ["net.ipv4.no_such": "1"] }
        #expect("\(failure)".hasPrefix("set net/ipv4/no_such to 1: open: no such file or directory (ENOENT); "))
    }

    @Test("R22, R15: starts in its cgroup, which it sees as the root and cannot write to") func startsInItsCgroup()
        throws
    {
        let fixture = try ContainerFixture.withProbe()
        let manager = try CgroupManager.detect()
        let cgroup = try manager.create(path: "/runimg-\(fixture.id)", resources: Spec.Resources())
        defer { try? cgroup.remove() }
        let own = manager.layout.mode == .unified ? "/sys/fs/cgroup" : "/sys/fs/cgroup/pids"
        let script = "cat /proc/self/cgroup; ls /sys/fs/cgroup; cat \(own)/cgroup.procs; mkdir \(own)/x 2>&1"
        let result = try fixture.run(["/bin/sh", "-c", script], cgroup: cgroup) { request in
            request.spec.linux.cgroupsPath = cgroup.path
        }
        let memberships = result.lines.filter { $0.contains(":") && $0.first?.isNumber == true }
        #expect(memberships.count == manager.layout.hierarchies.count)
        #expect(memberships.allSatisfy { $0.hasSuffix(":/") }, "\(result)")
        for hierarchy in manager.layout.hierarchies {
            let name = hierarchy.mountPoint.split(separator: "/").last.map(String.init) ?? ""
            #expect(manager.layout.mode == .unified || result.lines.contains(name), "\(name)")
        }
        #expect(result.lines.contains("1"))
        #expect(result.output.contains("Read-only file system"))
        #expect(try cgroup.processes().isEmpty)
    }
}

@Suite(.enabled(if: ContainerFixture.hasProbe, ContainerFixture.probeRequirement))
struct PrivilegeTests {
    /// Only a spec that asks for them gives a user capabilities.
    @Test func raisesAmbientCapabilities() throws {
        let inside = try ContainerFixture.withProbe().probe { request in
            request.spec.process.user = .init(uid: 1000, gid: 1000)
            request.spec.process.capabilities.inheritable = ["CAP_NET_BIND_SERVICE"]
            request.spec.process.capabilities.ambient = ["CAP_NET_BIND_SERVICE"]
        }
        #expect(inside["cap_effective"] == "0000000000000400")
        #expect(inside["cap_ambient"] == "0000000000000400")
    }

    /// The membership as the host sees it; the namespace would show the root whatever it is.
    @Test("R22: every process is in the container's cgroup, whatever starts it", arguments: ["plain", "init", "user"])
    func everyProcessIsInTheCgroup(kind: String) throws {
        let fixture = try ContainerFixture()
        let manager = try CgroupManager.detect()
        let cgroup = try manager.create(path: "/runimg-\(fixture.id)", resources: Spec.Resources())
        defer { try? cgroup.remove() }
        let output = try PipeEnds()
        let script = "sleep 60 & (setsid sh -c 'sleep 60 & exec sleep 60' &) ; sleep 0.1; echo ready; wait"
        let request = try fixture.request(["/bin/sh", "-c", script]) { request in
            request.stdio = StandardIO(input: -1, output: output.writer, error: -1)
            request.spec.linux.cgroupsPath = cgroup.path
            request.useInit = kind == "init"
            if kind != "user" { return }
            request.spec.linux.namespaces.append(Spec.Namespace(.user))
            request.rootfs = RootfsMount(directory: fixture.scratch("overlay2/base/diff"), readOnly: false)
            let whole = [Spec.IDMapping(containerID: 0, hostID: 0, size: 65536)]
            request.spec.linux.uidMappings = whole
            request.spec.linux.gidMappings = whole
        }
        let process = try Launcher.start(try Launcher.plan(request), cgroup: cgroup)
        defer {
            try? Pidfd.send(SIGKILL, to: process.pidfd.raw)
            _ = try? Pidfd.wait(process.pidfd.raw)
        }
        var line = [UInt8](repeating: 0, count: 6)
        _ = try line.withUnsafeMutableBytes { try File.read(output.reader.raw, into: $0) }
        let pids = try Self.processes(below: process.pid)
        #expect(pids.count >= (kind == "init" ? 5 : 4))
        for pid in pids {
            let text = String(decoding: try File.readAll("/proc/\(pid)/cgroup", limit: 65536), as: UTF8.self)
            let paths = text.split(separator: "\n").map {
                $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)[2]
            }
            #expect(paths.count == manager.layout.hierarchies.count)
            #expect(paths.allSatisfy { $0 == cgroup.path }, "\(text)")
        }
    }

    /// All processes of the pid namespace of `pid`, as we see them.
    private static func processes(below pid: pid_t) throws -> [String] {
        let namespace = try File.readLink("/proc/\(pid)/ns/pid")
        return try Directory.entries("/proc").map(\.name).filter { name in
            Int32(name) != nil && (try? File.readLink("/proc/\(name)/ns/pid")) == namespace
        }
    }

    @Test func runsInAUserNamespace() throws {
        let fixture = try ContainerFixture.withProbe()
        let inside = try fixture.probe { request in
            request.spec.linux.namespaces += [Spec.Namespace(.user), Spec.Namespace(.time)]
            // overlayfs in a user namespace needs other options than the driver's.
            request.rootfs = RootfsMount(directory: fixture.scratch("overlay2/base/diff"), readOnly: false)
            let whole = [Spec.IDMapping(containerID: 0, hostID: 0, size: 65536)]
            request.spec.linux.uidMappings = whole
            request.spec.linux.gidMappings = whole
        }
        #expect(inside["uid_map.0"]?.split(separator: " ") == ["0", "0", "65536"])
        #expect(inside["dev.null"] == "c 1:3 666")
        #expect(inside["dev.urandom"] == "c 1:9 666")
        #expect(inside["ns.user"].map { "user:[\($0)]" } != (try File.readLink("/proc/self/ns/user")))
        #expect(inside["ns.time"].map { "time:[\($0)]" } != (try File.readLink("/proc/self/ns/time")))
    }

    /// A filter that refuses the runtime's own last steps ends the start, not the host's patience.
    @Test func survivesAFilterThatRefusesEverything() throws {
        let fixture = try ContainerFixture()
        let error = try fixture.failure(["true"]) { request in
            var profile = Spec.Seccomp(defaultAction: "SCMP_ACT_ALLOW")
            profile.syscalls = [Spec.Seccomp.Rule(names: ["execveat"], action: "SCMP_ACT_ERRNO")]
            request.spec.linux.seccomp = profile
        }
        #expect("\(error)" == "start the container's init: operation not permitted (EPERM)")
        let mute = try fixture.run(["true"]) { $0.spec.linux.seccomp = Spec.Seccomp(defaultAction: "SCMP_ACT_ERRNO") }
        #expect(mute.exit != .code(0))
    }
}
