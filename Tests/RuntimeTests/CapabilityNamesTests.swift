import CCap
import Testing

@testable import Runtime

@Suite struct CapabilityNamesTests {
    /// libcap 2.66 knows the same names by the same numbers, as far as it goes.
    @Test func namesAreThoseOfLibcap() throws {
        for name in CapabilityMask.all.names {
            var value = cap_value_t()
            try #require(cap_from_name(name.lowercased(), &value) == 0, "\(name)")
            #expect(try CapabilityMask(name: name).rawValue == 1 << UInt64(value), "\(name)")
        }
    }
}
