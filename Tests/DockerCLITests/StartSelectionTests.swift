import DockerCLI
import Engine
import OCI
import Testing

/// Which containers the verbs take that may be told by a description instead of a name.
@Suite struct StartSelectionTests {
    private static func bench() throws -> Bench {
        let image = try Digest(parsing: "sha256:" + String(repeating: "f", count: 64))
        func container(
            _ name: String, _ digit: Character, _ condition: ContainerCondition, _ policy: RestartPolicy.Kind,
            isStopped: Bool = false
        ) -> ContainerSummary {
            var summary = ContainerSummary(
                id: String(repeating: digit, count: 64), name: name, created: "2025-11-21T15:00:0\(digit).000000000Z",
                image: image)
            summary.condition = condition
            summary.restart = RestartPolicy(kind: policy)
            summary.state.isStopped = isStopped
            return summary
        }
        let bench = Bench()
        bench.engine.containers = [
            container("off", "6", .exited, .unlessStopped, isStopped: true),
            container("web", "5", .exited, .unlessStopped),
            container("plain", "4", .exited, .no),
            container("database", "3", .exited, .always, isStopped: true),
            container("busy", "2", .running(pid: 5, startedAt: ""), .always),
            container("flaky", "1", .created, .onFailure),
        ]
        return bench
    }

    /// The first digits of those that were started, in that order.
    private static func started(_ line: String) throws -> String {
        let bench = try bench()
        #expect(bench.run(line) == 0, "\(bench.errors.text)")
        #expect(bench.output.text == bench.engine.verbs.map { $0.dropFirst(6) + "\n" }.joined())
        return bench.engine.verbs.map { String($0.dropFirst(6).prefix(1)) }.joined()
    }

    @Test(arguments: [
        ("start --all", "13456"),
        // docker's rule after a boot: `always` in any case, `unless-stopped` unless somebody stopped it.
        ("start --all --filter restart-policy=always --filter restart-policy=unless-stopped", "35"),
        ("start --filter restart-policy=unless-stopped", "5"),
        ("start --all --filter restart-policy=on-failure", "1"),
        ("start --filter name=plain", "4"),
        ("start --all --filter name=off", "6"),
        ("start --all --filter status=created", "1"),
        ("start --all --filter name=nothing", ""),
    ])
    func startsWhatFitsTheOldestFirst(_ line: String, _ expected: String) throws {
        #expect(try Self.started(line) == expected)
    }

    @Test func refusesWhatIsNoFilter() throws {
        for (line, message, code) in [
            ("start --filter restart-policy=sometimes", "invalid filter 'restart-policy=sometimes'", Int32(125)),
            ("start --filter colour=red", "invalid filter 'colour'", 125),
            ("start --filter name=web web", "--filter takes no arguments", 125),
            ("start", "'runimg start' requires at least 1 argument", 1),
        ] {
            let bench = try Self.bench()
            #expect(bench.run(line) == code)
            #expect(bench.errors.text.hasPrefix("runimg: \(message)"), "\(bench.errors.text)")
            #expect(bench.engine.verbs.isEmpty)
        }
    }
}
