import Testing

@testable import Engine

@Suite struct EnvironmentBuilderTests {
    private func build(user: [String] = [], image: [String] = [], terminal: Bool = false) -> [String] {
        EnvironmentBuilder.build(user: user, image: image, hostname: "box", terminal: terminal, home: "/root")
    }

    @Test func defaultsComeFirstAndHomeLast() {
        #expect(build(terminal: true) == [EnvironmentBuilder.defaultPath, "HOSTNAME=box", "TERM=xterm", "HOME=/root"])
    }

    @Test func theUserWinsOverTheImageInItsPlace() {
        let result = build(user: ["A=user", "HOME=/x"], image: ["PATH=/bin", "A=image"])
        #expect(result == ["PATH=/bin", "HOSTNAME=box", "A=user", "HOME=/x"])
    }

    /// CVE-2026-57231: an entry of the image without a value must not be filled from the host.
    @Test func theImageCannotAskForTheHostsVariables() {
        #expect(build(image: ["LEAKME", "=x", ""]) == build())
    }

    @Test func aNameAloneInherits() {
        let entries = [
            EnvironmentEntry(name: "HAVE", value: nil), EnvironmentEntry(name: "LACK", value: nil),
            EnvironmentEntry(name: "EMPTY", value: ""),
        ]
        #expect(
            EnvironmentBuilder.resolve(entries) { $0 == "HAVE" ? "1" : nil } == ["HAVE=1", "EMPTY="])
    }
}
