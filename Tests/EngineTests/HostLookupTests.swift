import OCI
import Sys
import TestSupport
import Testing

@testable import Engine

@Suite struct HostLookupTests {
    @Test("R17: every CPU's thermal_throttle is found, and nothing else") func findsThermalThrottles() throws {
        let scratch = try Scratch()
        #expect(HostFacts.thermalThrottles(below: scratch("absent")) == [])
        for name in ["cpu0", "cpu1", "cpu10", "cpufreq", "cpuidle", "hotplug"] {
            try scratch.directory("cpu/\(name)/topology")
        }
        #expect(HostFacts.thermalThrottles(below: scratch("cpu")) == [])
        for name in ["cpu0", "cpu10", "cpufreq"] { try scratch.directory("cpu/\(name)/thermal_throttle") }
        let expected = ["cpu0", "cpu10"].map { scratch("cpu/\($0)/thermal_throttle") }
        #expect(HostFacts.thermalThrottles(below: scratch("cpu")) == expected)
    }

    @Test("R17: thermal_throttle is masked for all but privileged containers") func masksThermalThrottles() throws {
        let paths = ["/sys/devices/system/cpu/cpu0/thermal_throttle"]
        var inputs = SpecBuilderTests.inputs()
        inputs.host.thermalThrottles = paths
        #expect(try Set(paths).isSubset(of: SpecBuilder.build(inputs).linux.maskedPaths))
        inputs.request.isolation.privileged = true
        #expect(try SpecBuilder.build(inputs).linux.maskedPaths.isEmpty)
    }
}
