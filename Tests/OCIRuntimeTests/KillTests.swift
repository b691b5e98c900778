internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// runtime.md, "Kill".
    @Suite struct Kill {
        @Test(arguments: OCIRuntime.all, ["TERM", "SIGTERM", "15", "term", "sigterm"])
        func byNameAndNumber(_ runtime: OCIRuntime, _ signal: String) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container(
                    "trap 'echo terminated; exit 4' TERM; echo ready; while :; do sleep 0.02; done")
                try container.launch()
                #expect(container.prints("ready"))
                let isLower: Set<OCIRuntime.Kind> = signal.lowercased() == signal && signal != "15" ? [.crun] : []
                try runtime.deviates(isLower, "crun 1.8.1 takes capitals only", isIntermittent: true) {
                    try container.kill(signal)
                    #expect(container.prints("terminated"))
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func realTimeSignals(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("trap 'echo got-37' 37; echo ready; while :; do sleep 0.02; done")
                try container.launch()
                #expect(container.prints("ready"))
                try container.kill("37")
                #expect(container.prints("got-37"))
                try runtime.deviates([.crun, .runc], "known to neither by this name", isIntermittent: true) {
                    try container.kill("RTMIN+3")
                    #expect(Wait.until(seconds: 2) { container.lines.count == 3 })
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func theDefaultIsToTerminate(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("trap 'exit 4' TERM; echo ready; while :; do sleep 0.02; done")
                try container.launch()
                #expect(container.prints("ready"))
                try bench.check("kill", container.id)
                #expect(container.becomes("stopped"))
            }
        }

        @Test(arguments: OCIRuntime.all) func whatIsNoSignalIsRefused(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000")
                try container.launch()
                for signal in ["NOTHING", "65", "1000", "-1", "", "9x"] {
                    try runtime.deviates(
                        [.crun, .runc], "not checked before the kernel is asked", isIntermittent: true
                    ) {
                        try bench.expectRefused("kill", container.id, signal)
                    }
                }
                try runtime.deviates([.crun, .runc], "ended by 9x", isIntermittent: true) {
                    #expect(container.status == "running")
                }
            }
        }

        /// Without a pid namespace of its own a container is more than its first process.
        @Test(arguments: OCIRuntime.all) func allOfIt(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container(
                    "trap '' TERM; setsid sleep 5432 & setsid sleep 5432 & echo ready; exec sleep 5432"
                ) { $0.namespace("pid", .absent) }
                try container.launch()
                #expect(container.prints("ready"))
                let group = bench.groups().first { $0.contains("pids") && $0.hasSuffix(container.id) } ?? ""
                let count = { (try? File.readAll("\(group)/cgroup.procs"))?.count { $0 == 10 } ?? 0 }
                #expect(Wait.until(seconds: 5) { count() == 3 || group.isEmpty })
                try bench.check("kill", "--all", container.id, "KILL")
                #expect(container.becomes("stopped"))
                #expect(Wait.until(seconds: 5) { count() == 0 })
            }
        }

        @Test(arguments: OCIRuntime.all) func deleteTakesAllThatIsLeft(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("setsid sleep 5432 & echo ready; exec sleep 5432") {
                    $0.namespace("pid", .absent)
                }
                try container.launch()
                #expect(container.prints("ready"))
                try bench.check("delete", "--force", container.id)
                #expect(bench.leaks().isEmpty)
            }
        }
    }
}
