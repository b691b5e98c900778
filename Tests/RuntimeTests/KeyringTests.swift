import CInit
import Glibc
import OCI
import Rootfs
import Sys
import TestSupport
import Testing

@testable import Runtime

@Suite(.enabled(if: ContainerFixture.hasProbe, ContainerFixture.probeRequirement))
struct KeyringTests {
    /// More than the 200 keys that a user without privileges may own (keyrings(7)): the keyrings are root's.
    @Test("X12: 250 containers at once have a session keyring each", .timeLimit(.minutes(Wait.minutes(10))))
    func manyContainersHaveTheirOwn() throws {
        let fixture = try ContainerFixture.withProbe()
        let output = try PipeEnds()
        // All of the keyrings are root's: the container's user would have run out of them.
        let before = try keys(of: 4321)
        var running: [Int32] = []
        defer {
            for pidfd in running { try? Pidfd.send(SIGKILL, to: pidfd) }
            for pidfd in running {
                _ = try? Pidfd.wait(pidfd)
                close(pidfd)
            }
        }
        for _ in 0..<250 {
            let request = try fixture.request(["/probe", "findkey", "none", "hold"]) { request in
                request.rootfs = RootfsMount(directory: fixture.scratch("overlay2/base/diff"), readOnly: true)
                request.stdio = StandardIO(input: -1, output: output.writer, error: -1)
                request.spec.process.user = .init(uid: 4321, gid: 4321)
                request.spec.linux.namespaces = [Spec.Namespace(.mount), Spec.Namespace(.pid)]
                request.spec.hostname = nil
                request.spec.mounts = []
                request.spec.linux.maskedPaths = []
                request.spec.linux.readonlyPaths = []
            }
            let process = try Launcher.start(try Launcher.plan(request))
            running.append(try process.pidfd.duplicate().release())
        }
        var text = ""
        while text.ranges(of: "serial=").count < 250 || !text.hasSuffix("\n") {
            var chunk = [UInt8](repeating: 0, count: 65536)
            let count = try chunk.withUnsafeMutableBytes { try File.read(output.reader.raw, into: $0) }
            if count == 0 { break }
            text += String(decoding: chunk[..<count], as: UTF8.self)
        }
        let serials = text.split(separator: "\n").filter { $0.hasPrefix("serial=") }
        #expect(serials.count == 250 && Set(serials).count == 250)
        #expect(!text.contains("serial=-1"))
        #expect(try keys(of: 4321) == before)
    }

    /// The user's line of /proc/key-users, which says how many keys are his: nil for one who never had any.
    private func keys(of uid: UInt32) throws -> String? {
        let users = String(decoding: try File.readAll("/proc/key-users", limit: 1 << 20), as: UTF8.self)
        return users.split(separator: "\n").map(String.init).first { line in
            line.split(separator: ":").first?.split(separator: " ").last == "\(uid)"
        }
    }

    @Test("X12: a start for which the kernel has no keyring left fails and says what to raise")
    func theQuotaIsNotExceededSilently() throws {
        let plan = try Launcher.plan(try ContainerFixture().request(["true"]))
        let index = try #require(plan.ops.firstIndex { if case .keyring = $0 { true } else { false } })
        let report = cinit_report(
            kind: UInt32(CINIT_FAILURE.rawValue), call: UInt32(CINIT_AT_CALL.rawValue), op: UInt32(index), error: EDQUOT
        )
        let error = LaunchFailure.error(report, text: "", plan)
        #expect("\(error)".hasSuffix("(EDQUOT); raise /proc/sys/kernel/keys/root_maxkeys"), "\(error)")
        #expect(error.exitCode == 125)
    }
}
