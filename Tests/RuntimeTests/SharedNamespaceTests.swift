import Cgroups
import Glibc
import OCI
import Runtime
import Sys
import TestSupport
import Testing

extension LaunchRequest {
    /// Takes `kinds` from the process that the start names, in place of namespaces of its own.
    mutating func share(_ kinds: NamespaceFlags) {
        spec.linux.namespaces.removeAll { kinds.contains(NamespaceFlags($0.type)) }
        if kinds.contains(.uts) { spec.hostname = nil }
        if kinds.contains(.ipc) { borrowed = ["/dev/shm": 0] }
        shared = [SharedNamespaces(owner: "owner", kinds: kinds)]
    }
}

/// Containers that have namespaces of a running one, which a pidfd names.
@Suite(.enabled(if: ContainerFixture.isPossible, ContainerFixture.requirement))
struct SharedNamespaceTests {
    private static let links = ["pid", "ipc", "uts", "net", "mnt", "cgroup"]
    private static let script = links.map { "readlink /proc/self/ns/\($0)" }.joined(separator: ";")

    private func owner(
        _ script: String = "exec sleep 1000", _ change: (inout LaunchRequest) -> Void = { _ in }
    ) throws -> RunningContainer {
        let owner = try RunningContainer(
            try ContainerFixture(), ["/bin/sh", "-c", "echo up > /dev/shm/mark; echo ready; \(script)"], change)
        #expect(try owner.read(to: "ready") == "ready\n")
        return owner
    }

    private func join(
        _ owner: RunningContainer, _ kinds: NamespaceFlags, _ script: String,
        _ change: (inout LaunchRequest) -> Void = { _ in }
    ) throws -> ContainerResult {
        try ContainerFixture().run(["/bin/sh", "-c", script], joining: [owner.pidfd.raw]) { request in
            request.share(kinds)
            change(&request)
        }
    }

    @Test(
        arguments: [.pid, .ipc, .uts, .network, [.pid, .network], [.pid, .ipc, .uts, .network]] as [NamespaceFlags])
    func hasTheseAndNoOthers(_ kinds: NamespaceFlags) throws {
        let owner = try owner()
        let theirs = try owner.shell(Self.script).lines
        let ours = try join(owner, kinds, Self.script)
        #expect(ours.lines.count == Self.links.count, "\(ours)")
        let flags: [NamespaceFlags] = [.pid, .ipc, .uts, .network, .mount, .cgroup]
        for (index, flag) in flags.enumerated() {
            #expect((theirs[index] == ours.lines[index]) == kinds.contains(flag), "\(theirs[index]) \(ours)")
        }
    }

    @Test func seesWhatTheNamespacesHold() throws {
        let owner = try owner()
        let processes = try join(owner, .pid, "ps -o pid,args; echo $$")
        #expect(processes.output.contains("1 sleep 1000"), "\(processes)")
        #expect(processes.lines.last != "1")
        let memory = try join(owner, .ipc, "cat /dev/shm/mark; echo back > /dev/shm/answer")
        #expect(memory.lines == ["up"], "\(memory)")
        #expect(try owner.shell("cat /dev/shm/answer").lines == ["back"])
        #expect(try join(owner, .uts, "hostname").lines == ["fixture"])
        // Without the namespace neither.
        #expect(try join(owner, .uts, "ls /dev/shm; ps -o args").output.contains("sleep") == false)
    }

    @Test("R22: a process in another's pid namespace is in its own cgroup, from its first instruction")
    func isInItsOwnCgroup() throws {
        let owner = try owner()
        // For its cgroup.
        let place = try self.owner()
        let fixture = try ContainerFixture()
        let request = try fixture.request(["/bin/sleep", "1000"]) { request in
            request.stdio = StandardIO()
            request.share(.pid)
        }
        let process = try Launcher.start(
            try Launcher.plan(request), cgroup: place.cgroup, joining: [owner.pidfd.raw])
        #expect(try place.cgroup.processes().contains(process.pid))
        #expect(try !owner.cgroup.processes().contains(process.pid))
        try Pidfd.send(SIGKILL, to: process.pidfd.raw)
        #expect(try Pidfd.wait(process.pidfd.raw) == .signal(SIGKILL))
        withExtendedLifetime(fixture) {}
    }

    @Test func theEndOfTheOwnerIsTheEnd() throws {
        let owner = try owner()
        let fixture = try ContainerFixture()
        let request = try fixture.request(["/bin/sleep", "1000"]) { request in
            request.stdio = StandardIO()
            request.share(.pid)
        }
        let process = try Launcher.start(try Launcher.plan(request), joining: [owner.pidfd.raw])
        _ = try owner.end()
        #expect(try Pidfd.wait(process.pidfd.raw) == .signal(SIGKILL))
        withExtendedLifetime(fixture) {}
    }

    @Test(
        "F19: what has ended is not joined, and nothing that has its number by now",
        arguments: [
            NamespaceFlags.pid, .network, [.ipc, .uts],
        ])
    func theDeadAreNotJoined(_ kinds: NamespaceFlags) throws {
        let owner = try owner()
        try Pidfd.send(SIGKILL, to: owner.pidfd.raw)
        _ = try Pidfd.wait(owner.pidfd.raw)
        let error = try ContainerFixture().failure(["/bin/true"], joining: [owner.pidfd.raw]) { $0.share(kinds) }
        #expect("\(error)".contains("join the namespaces \(kinds) of container owner"), "\(error)")
        #expect("\(error)".contains("it has ended"), "\(error)")
    }

    @Test("R17: what is hidden in /proc stays hidden beside one that hides nothing")
    func masksHold() throws {
        let owner = try owner { request in
            request.spec.linux.maskedPaths = []
            request.spec.linux.readonlyPaths = []
        }
        let result = try join(
            owner, .pid,
            // The host's own value, should it be written after all.
            "wc -c < /proc/keys; read v < /proc/sys/kernel/panic; echo $v > /proc/sys/kernel/panic; "
                + "grep ' /proc ' /proc/mounts"
        )
        #expect(result.lines.first == "0", "\(result)")
        #expect(result.errors.contains("Read-only file system"), "\(result)")
        #expect(result.lines.last?.hasPrefix("proc /proc proc rw,nosuid,nodev,noexec") == true, "\(result)")
    }

    @Test("R6: an owner that has something else in the place of its /proc is not believed")
    func aForgedProcIsRefused() throws {
        let owner = try owner("mount -t tmpfs none /proc; echo mounted; exec sleep 1000") { request in
            for set in [\Spec.Capabilities.bounding, \.effective, \.permitted] {
                request.spec.process.capabilities[keyPath: set].append("CAP_SYS_ADMIN")
            }
        }
        #expect(try owner.read(to: "mounted") == "mounted\n")
        let error = try ContainerFixture().failure(["/bin/true"], joining: [owner.pidfd.raw]) { $0.share(.pid) }
        #expect("\(error)".contains("something else in the place of its /proc"), "\(error)")
    }

    @Test func initServesInAnothersPidNamespace() throws {
        let owner = try owner()
        let code = try join(owner, .pid, "exit 7") { $0.useInit = true }
        #expect(code.exit == .code(7), "\(code)")
        // An orphan falls to it, not to process 1, and is reaped.
        let script =
            "sh -c 'sleep 0.1 & echo $!' > /tmp/n; read n < /tmp/n; cut -d' ' -f4 /proc/$n/stat; echo $PPID; sleep 0.4; ls /proc/$n"
        let orphan = try join(owner, .pid, script) { $0.useInit = true }
        #expect(orphan.lines.count == 2 && orphan.lines[0] == orphan.lines[1], "\(orphan)")
        #expect(orphan.errors.contains("No such file"), "\(orphan)")
        #expect(orphan.lines.first != "1")
    }

    @Test func aCommandThatIsNotThereSaysSo() throws {
        let owner = try owner()
        let error = try ContainerFixture().failure(["/no/such"], joining: [owner.pidfd.raw]) { $0.share(.pid) }
        #expect(error.exitCode == 127, "\(error)")
    }
}

/// The attack on who joins.
@Suite(.enabled(if: ContainerFixture.hasProbe, ContainerFixture.probeRequirement))
struct SharedNamespaceAttackTests {
    /// A start has the host's rights, memory and descriptors until its exec. Against an owner that may trace any process
    /// it sees, it helps only that there is nothing to see before all of it is gone.
    @Test(
        "X10, R3: an owner with CAP_SYS_PTRACE sees nothing of a container that joins before its exec",
        .timeLimit(.minutes(Wait.minutes(10))), arguments: ["read", "trace"])
    func nothingIsSeenBeforeExec(mode: String) throws {
        let fixture = try ContainerFixture.withProbe()
        let secrets = try HostSecrets(fixture)
        let owner = try RunningContainer(fixture, ["/probe"] + secrets.stalk(mode)) { $0.allowTracing() }
        _ = try owner.read(to: "ready")
        let victim = try ContainerFixture()
        for round in 0..<60 {
            let result = try victim.run(HostSecrets.victim, joining: [owner.pidfd.raw]) { request in
                request.share([.pid, .ipc])
                request.useInit = round % 2 == 1
                request.spec.process.user = .init(uid: round % 3 == 0 ? 1000 : 0, gid: 0)
            }
            #expect(result.exit == .code(0), "\(result)")
        }
        #expect(Set(try owner.end().split(separator: "\n")) == [])
    }

    /// The filter and the rights are those that the same container has by itself.
    @Test("X9: a container in another's namespaces has no more rights than in its own")
    func hasNoMoreRights() throws {
        let fixture = try ContainerFixture.withProbe()
        let owner = try RunningContainer(fixture)
        let seccomp = SeccompDefault.profile(capabilities: .init())
        let own = try Self.rights(try ContainerFixture.withProbe().run(["/probe"]) { $0.spec.linux.seccomp = seccomp })
        let joined = try Self.rights(
            try ContainerFixture.withProbe().run(["/probe"], joining: [owner.pidfd.raw]) { request in
                request.spec.linux.seccomp = seccomp
                request.share([.pid, .ipc, .uts, .network])
            })
        #expect(own.count > 60)
        #expect(joined.difference(from: own).isEmpty)
    }

    /// Without numbers of processes, pipes, namespaces and mounts, and without what a name of a host makes of lines.
    private static func rights(_ result: ContainerResult) throws -> [String] {
        let own = ["pid=", "ppid=", "pgid=", "sid=", "tpgid=", "fd.1=", "fd.2=", "ns.", "mount."]
        return result.lines.filter { line in !own.contains { line.hasPrefix($0) } }.sorted()
    }
}
