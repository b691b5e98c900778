internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// A command may be killed at any moment: what it leaves is no process that runs on unknown, and nothing that the next
    /// command can't remove.
    @Suite(.serialized) struct Crashes {
        /// Killed after so many microseconds, spread over what a `create` takes.
        private static let delays = (0..<24).map { UInt32($0) * 700 }

        private static func killed(
            _ bench: OCIBench, _ container: OCIContainer, _ verb: [String], after delay: UInt32
        ) throws {
            var child = try ChildProcess(
                bench.runtime.path, ["--root", bench.state] + verb + [container.id],
                environment: Tool.baseEnvironment.merging(bench.runtime.environment) { $1 })
            usleep(delay)
            try child.signal(SIGKILL)
            _ = try child.wait(seconds: 30)
        }

        @Test(arguments: OCIRuntime.all.filter { $0.kind == .runimg })
        func aCreateThatIsKilledIsRemoved(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                for delay in Self.delays {
                    let container = try bench.container("sleep 1000")
                    try Self.killed(bench, container, ["create", "--bundle", container.bundle], after: delay)
                    // With force, one that has not begun is no error.
                    try bench.check("delete", "--force", container.id)
                    let left = bench.leaks()
                    #expect(left.isEmpty, "after \(delay) µs: \(left)")
                }
            }
        }

        @Test(arguments: OCIRuntime.all.filter { $0.kind == .runimg })
        func itsIDCanBeUsedAgain(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                for delay in Self.delays {
                    let container = try bench.container("echo ran; sleep 1000")
                    try Self.killed(bench, container, ["create", "--bundle", container.bundle], after: delay)
                    // One that was through before it was killed is a container as any other, from a moment on.
                    #expect(
                        Wait.until(seconds: 20) { container.status == "created" || (try? container.create()) != nil })
                    try container.start()
                    #expect(container.becomes("running"), "after \(delay) µs")
                    try bench.check("delete", "--force", container.id)
                }
            }
        }

        /// Runs its arguments six times at once, and prints how many ended well.
        private static let sixAtOnce = """
            for n in 1 2 3 4 5 6; do "$@" > /dev/null 2>&1 < /dev/null & all="$all $!"; done
            made=0; for one in $all; do wait $one && made=$((made + 1)); done; echo $made
            """

        @Test(arguments: OCIRuntime.all.filter { $0.kind == .runimg })
        func ofManyAtOnceOneMakesIt(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                for _ in 0..<5 {
                    let container = try bench.container("sleep 1000")
                    let output = try Tool.check(
                        "sh",
                        [
                            "-c", Self.sixAtOnce, "sh", runtime.path, "--root", bench.state, "create", "--bundle",
                            container.bundle, container.id,
                        ])
                    #expect(output.lines == ["1"])
                    try container.start()
                    #expect(container.becomes("running"))
                    try bench.check("delete", "--force", container.id)
                }
            }
        }

        @Test(arguments: OCIRuntime.all.filter { $0.kind == .runimg })
        func aStartOrDeleteThatIsKilledIsDoneAgain(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                for delay in Self.delays.prefix(12) {
                    let container = try bench.container("sleep 1000")
                    try container.create()
                    try Self.killed(bench, container, ["start"], after: delay / 2)
                    if container.status == "created" {
                        // The word may be on its way.
                        let again = try bench("start", container.id)
                        #expect(again.status == 0 || again.stderr.contains("in the running state"), "\(again)")
                    }
                    #expect(container.becomes("running"), "after \(delay / 2) µs")
                    try Self.killed(bench, container, ["delete", "--force"], after: delay)
                    try bench.check("delete", "--force", container.id)
                    let left = bench.leaks()
                    #expect(left.isEmpty, "after \(delay) µs: \(left)")
                }
            }
        }
    }
}
