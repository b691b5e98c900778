import Glibc
import OCI
import Rootfs
import Runtime
import Sys
import TestSupport
import Testing

/// The attack on who joins a user namespace and sees its processes: there the first container's root may trace.
@Suite(.enabled(if: ContainerFixture.hasProbe, ContainerFixture.probeRequirement))
struct UserNamespaceAttackTests {
    private static let mapping = [Spec.IDMapping(containerID: 0, hostID: 100_000, size: 65536)]

    private func give(_ fixture: ContainerFixture) throws -> ContainerFixture {
        try Tool.check("chown", ["-R", "100000:100000", fixture.scratch("overlay2/base/diff")])
        return fixture
    }

    @Test(
        "X10: root of a user namespace sees nothing of the host in what joins it and its pid namespace",
        .timeLimit(.minutes(Wait.minutes(10))), arguments: ["read", "trace"])
    func nothingIsSeenBeforeExec(mode: String) throws {
        let fixture = try give(try ContainerFixture.withProbe())
        let secrets = try HostSecrets(fixture)
        let owner = try RunningContainer(fixture, ["/probe"] + secrets.stalk(mode, rights: false)) { request in
            request.allowTracing()
            request.rootfs = RootfsMount(directory: fixture.scratch("overlay2/base/diff"), readOnly: false)
            request.spec.linux.namespaces.append(Spec.Namespace(.user))
            request.spec.linux.uidMappings = Self.mapping
            request.spec.linux.gidMappings = Self.mapping
        }
        _ = try owner.read(to: "ready")
        let victim = try give(try ContainerFixture())
        for round in 0..<40 {
            let result = try victim.run(HostSecrets.victim) { request in
                request.rootfs = RootfsMount(directory: victim.scratch("overlay2/base/diff"), readOnly: false)
                request.spec.linux.namespaces.removeAll { $0.type == .pid }
                request.spec.linux.namespaces += [.user, .pid].map { (kind: Spec.Namespace.Kind) in
                    Spec.Namespace(kind, path: "/proc/\(owner.pid)/ns/\(kind.rawValue)")
                }
                request.spec.process.user = .init(uid: round % 3 == 0 ? 1000 : 0, gid: 0)
            }
            #expect(result.exit == .code(0), "\(result)")
        }
        #expect(Set(try owner.end().split(separator: "\n")) == [])
    }
}
