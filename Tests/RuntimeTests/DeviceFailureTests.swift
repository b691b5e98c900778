import CInit
import Glibc
import TestSupport
import Testing

@testable import Runtime

@Suite struct DeviceFailureTests {
    /// As below a cgroup whose program denies all devices.
    @Test func aNodeThatMayNotBeMadeSaysWhatItTakes() throws {
        let plan = try Launcher.plan(try ContainerFixture().request(["true"]))
        let index = try #require(plan.ops.firstIndex { if case .node = $0 { true } else { false } })
        let report = cinit_report(
            kind: UInt32(CINIT_FAILURE.rawValue), call: UInt32(CINIT_AT_CALL.rawValue), op: UInt32(index), error: EPERM)
        let text = "\(LaunchFailure.error(report, text: "", plan))"
        #expect(text.hasPrefix("mknod $dev:null c 1:3 mode 0666: ") && text.contains("(EPERM); that takes CAP_MKNOD"))
        #expect(text.hasSuffix("no cgroup above the container's that denies devices to all in it"), "\(text)")
    }
}
