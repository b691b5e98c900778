import Glibc
import OCI
import Runtime
import Sys
import TestSupport
import Testing

/// Launches into the pid namespace of a container that waits for them.
@Suite(.serialized, .enabled(if: ContainerFixture.hasProbe, ContainerFixture.probeRequirement))
struct JoinTests {
    private static let rounds = 100

    private func join(_ attacker: Attacker, _ request: inout LaunchRequest) {
        request.spec.linux.namespaces.removeAll { $0.type == .pid }
        request.spec.linux.namespaces.append(Spec.Namespace(.pid, path: "/proc/\(attacker.pid)/ns/pid"))
    }

    /// The joining process has the host's memory, environment and descriptors until its exec.
    @Test(
        "X10, R3: process 1 of a namespace that is joined sees nothing of who joins before its exec",
        .timeLimit(.minutes(Wait.minutes(10))), arguments: ["read", "trace"])
    func nothingIsSeenBeforeExec(mode: String) throws {
        let fixture = try ContainerFixture.withProbe()
        let secrets = try HostSecrets(fixture)
        let attacker = try Attacker(fixture, try secrets.stalk(mode, rights: false))
        let victim = try ContainerFixture()
        for round in 0..<Self.rounds {
            let result = try victim.run(HostSecrets.victim) { request in
                join(attacker, &request)
                request.useInit = round % 2 == 1
                request.spec.process.user = .init(uid: round % 3 == 0 ? 1000 : 0, gid: 0)
            }
            #expect(result.exit == .code(0), "\(result)")
        }
        try attacker.expectNothing()
    }

    @Test(
        "R1: a sibling that waits for the program of each newcomer never gets to write to it",
        .timeLimit(.minutes(Wait.minutes(10))))
    func nothingIsOverwritten() throws {
        let own = try File.status("/proc/self/exe", follow: true)
        let fixture = try ContainerFixture.withProbe()
        let attacker = try Attacker(fixture, ["stalk", "write"])
        let victim = try ContainerFixture { _, image in
            try Directory.removeTree("\(image)/bin/sh")
            try File.symlink("/proc/self/exe", "\(image)/bin/sh")
        }
        let commands = [["/proc/self/exe"], ["sh", "-c", "true"], ["sh", "p", "/bin", "true"], ["sleep", "0.01"]]
        for round in 0..<Self.rounds {
            let result = try victim.run(commands[round % commands.count]) { request in
                join(attacker, &request)
                request.useInit = round % 3 == 1
            }
            #expect([.code(0), .code(127)].contains(result.exit), "\(result)")
        }
        try attacker.expectNothing()
        let after = try File.status("/proc/self/exe", follow: true)
        #expect(after.inode == own.inode && after.modified == own.modified && after.size == own.size)
    }
}
