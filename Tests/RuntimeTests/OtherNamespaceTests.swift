import Glibc
import OCI
import Rootfs
import Runtime
import Sys
import TestSupport
import Testing

/// Clocks of a container's own, and a mount namespace of another's.
@Suite(.enabled(if: ContainerFixture.isPossible, ContainerFixture.requirement))
struct OtherNamespaceTests {
    @Test func shiftsItsClocks() throws {
        let fixture = try ContainerFixture()
        let own = try #require(
            Double(
                String(decoding: try File.readAll("/proc/uptime", limit: 64), as: UTF8.self).split(separator: " ")[0]))
        let result = try fixture.shell("cut -d' ' -f1 /proc/uptime; cat /proc/self/timens_offsets") { request in
            request.spec.linux.namespaces.append(Spec.Namespace(.time))
            request.spec.linux.timeOffsets = [
                "boottime": Spec.TimeOffset(secs: 1_000_000, nanosecs: 500), "monotonic": .init(secs: 7, nanosecs: 0),
            ]
        }
        let seen = try #require(result.lines.first.flatMap { Double($0) }, "\(result)")
        #expect(seen - own >= 1_000_000 && seen - own < 1_000_300)
        let offsets = result.lines.dropFirst().map { $0.split(separator: " ") }
        #expect(offsets == [["monotonic", "7", "0"], ["boottime", "1000000", "500"]], "\(result)")
    }

    @Test func refusesClocksThatCantBe() throws {
        func message(_ change: @escaping (inout Spec.Linux) -> Void) throws -> String {
            "\(try ContainerFixture().failure(["true"]) { change(&$0.spec.linux) })"
        }
        #expect(try message { $0.timeOffsets = ["boottime": .init(secs: 1, nanosecs: 0)] }.contains("a new time"))
        #expect(
            try message { linux in
                linux.namespaces.append(Spec.Namespace(.time))
                linux.timeOffsets = ["realtime": .init(secs: 1, nanosecs: 0)]
            }.contains("no offset for the clock realtime"))
        #expect(
            try message { linux in
                linux.namespaces.append(Spec.Namespace(.time))
                linux.timeOffsets = ["boottime": .init(secs: .min, nanosecs: 0)]
            }.hasPrefix("set the clocks of the new time namespace: "))
    }

    @Test func joinsATimeNamespace() throws {
        let owner = try RunningContainer(try ContainerFixture()) { request in
            request.spec.linux.namespaces.append(Spec.Namespace(.time))
            request.spec.linux.timeOffsets = ["boottime": Spec.TimeOffset(secs: 5000, nanosecs: 0)]
        }
        let script = "readlink /proc/self/ns/time; cat /proc/self/timens_offsets"
        let result = try ContainerFixture().shell(script) { request in
            request.spec.linux.namespaces.append(Spec.Namespace(.time, path: "/proc/\(owner.pid)/ns/time"))
        }
        #expect(result.lines == (try owner.shell(script).lines), "\(result)")
    }

    /// The root is a directory of that namespace, which keeps its own root.
    @Test func joinsAMountNamespace() throws {
        let first = try ContainerFixture { scratch, image in
            try scratch.directory("overlay2/base/diff/other/bin")
            for name in ["proc", "dev", "sys", "tmp"] { try scratch.directory("overlay2/base/diff/other/\(name)") }
            try scratch.file("overlay2/base/diff/other/bin/busybox", try File.readAll("/bin/busybox"), mode: 0o755)
            for name in ["sh", "readlink", "ls"] { try File.symlink("busybox", "\(image)/other/bin/\(name)") }
        }
        let owner = try RunningContainer(first)
        let before = try owner.shell("ls /; cut -d' ' -f5 /proc/self/mountinfo").output
        let result = try ContainerFixture().shell("readlink /proc/self/ns/mnt; ls /") { request in
            request.rootfs = RootfsMount(directory: "/other", readOnly: false)
            request.spec.linux.namespaces.removeAll { $0.type == .mount }
            request.spec.linux.namespaces.append(Spec.Namespace(.mount, path: "/proc/\(owner.pid)/ns/mnt"))
            request.spec.mounts = ContainerFixture.mounts.filter { $0.destination == "/proc" }
            request.spec.linux.maskedPaths = ["/proc/kcore", "/proc/acpi"]
            request.spec.linux.readonlyPaths = ["/proc/sys"]
        }
        #expect(result.exit == .code(0), "\(result)")
        #expect(result.lines.first == (try owner.shell("readlink /proc/self/ns/mnt").lines.first), "\(result)")
        #expect(result.lines.dropFirst() == ["bin", "dev", "proc", "sys", "tmp"], "\(result)")
        let after = try owner.shell("ls /; cut -d' ' -f5 /proc/self/mountinfo").lines
        #expect(after.filter { !$0.hasPrefix("/other/") } == before.split(separator: "\n").map(String.init))
    }
}
