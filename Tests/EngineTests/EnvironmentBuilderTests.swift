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

    @Test func manyAreAsAFew() {
        let image = (0..<5000).map { "V\($0)=image" } + ["A=\u{301}1", "V7=again"]
        let result = build(user: ["V3=user", "V4999=user", "A=\u{301}2", "NEW=1"], image: image)
        #expect(result.count == build().count + 5000 + 2)
        #expect(
            Array(result[2..<10])
                == ["V0", "V1", "V2", "V3", "V4", "V5", "V6", "V7"].map {
                    $0 == "V3" ? "V3=user" : $0 == "V7" ? "V7=again" : "\($0)=image"
                })
        #expect(Array(result.suffix(4)) == ["V4999=user", "A=\u{301}2", "NEW=1", "HOME=/root"])
    }

    /// CVE-2026-57231: an entry of the image without a value must not be filled from the host.
    @Test("X4: an entry without a value is dropped, and named") func theImageCannotAskForTheHostsVariables() {
        let entries = ["LEAKME", "HOST*", "=x", ""]
        #expect(build(image: entries) == build())
        #expect(EnvironmentBuilder.unusable(entries + ["A=1"]) == entries)
    }

    @Test("X4: names and values are told apart by bytes") func entriesAreBytes() {
        #expect(build(user: ["A=\u{301}2"], image: ["A=\u{301}1"]).contains("A=\u{301}2"))
        #expect(build(user: ["A=\u{301}2"], image: ["A=\u{301}1"]).count == build().count + 1)
        #expect(EnvironmentBuilder.value(of: "HOME", in: ["HOME=\u{301}"]) == "\u{301}")
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
