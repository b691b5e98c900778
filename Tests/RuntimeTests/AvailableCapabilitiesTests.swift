import Testing

@testable import Runtime

@Suite struct AvailableCapabilitiesTests {
    /// A caller that is itself bounded (a CI container, a unit with a bounding set) can't give what it lacks.
    @Test func onlyWhatWeHoldCanBeGiven() {
        let status = Array("Name:\tx\nCapPrm:\t000001fffeffffff\nCapBnd:\t000001ffffffffff\n".utf8)
        let mask = CapabilityMask.available(status: status, kernel: .all)
        #expect(mask == CapabilityMask.all.subtracting(CapabilityMask(rawValue: 1 << 24)))
    }

    @Test(arguments: ["", "CapPrm:\tzz\n"]) func anUnreadableStatusLeavesTheKernelToJudge(_ text: String) {
        #expect(CapabilityMask.available(status: Array(text.utf8), kernel: .all) == .all)
    }
}
