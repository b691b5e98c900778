import DockerCLI
import Testing

/// Help of every command in every spelling, and what is said of words that nobody knows.
@Suite struct SuggestionTests {
    @Test func helpOfEverySpelling() {
        for entry in CommandTable.entries where entry.state == .ready {
            for path in [entry.path] + entry.aliases {
                let asked = Bench()
                #expect(asked.run("help \(path)") == 0, "\(path)")
                let flagged = Bench()
                #expect(flagged.run("\(path) --help") == 0, "\(path)")
                #expect(asked.output.text == flagged.output.text)
                #expect(asked.output.text.hasPrefix("Usage:  runimg \(path) ") || entry.command?.info.synopsis == "")
                #expect(asked.errors.text.isEmpty && flagged.errors.text.isEmpty)
            }
        }
    }

    @Test(arguments: [
        ("psx", ["ps"]), ("imagse", ["image", "images"]), ("sp", ["cp", "ps"]), ("container lss", ["ls"]),
        ("volumes ls", ["volume"]),
        ("vol", ["volume"]), ("hlep", ["help"]), ("qqqqqqqq", []),
    ])
    func commands(_ line: String, _ expected: [String]) {
        let bench = Bench()
        #expect(bench.run(line) == 1)
        #expect(Self.suggested(bench) == expected, "\(bench.errors.text)")
        #expect(bench.errors.text.hasPrefix("runimg: unknown command: runimg \(line.split(separator: " ")[0])"))
        #expect(bench.errors.text.hasSuffix("\nRun 'runimg --help' for more information\n"))
    }

    @Test(arguments: [
        ("run --memroy 1g x", "unknown flag: --memroy", ["--memory"]),
        ("ps --quite", "unknown flag: --quite", ["--quiet"]),
        ("run -rm x", "unknown shorthand flag: 'r' in -rm", ["--rm"]),
        ("ps --zzzzzz", "unknown flag: --zzzzzz", []),
        ("ps -z", "unknown shorthand flag: 'z' in -z", []),
        ("--vesion", "unknown flag: --vesion", ["--version"]),
        ("run --hlep", "unknown flag: --hlep", ["--help"]),
    ])
    func flags(_ line: String, _ message: String, _ expected: [String]) {
        let bench = Bench()
        #expect(bench.run(line) == 125)
        #expect(bench.errors.text.hasPrefix(message + "\n\n"), "\(bench.errors.text)")
        #expect(Self.suggested(bench) == expected, "\(bench.errors.text)")
        // docker's lines follow.
        #expect(bench.errors.text.contains("\n\nUsage:  runimg"))
    }

    /// What will come is not what somebody means today.
    @Test func plannedFlagsAreNotSuggested() {
        let bench = Bench()
        #expect(bench.run("run --gpuss x") == 125)
        #expect(!bench.errors.text.contains("--gpus\n"))
    }

    @Test func helpOfWhatIsNotThere() {
        for (line, message) in [
            ("help psx", "unknown help topic: psx\n\nDid you mean this?\n\tps\n"),
            ("help container lss", "unknown help topic: container lss\n\nDid you mean this?\n\tls\n"),
            ("help qqqqqqq", "unknown help topic: qqqqqqq\n"),
        ] {
            let bench = Bench()
            #expect(bench.run(line) == 1)
            #expect(bench.errors.text == message)
        }
    }

    private static func suggested(_ bench: Bench) -> [String] {
        bench.errors.text.split(separator: "\n").filter { $0.hasPrefix("\t") && !$0.hasPrefix("\trunimg") }
            .map { String($0.dropFirst()) }
    }
}
