import OCI
import Runtime
import Testing

@Suite struct SeccompTests {
    @Test func compilesTheDefault() throws {
        let mask = CapabilityProfile.runimg.mask
        let clock = ContinuousClock()
        var size = 0
        for _ in 0..<3 {
            let time = try clock.measure {
                size = try SeccompCompiler.compile(SeccompDefault.profile(capabilities: mask)).count
            }
            print(size, time)
        }
    }
}
