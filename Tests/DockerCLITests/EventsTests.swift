import DockerCLI
import Logs
import Testing

@Suite struct EventsTests {
    private func bench() -> Bench {
        let bench = Bench()
        func time(_ seconds: Int64) -> LogTime { LogTime(seconds: 1_700_000_000 + seconds, nanoseconds: 42) }
        let web = ["image": "nginx:1.25", "name": "web", "tier": "front"]
        bench.engine.happened = [
            Event("image", "pull", actor: "nginx:1.25", attributes: ["name": "nginx"], time: time(0)),
            Event("container", "create", actor: "aaa", attributes: web, time: time(1)),
            Event("container", "exec_start: ls", actor: "aaa", attributes: web, time: time(2)),
            Event("container", "die", actor: "bbb", attributes: ["image": "busybox", "name": "job"], time: time(3)),
            Event("volume", "create", actor: "data", time: time(4)),
        ]
        return bench
    }

    @Test func aLineIsDockers() {
        let bench = bench()
        #expect(bench.run(["events", "--filter", "type=container", "--filter", "event=create"]) == 0)
        // In the local zone.
        let expected =
            LogTime(seconds: 1_700_000_001, nanoseconds: 42).localText
            + " container create aaa (image=nginx:1.25, name=web, tier=front)\n"
        #expect(bench.output.text == expected)
        #expect(expected.contains("2023-11-1"))
    }

    @Test(arguments: [
        ("container=web", ["create", "exec_start: ls"]), ("container=bb", ["die"]),
        ("container=web,container=job", ["create", "exec_start: ls", "die"]),
        ("image=nginx", ["pull", "create", "exec_start: ls"]), ("image=busybox", ["die"]),
        ("event=exec_start", ["exec_start: ls"]), ("event=create", ["create", "create"]),
        ("event=die,event=pull", ["pull", "die"]), ("label=tier", ["create", "exec_start: ls"]),
        ("label=tier=back", []), ("type=volume", ["create"]), ("volume=data", ["create"]), ("scope=swarm", []),
        ("type=container,container=job", ["die"]), ("node=x", []),
    ]) func filtersNarrowAsDockers(_ filters: String, _ expected: [String]) {
        let bench = bench()
        let flags = filters.split(separator: ",").flatMap { ["-f", String($0)] }
        #expect(bench.run(["events", "--format", "{{.Action}}"] + flags) == 0)
        #expect(bench.output.text == expected.map { $0 + "\n" }.joined())
    }

    @Test func formatsAreDockers() {
        let bench = bench()
        let format = "{{.Status}} {{.ID}} {{.From}} {{.Type}} {{.Actor.Attributes.name}} {{.Time}} {{.Scope}}"
        #expect(bench.run(["events", "-f", "event=die", "--format", format]) == 0)
        #expect(bench.run(["events", "-f", "type=volume", "--format", "json"]) == 0)
        #expect(
            bench.output.text == "die bbb busybox container job 1700000003 local\n"
                + #"{"Type":"volume","Action":"create","Actor":{"ID":"data","Attributes":{}},"scope":"local","#
                + #""time":1700000004,"timeNano":1700000004000000042}"# + "\n")
    }

    @Test func whatIsWrongIsToldBeforeAnythingIsRead() {
        let bench = bench()
        #expect(bench.run(["events", "--format", "{{.Nothing}}"]) == 64)
        #expect(bench.run(["events", "--since", "yesterday"]) == 1)
        #expect(bench.run(["events", "--filter", "color=red"]) == 125 || bench.errors.text.contains("color"))
        #expect(bench.engine.eventQueries.isEmpty)
        #expect(bench.errors.text.contains("Error parsing format: "))
        #expect(
            bench.errors.text.contains(
                #"invalid value for "since": failed to parse value as time or duration: "yesterday""#))
    }

    @Test func timesReachTheEngine() {
        let bench = bench()
        #expect(bench.run(["events", "--since", "1700000001", "--until", "1700000003.5"]) == 0)
        let query = EventQuery(
            since: LogTime(seconds: 1_700_000_001, nanoseconds: 0),
            until: LogTime(seconds: 1_700_000_003, nanoseconds: 500_000_000))
        #expect(bench.engine.eventQueries == [query])
    }
}
