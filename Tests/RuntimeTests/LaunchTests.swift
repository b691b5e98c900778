import Glibc
import OCI
import Rootfs
import Runtime
import Sys
import TestSupport
import Testing

@Suite(.enabled(if: ContainerFixture.isPossible, ContainerFixture.requirement))
struct LaunchTests {
    @Test func runsACommand() throws {
        let fixture = try ContainerFixture()
        let result = try fixture.shell("echo hello; exit 7")
        #expect(result.output == "hello\n")
        #expect(result.exit == .code(7))
    }
}
