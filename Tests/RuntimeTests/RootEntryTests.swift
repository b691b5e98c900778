import Glibc
import OCI
import Rootfs
import Runtime
import Sys
import TestSupport
import Testing

/// Ways into the root, and what a container has of the caller's keys.
@Suite(.enabled(if: ContainerFixture.isPossible, ContainerFixture.requirement))
struct RootEntryTests {
    /// As on an initramfs, which can't be pivoted away from.
    @Test func movesTheRootInPlaceOfPivoting() throws {
        let fixture = try ContainerFixture()
        let script = """
            ls -a /; cd /; cd ..; pwd; cat /proc/1/comm; grep -c ' /sys ' /proc/self/mountinfo
            grep -cE ' (proc|sysfs) ' /proc/self/mountinfo
            """
        let result = try fixture.shell(script) { $0.usesPivot = false }
        #expect(result.exit == .code(0) && result.errors == "", "\(result)")
        let pivoted = try ContainerFixture().shell(script)
        #expect(result.lines == pivoted.lines, "\(result)\n\(pivoted)")
        let plan = try Launcher.plan(try fixture.request(["true"]) { $0.usesPivot = false }).description
        #expect(plan.contains("move $root over the root") && !plan.contains("pivot"))
    }

    @Test func keepsTheSessionKeyring() throws {
        let fixture = try ContainerFixture()
        let own = try Launcher.plan(try fixture.request(["true"])).description
        #expect(own.contains("new session keyring _ses.\(fixture.id)"))
        let callers = try Launcher.plan(try fixture.request(["true"]) { $0.newKeyring = false }).description
        #expect(!callers.contains("keyring"))
        #expect(try fixture.run(["true"]) { $0.newKeyring = false }.exit == .code(0))
    }
}
