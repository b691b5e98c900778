internal import OCI
internal import Synchronization
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// `events` without `--stats`: a line of JSON now and then, until the container is gone.
    @Suite struct Events {
        /// What `events` has printed so far, and whether it has ended.
        private final class Stream: Sendable {
            private let bench: OCIBench
            let result = Mutex<Tool.Output?>(nil)

            init(_ bench: OCIBench) { self.bench = bench }

            var lines: [JSONValue] {
                let bytes = (try? File.readAll(bench.scratch("files/events.out"), limit: 16 << 20)) ?? []
                return bytes.split(separator: 0x0a).compactMap { try? JSONValue(parsing: Array($0)) }
            }
            var isOver: Bool { result.withLock { $0 != nil } }

            func run(_ container: OCIContainer, timeout: Double) {
                let line = ["events", "--interval", "100ms", container.id]
                let output = try? bench.run(line, to: "events", timeout: timeout)
                result.withLock { $0 = output }
            }
        }

        /// Runs `body` while `events` runs; returns how that ended.
        private static func watching(
            _ container: OCIContainer, _ body: (Stream) throws -> Void
        ) throws -> Tool.Output {
            let stream = Stream(container.bench)
            let thread = try JoinableThread { stream.run(container, timeout: 20) }
            let outcome = Result { try body(stream) }
            // Some end with the container's cgroup only.
            _ = try? container.bench("delete", "--force", container.id)
            thread.join()
            try outcome.get()
            return try #require(stream.result.withLock { $0 })
        }

        @Test(arguments: OCIRuntime.all) func goOnUntilTheEnd(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000")
                try container.launch()
                try runtime.deviates([.crun], "crun has no events") {
                    let output = try Self.watching(container) { stream in
                        #expect(Wait.until(seconds: 10) { stream.lines.count >= 3 || stream.isOver })
                        #expect(!stream.isOver && stream.lines.count >= 3)
                        for line in stream.lines {
                            #expect(line["type"]?.string == "stats" && line["id"]?.string == container.id, "\(line)")
                            #expect((line[path: "data.memory.usage.usage"]?.integer ?? 0) > 4096, "\(line)")
                        }
                        try container.kill()
                        #expect(container.becomes("stopped"))
                        if runtime.kind == .runimg { #expect(Wait.until(seconds: 10) { stream.isOver }) }
                    }
                    #expect(output.status == 0 && output.stderr.isEmpty, "\(output)")
                }
            }
        }

        @Test(
            .enabled(if: Conditions.hasController("memory"), "needs the controller memory"), arguments: OCIRuntime.all)
        func tellOfLackOfMemory(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000") {
                    $0["linux.resources.memory"] = ["limit": 33_554_432, "swap": 33_554_432]
                }
                try container.launch()
                try runtime.deviates([.crun], "crun has no events") {
                    _ = try Self.watching(container) { stream in
                        #expect(Wait.until(seconds: 10) { !stream.lines.isEmpty || stream.isOver })
                        let isTold = { stream.lines.contains { $0["type"]?.string == "oom" } }
                        #expect(!isTold() && !stream.isOver)
                        let eaten = try container.exec(
                            "sh", "-c", "head -c 90000000 /dev/zero | tail -c 80000000 | wc -c")
                        #expect(!eaten.stdout.contains("80000000"), "\(eaten)")
                        #expect(Wait.until(seconds: 10) { isTold() })
                        let told = stream.lines.first { $0["type"]?.string == "oom" }
                        #expect(told?["id"]?.string == container.id)
                    }
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func needAnIntervalAndSomethingThatRuns(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("true")
                try container.launch()
                for interval in ["0", "0s", "-1s", "soon"] {
                    try bench.expectRefused("events", "--interval", interval, container.id)
                }
                #expect(container.becomes("stopped"))
                try bench.expectRefused("events", container.id)
                try bench.expectRefused("events", "--stats", container.id)
                try bench.expectRefused("events", "--stats", "nobody")
            }
        }
    }
}
