import DockerCLI
import Engine
import Testing

@Suite struct TimingTableTests {
    @Test func phasesComeInTheirOrderAndAddUp() {
        let lines = TimingTable.lines([.exec: 1_234_999, .load: 5_000, .container: 10_000_000])
        let columns = lines.map { $0.split(separator: " ").prefix(3).joined(separator: " ") }
        #expect(columns == ["load 0.01 ms", "exec 1.23 ms", "container 10.00 ms", "total 11.24 ms"])
        #expect(lines.last?.hasSuffix("of it 1.24 ms without the command itself") == true)
    }

    @Test func whereNothingRanYetTheTotalIsOurs() {
        #expect(
            TimingTable.lines([.load: 1_000_000]) == [
                "load          1.00 ms  load the program, read command line and configuration (CPU time)",
                "total         1.00 ms",
            ])
    }
}
