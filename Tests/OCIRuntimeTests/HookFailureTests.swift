internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// runtime.md, "Lifecycle": what a hook that fails changes.
    @Suite struct HookFailures {
        @Test(arguments: OCIRuntime.all, ["prestart", "createRuntime", "createContainer"])
        func createFailsAndAllIsGone(_ runtime: OCIRuntime, _ kind: String) throws {
            try OCIBench.with(runtime) { bench in
                let container = try Hooks.container(bench, [kind: "echo it failed >&2; exit 7"])
                try bench.expectRefused("create", "--bundle", container.bundle, container.id)
                #expect(bench.leaks().isEmpty)
                let order = try Hooks.order(bench)
                #expect(order.contains(kind) && !order.contains("program") && !order.contains("startContainer"))
                // The lifecycle goes on with poststop.
                try runtime.deviates([.crun], "crun 1.8.1 does not run poststop then") {
                    #expect(order.last == "poststop", "\(order)")
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func theOthersOfItsKindDoNotRun(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let file = bench.scratch("said")
                try bench.expectRefused {
                    $0.hook("createRuntime", "echo first >> \(file); exit 1")
                    $0.hook("createRuntime", "echo second >> \(file)")
                }
                #expect(String(decoding: try File.readAll(file), as: UTF8.self) == "first\n")
            }
        }

        @Test(arguments: OCIRuntime.all) func startFailsAndNothingHasRun(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try Hooks.container(bench, ["startContainer": "exit 7"])
                try container.create()
                let output = try bench("start", container.id)
                try runtime.deviates([.runc, .crun], "runc 1.1.5 and crun 1.8.1 have let go of the process by then") {
                    #expect(output.status != 0 && !output.stderr.isEmpty, "\(output)")
                }
                #expect(Wait.until(seconds: 5) { ["stopped", "none"].contains(container.status) })
                let order = try Hooks.order(bench)
                #expect(!order.contains("program"), "\(order)")
            }
        }

        @Test(arguments: OCIRuntime.all) func afterTheStartItIsToldOnly(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try Hooks.container(bench, ["poststart": "exit 7"])
                let reason: Comment = "runc 1.1.5 runs them at the end of create and fails; crun 1.8.1 says nothing"
                try runtime.deviates([.runc, .crun], reason) {
                    try container.create()
                    let output = try bench("start", container.id)
                    #expect(output.status == 0 && !output.stderr.isEmpty, "\(output)")
                    #expect(container.status == "running")
                    #expect(container.prints("ran"))
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func afterTheEndItIsToldOnly(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try Hooks.container(bench, ["poststop": "exit 7"]) { config in
                    config.hook("poststop", "echo last >> \(bench.scratch("log/order"))")
                }
                try container.launch()
                let output = try bench("delete", "--force", container.id)
                #expect(output.status == 0, "\(output)")
                #expect(bench.leaks().isEmpty)
                try runtime.deviates([.runc], "runc 1.1.5 leaves the others out") {
                    let order = try Hooks.order(bench)
                    #expect(order.last == "last")
                }
            }
        }

        @Test(arguments: OCIRuntime.all, ["prestart", "createRuntime", "createContainer"])
        func timeRunsOut(_ runtime: OCIRuntime, _ kind: String) throws {
            try OCIBench.with(runtime) { bench in
                let begin = Wait.now
                let container = try bench.container("true") {
                    $0.hook(kind, "exec sleep 20", timeout: 1)
                }
                try bench.expectRefused("create", "--bundle", container.bundle, container.id)
                #expect(Wait.now - begin < 10 * Wait.patience)
                #expect(bench.leaks().isEmpty)
            }
        }

        @Test(arguments: OCIRuntime.all) func theProgramMustBeThere(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                for path in ["/no/such/program", "sh", "", "/etc/passwd"] {
                    try runtime.deviates(
                        [.crun, .runc], "a relative path, which the specification forbids", isIntermittent: true
                    ) {
                        try bench.expectRefused { $0["hooks.createRuntime"] = [["path": .string(path)]] }
                    }
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func aSignalIsAFailure(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                try bench.expectRefused { $0.hook("createRuntime", "kill -9 $$") }
            }
        }
    }
}
