internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// runtime.md, "Lifecycle" and "Operations".
    @Suite struct Lifecycle {
        @Test(arguments: OCIRuntime.all) func goesFromCreatedToDeleted(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("echo ran > /ran; echo said; sleep 1000")
                try container.create()
                #expect(container.status == "created")
                let pid = container.pid
                #expect(pid > 0 && File.exists("/proc/\(pid)"))
                // The user's program has not run.
                #expect(!File.exists("\(container.rootfs)/ran") && container.output.isEmpty)
                try container.start()
                #expect(container.prints("said\n"))
                #expect(container.status == "running")
                #expect(container.pid == pid)
                try container.kill()
                #expect(container.becomes("stopped"))
                try container.delete()
                #expect(bench.leaks().isEmpty)
                try bench.expectRefused("state", container.id)
            }
        }

        @Test(arguments: OCIRuntime.all) func endsByItself(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("exit 3")
                try container.launch()
                #expect(container.becomes("stopped"))
                // The state stays until delete.
                #expect(bench.stateNames() == [container.id])
                try container.delete()
                #expect(bench.stateNames() == [])
            }
        }

        @Test(arguments: OCIRuntime.all) func startsOnce(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("echo ran; sleep 1000")
                try container.launch()
                #expect(container.prints("ran\n"))
                try bench.expectRefused("start", container.id)
                #expect(container.status == "running")
                try container.kill()
                #expect(container.becomes("stopped"))
                try bench.expectRefused("start", container.id)
                #expect(container.output == "ran\n")
            }
        }

        @Test(arguments: OCIRuntime.all) func isNotDeletedWhileItRuns(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000")
                try container.launch()
                try bench.expectRefused("delete", container.id)
                #expect(container.status == "running")
                try bench.check("delete", "--force", container.id)
                #expect(bench.leaks().isEmpty)
            }
        }

        /// runtime.md: delete of what is not stopped MUST be an error; runc and crun remove what was never started.
        @Test(arguments: OCIRuntime.all) func createdIsDeletedByForce(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000")
                try container.create()
                try bench.check("delete", "-f", container.id)
                #expect(bench.leaks().isEmpty)
            }
        }

        @Test(arguments: OCIRuntime.all) func forceTakesWhatIsNotThere(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                try bench.check("delete", "--force", "nobody")
                try bench.expectRefused("delete", "nobody")
            }
        }

        @Test(arguments: OCIRuntime.all) func anIDIsUsedOnce(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let first = try bench.container("sleep 1000")
                try first.launch()
                let second = try bench.container("echo second")
                try bench.expectRefused("create", "--bundle", second.bundle, first.id)
                try bench.expectRefused("run", "--bundle", second.bundle, first.id)
                #expect(first.status == "running")
                let state = try first.state()
                #expect(state["bundle"]?.string == first.bundle)
                // Free again after delete.
                try bench.check("delete", "--force", first.id)
                let again = try bench.run(["run", "--bundle", second.bundle, first.id])
                #expect(again.stdout == "second\n", "\(again)")
            }
        }

        @Test(arguments: OCIRuntime.all) func nobodyIsNotFound(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                for line in [
                    ["state", "nobody"], ["start", "nobody"], ["kill", "nobody", "TERM"], ["delete", "nobody"],
                    ["exec", "nobody", "true"], ["pause", "nobody"], ["resume", "nobody"], ["ps", "nobody"],
                ] {
                    try bench.expectRefused(line)
                }
                try bench.expectRefused("update", "--memory", "64M", "nobody")
            }
        }

        @Test(arguments: OCIRuntime.all) func aBadCommandLineIsRefused(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container()
                try bench.expectRefused(["create", "--bundle", container.bundle])
                try bench.expectRefused(["create", "--no-such-flag", "--bundle", container.bundle, container.id])
                try bench.expectRefused(["create", "--bundle", bench.scratch("nothing"), container.id])
                try bench.expectRefused(["no-such-verb", container.id])
            }
        }

        /// runtime.md, "Kill": an error for what is neither created nor running.
        @Test(arguments: OCIRuntime.all) func killsWhatIsThereOnly(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let created = try bench.container("sleep 1000")
                try created.create()
                try created.kill()
                #expect(created.becomes("stopped"))
                try bench.expectRefused("kill", created.id, "KILL")
                try created.delete()
            }
        }

        @Test(arguments: OCIRuntime.all) func stateHasItsMembers(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000") {
                    $0["annotations"] = ["org.example.one": "1", "two": "ü \"quoted\"\n"]
                }
                try container.create()
                let state = try container.state()
                #expect(state["id"]?.string == container.id)
                #expect(state["bundle"]?.string == container.bundle)
                let version = try #require(state["ociVersion"]?.string)
                #expect(version.hasPrefix("1."), "\(version)")
                #expect(state["annotations"]?["org.example.one"]?.string == "1")
                #expect(state["annotations"]?["two"]?.string == "ü \"quoted\"\n")
                try container.kill()
                #expect(container.becomes("stopped"))
                let stopped = try container.state()
                #expect(stopped["id"]?.string == container.id && stopped["bundle"]?.string == container.bundle)
                #expect([nil, 0].contains(stopped["pid"]?.integer))
            }
        }
    }
}
