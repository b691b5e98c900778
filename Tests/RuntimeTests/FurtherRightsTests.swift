import Glibc
import OCI
import Rootfs
import Runtime
import Sys
import TestSupport
import Testing

/// What a further process sees and may, beside the container's first.
@Suite(.enabled(if: ContainerFixture.hasProbe, ContainerFixture.probeRequirement))
struct FurtherRightsTests {
    struct Kind: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let change: @Sendable (inout LaunchRequest) -> Void
    }

    private static let kinds = [
        Kind(testDescription: "default") { _ in },
        Kind(testDescription: "user") { request in
            request.spec.process.user = .init(uid: 1000, gid: 1001, additionalGids: [1001, 50])
            request.spec.process.capabilities.effective = []
            request.spec.process.capabilities.permitted = []
        },
        Kind(testDescription: "no-new-privileges") { $0.spec.process.noNewPrivileges = true },
        Kind(testDescription: "capabilities and limits") { request in
            for set in [\Spec.Capabilities.bounding, \.effective, \.permitted] {
                request.spec.process.capabilities[keyPath: set] = ["CAP_SYS_ADMIN", "CAP_CHOWN"]
            }
            request.spec.process.rlimits = [
                Spec.Rlimit(type: "RLIMIT_NOFILE", soft: 77, hard: 99),
                Spec.Rlimit(type: "RLIMIT_CORE", soft: 0, hard: 0),
                Spec.Rlimit(type: "RLIMIT_NPROC", soft: 500, hard: 600),
            ]
            request.spec.process.user.umask = 0o077
            request.spec.process.oomScoreAdj = 321
        },
        Kind(testDescription: "ambient") { request in
            request.spec.process.user = .init(uid: 1000, gid: 1000)
            request.spec.process.capabilities.inheritable = ["CAP_NET_BIND_SERVICE"]
            request.spec.process.capabilities.ambient = ["CAP_NET_BIND_SERVICE"]
        },
        Kind(testDescription: "shared namespaces") { request in
            request.spec.linux.namespaces.removeAll { $0.type == .network || $0.type == .ipc || $0.type == .uts }
            request.spec.hostname = nil
        },
        Kind(testDescription: "user namespace") { request in
            request.spec.linux.namespaces += [Spec.Namespace(.user), Spec.Namespace(.time)]
            let whole = [Spec.IDMapping(containerID: 0, hostID: 0, size: 65536)]
            request.spec.linux.uidMappings = whole
            request.spec.linux.gidMappings = whole
        },
    ]

    /// Sorted, since a shell passes its environment on in an order of its own; without what it adds to that, and the
    /// numbers of processes and of pipes.
    private func comparable(_ text: String) -> [String] {
        let own = ["pid=", "ppid=", "pgid=", "sid=", "tpgid=", "fd.1=", "fd.2=", "env.PWD", "env.SHLVL", "env.OLDPWD"]
        return text.split(separator: "\n").map(String.init)
            .filter { line in !own.contains { line.hasPrefix($0) } }.sorted()
    }

    @Test(
        "X9: a further process sees and may what the first does, line by line, namespaces and filter included",
        arguments: kinds)
    func hasTheSameRights(_ kind: Kind) throws {
        let fixture = try ContainerFixture.withProbe()
        let container = try RunningContainer(fixture, ["/bin/sh", "-c", "/probe; echo end; exec sleep 1000"]) {
            request in
            request.spec.linux.seccomp = SeccompDefault.profile(capabilities: .init())
            kind.change(&request)
            // overlayfs in a user namespace needs other options than the driver's.
            if request.spec.linux.uidMappings != nil {
                request.rootfs = RootfsMount(directory: fixture.scratch("overlay2/base/diff"), readOnly: false)
            }
        }
        let first = comparable(try container.read(to: "end")).filter { $0 != "end" }
        let further = comparable(try container.exec(["/probe"]).output)
        #expect(first.count > 150)
        #expect(further.difference(from: first).isEmpty)
        #expect(further.contains("seccomp=2"))
    }

    /// The joining process has the host's rights, memory and descriptors at first. Against one that may trace any
    /// process it sees, it helps only that there is nothing to see before all of it is gone.
    @Test(
        "X10, R3: pid 1 with CAP_SYS_PTRACE sees nothing of who joins before its exec",
        .timeLimit(.minutes(Wait.minutes(10))),
        arguments: ["read", "trace"], [true, false])
    func nothingIsSeenBeforeExec(mode: String, mayTrace: Bool) throws {
        let fixture = try ContainerFixture.withProbe()
        let secrets = try HostSecrets(fixture)
        let container = try RunningContainer(fixture, ["/probe"] + secrets.stalk(mode)) {
            if mayTrace { $0.allowTracing() }
        }
        _ = try container.read(to: "ready")
        for round in 0..<100 {
            let result = try container.exec(HostSecrets.victim) { request in
                request.process.user = .init(uid: round % 3 == 0 ? 1000 : 0, gid: 0)
            }
            #expect(result.exit == .code(0), "\(result)")
        }
        #expect(Set(try container.end().split(separator: "\n")) == [])
    }

    @Test(
        "R1: the program of a further process is never the host's to write to", .timeLimit(.minutes(Wait.minutes(10))))
    func nothingIsOverwritten() throws {
        let own = try File.status("/proc/self/exe", follow: true)
        let fixture = try ContainerFixture.withProbe { _, image in
            try Directory.removeTree("\(image)/bin/sh")
            try File.symlink("/proc/self/exe", "\(image)/bin/sh")
        }
        let container = try RunningContainer(fixture, ["/probe", "stalk", "write"])
        _ = try container.read(to: "ready")
        let commands = [["/proc/self/exe"], ["sh", "-c", "true"], ["sh", "p", "/bin", "true"], ["sleep", "0.01"]]
        for round in 0..<100 {
            let result = try container.exec(commands[round % commands.count])
            #expect([.code(0), .code(127), .code(126)].contains(result.exit), "\(result)")
        }
        #expect(try container.end() == "")
        let after = try File.status("/proc/self/exe", follow: true)
        #expect(after.inode == own.inode && after.modified == own.modified && after.size == own.size)
    }
}
