internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// config-linux.md, "Offset for Time Namespace"; time_namespaces(7).
    @Suite(
        .enabled(if: File.exists("/proc/self/ns/time"), "needs a kernel with time namespaces"),
        .enabled(if: OCIProbe.isPossible, "needs cc"))
    struct Clocks {
        /// runc 1.1.5 and crun 1.8.1 know of no such namespace.
        private static let unknown: Set<OCIRuntime.Kind> = [.runc, .crun]
        private static let reason: Comment = "of Debian's none makes time namespaces"

        private static func offsets(_ config: inout OCIConfig) {
            config.namespace("time", .new)
            config["linux.timeOffsets"] = [
                "boottime": ["secs": 1_000_000, "nanosecs": 500], "monotonic": ["secs": 5000],
            ]
        }

        /// By how many seconds a container's clocks are ahead of ours.
        private static func ahead(_ said: [String: String]) throws -> (monotonic: Double, boottime: Double) {
            let text = String(decoding: try File.readAll("/proc/uptime", limit: 64), as: UTF8.self)
            let uptime = try #require(text.split(separator: " ").first.flatMap { Double($0) })
            let monotonic = try #require(said["monotonic"].flatMap { Double($0) })
            let boottime = try #require(said["boottime"].flatMap { Double($0) })
            return (monotonic - Wait.now, boottime - uptime)
        }

        private static func expectAhead(_ said: [String: String], location: SourceLocation = #_sourceLocation) throws {
            let (monotonic, boottime) = try ahead(said)
            #expect((4900...5002).contains(monotonic), "\(said)", sourceLocation: location)
            #expect((999_900...1_000_002).contains(boottime), "\(said)", sourceLocation: location)
        }

        @Test(arguments: OCIRuntime.all) func areShifted(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("/bin/probe clocks; cat /proc/uptime; sleep 1000", Self.offsets)
                try container.installProbe()
                try runtime.deviates(Self.unknown, Self.reason) {
                    try container.launch()
                    #expect(Wait.until(seconds: 5) { container.lines.count == 3 })
                    try Self.expectAhead(OCIProbe.parse(container.output))
                    let uptime = container.lines.last?.split(separator: " ").first.flatMap { Double($0) } ?? 0
                    #expect(uptime > 1_000_000, "\(container.output)")
                    let own = try File.readLink("/proc/self/ns/time")
                    let others = try File.readLink("/proc/\(container.pid)/ns/time")
                    #expect(own != others)
                    // A further process has the container's clocks, not its caller's.
                    let output = try container.exec("/bin/probe", "clocks")
                    try Self.expectAhead(OCIProbe.parse(output.stdout))
                    #expect(try container.shell("readlink /proc/self/ns/time") == others)
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func areAnothers(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let first = try bench.container("sleep 1000", Self.offsets)
                try runtime.deviates(Self.unknown, Self.reason) {
                    try first.launch()
                    let path = "/proc/\(first.pid)/ns/time"
                    let said = try bench.clocks { $0.namespace("time", .joined(path)) }
                    try Self.expectAhead(said)
                    // What somebody else's clocks say is his to choose.
                    try bench.expectRefused {
                        $0.namespace("time", .joined(path))
                        $0["linux.timeOffsets"] = ["boottime": ["secs": 1]]
                    }
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func areTheHostsUnlessAskedFor(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let said = try bench.clocks { _ in }
                let (monotonic, boottime) = try Self.ahead(said)
                #expect(abs(monotonic) < 100 && abs(boottime) < 100, "\(said)")
            }
        }

        @Test(arguments: OCIRuntime.all) func whatCannotBeIsRefused(_ runtime: OCIRuntime) throws {
            let cases: [(JSONValue, hasOwn: Bool)] = [
                (["realtime": ["secs": 1]], true), (["boottime": ["secs": 1, "nanosecs": 1_000_000_000]], true),
                (["boottime": ["secs": "1"]], true), (["boottime": ["secs": -9_000_000_000_000_000]], true),
                (["boottime": ["secs": 1, "nanosecs": -1]], true), (["boottime": ["secs": 1]], false),
            ]
            try OCIBench.with(runtime) { bench in
                for (offsets, hasOwn) in cases {
                    try runtime.deviates(Self.unknown, "they pass offsets over", isIntermittent: true) {
                        try bench.expectRefused {
                            if hasOwn { $0.namespace("time", .new) }
                            $0["linux.timeOffsets"] = offsets
                        }
                    }
                }
            }
        }
    }
}

extension OCIBench {
    /// What the clocks say to a container's first process.
    fileprivate func clocks(_ change: (inout OCIConfig) throws -> Void) throws -> [String: String] {
        let container = try container("/bin/probe clocks", change)
        try container.installProbe()
        let output = try container.run()
        guard output.status == 0 else { throw Tool.Failure(output: output) }
        return OCIProbe.parse(output.stdout)
    }
}
