internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// runc's further commands: list, ps, pause, resume, update, events, features, spec.
    @Suite struct Operations {
        @Test(arguments: OCIRuntime.all) func listsAll(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                #expect(try bench.check("list", "-q").lines.isEmpty)
                let one = try bench.container("sleep 1000")
                try one.create()
                let two = try bench.container("sleep 1000")
                try two.launch()
                let quiet = try bench.check("list", "-q")
                #expect(Set(quiet.lines) == [one.id, two.id], "\(quiet)")
                let json = try bench.check("list", "--format", "json")
                let entries = try JSONValue(parsing: json.stdoutBytes).array ?? []
                let entry = try #require(entries.first { $0["id"]?.string == two.id }, "\(json)")
                #expect(entry["status"]?.string == "running" && entry["bundle"]?.string == two.bundle)
                #expect(entry["pid"]?.integer == Int64(two.pid))
                let table = try bench.check("list")
                #expect(table.lines.count == 3 && table.lines[0].hasPrefix("ID") || table.lines[0].hasPrefix("NAME"))
                #expect(table.stdout.contains(one.id) && table.stdout.contains("created"))
                try runtime.deviates([.crun], "crun 1.8.1 takes every word for a table", isIntermittent: true) {
                    try bench.expectRefused("list", "--format", "pictures")
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func showsProcesses(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 4321 & sleep 4321 & echo ready; wait")
                try container.launch()
                #expect(container.prints("ready"))
                let json = try bench.check("ps", "--format", "json", container.id)
                let pids = try JSONValue(parsing: json.stdoutBytes).array?.compactMap(\.integer) ?? []
                #expect(pids.count == 3 && pids.contains(Int64(container.pid)), "\(json)")
                let table = try bench.check("ps", container.id)
                #expect(table.lines.count == 4 && table.lines[0].contains("PID"), "\(table)")
            }
        }

        @Test(arguments: OCIRuntime.all) func pausesAndResumes(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("while :; do echo tick; sleep 0.02; done")
                try container.launch()
                #expect(container.prints("tick"))
                try bench.check("pause", container.id)
                #expect(container.status == "paused")
                let before = container.output.count
                Wait.sleep(0.3)
                #expect(container.output.count == before)
                try bench.check("resume", container.id)
                #expect(container.status == "running")
                #expect(Wait.until(seconds: 5) { container.output.count > before })
                try runtime.deviates([.crun], "crun 1.8.1 resumes what is not paused") {
                    try bench.expectRefused("resume", container.id)
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func aPausedOneIsRemovedByForce(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000")
                try container.launch()
                try bench.check("pause", container.id)
                try runtime.deviates([.crun, .runc], "they do it", isIntermittent: true) {
                    try bench.expectRefused("exec", container.id, "true")
                }
                try bench.check("delete", "--force", container.id)
                #expect(bench.leaks().isEmpty)
            }
        }

        @Test(arguments: OCIRuntime.all) func tellsOfItsUse(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000")
                try container.launch()
                try runtime.deviates([.crun], "crun has no events") {
                    let output = try bench.check("events", "--stats", container.id)
                    let event = try JSONValue(parsing: output.stdoutBytes)
                    #expect(event["type"]?.string == "stats" && event["id"]?.string == container.id)
                    let data = try #require(event["data"])
                    #expect((data[path: "memory.usage.usage"]?.integer ?? 0) > 4096, "\(output)")
                    #expect(data[path: "pids.current"]?.integer == 1, "\(output)")
                    #expect((data[path: "cpu.usage.total"]?.integer ?? 0) > 1000, "\(output)")
                }
            }
        }

        /// features.md of the specification.
        @Test(arguments: OCIRuntime.all) func tellsWhatItCan(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                try runtime.deviates([.crun], "crun 1.8.1 has no features") {
                    let output = try bench.check("features")
                    let document = try JSONValue(parsing: output.stdoutBytes)
                    #expect(document["ociVersionMin"]?.string?.hasPrefix("1.0") == true)
                    #expect(document["ociVersionMax"]?.string?.hasPrefix("1.") == true)
                    let hooks = Set(document["hooks"]?.strings ?? [])
                    #expect(hooks == Set(Hooks.kinds))
                    let options = Set(document["mountOptions"]?.strings ?? [])
                    #expect(options.isSuperset(of: ["bind", "rbind", "ro", "nosuid", "rshared", "rro", "tmpcopyup"]))
                    let namespaces = Set(document[path: "linux.namespaces"]?.strings ?? [])
                    #expect(namespaces.isSuperset(of: ["mount", "pid", "ipc", "uts", "network", "user", "cgroup"]))
                    #expect(document[path: "linux.capabilities"]?.strings?.contains("CAP_SYS_ADMIN") == true)
                    #expect(document[path: "linux.seccomp.enabled"]?.bool == true)
                    #expect(document[path: "linux.cgroup.v1"]?.bool == true)
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func writesASpecThatRuns(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("true")
                try File.unlink("\(container.bundle)/config.json")
                let output = try bench.run(["spec"], directory: container.bundle)
                #expect(output.status == 0, "\(output)")
                var document = try JSONValue(parsing: try File.readAll("\(container.bundle)/config.json"))
                #expect(document[path: "process.args"]?.strings == ["sh"])
                #expect(document[path: "process.terminal"]?.bool == true)
                document[path: "process.terminal"] = false
                document[path: "process.args"] = ["echo", "ran"]
                document[path: "linux.cgroupsPath"] = .string(container.cgroup)
                try container.write(document.written)
                let ran = try container.run()
                #expect(ran.stdout == "ran\n", "\(ran)")
                // What is there is not overwritten.
                let again = try bench.run(["spec"], directory: container.bundle)
                #expect(again.status != 0)
                let kept = try File.readAll("\(container.bundle)/config.json")
                #expect(kept == Array(document.written.utf8))
            }
        }

        @Test(arguments: OCIRuntime.all) func tellsItsVersion(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let output = try bench.run(["--version"])
                #expect(output.status == 0 && output.stdout.contains(" version "), "\(output)")
                #expect(output.stdout.contains("spec: 1."), "\(output)")
                let help = try bench.run(["--help"])
                #expect(help.status == 0)
                for verb in ["create", "start", "state", "kill", "delete", "exec", "run", "list"] {
                    #expect(help.stdout.contains(verb), "\(verb)")
                }
            }
        }
    }
}
