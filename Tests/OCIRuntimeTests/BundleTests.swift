internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// Where a bundle is and what is in it (bundle.md; config.md, "Specification version", "Root", "Process").
    @Suite struct Bundle {
        @Test(arguments: OCIRuntime.all) func isTheWorkingDirectoryByDefault(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("cat /proc/self/comm; pwd")
                let output = try bench.run(["run", container.id], directory: container.bundle)
                #expect(output.status == 0 && output.lines == ["cat", "/"], "\(output)")
            }
        }

        @Test(arguments: OCIRuntime.all) func mayBeRelative(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000")
                let output = try bench.run(
                    ["create", "-b", container.id, container.id], directory: bench.scratch.path)
                #expect(output.status == 0, "\(output)")
                let state = try container.state()
                #expect(state["bundle"]?.string == container.bundle)
                // From anywhere.
                try bench.check("start", container.id)
            }
        }

        @Test(arguments: OCIRuntime.all) func mayHaveItsRootElsewhere(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let elsewhere = try bench.scratch.directory("elsewhere")
                try OCIContainer.makeRoot(bench.scratch, "elsewhere")
                try bench.scratch.file("elsewhere/mark", "here")
                try bench.expect("cat /mark", prints: ["here"]) { $0["root.path"] = .string(elsewhere) }
                // A link to it, and a path that climbs.
                try File.symlink("elsewhere", bench.scratch("link"))
                let link = bench.scratch("link")
                try runtime.deviates(
                    [.runc], "runc 1.1.5 takes no link for the root, which the specification does not say"
                ) {
                    try bench.expect("cat /mark", prints: ["here"]) { $0["root.path"] = .string(link) }
                }
                try bench.expect("cat /mark", prints: ["here"]) { $0["root.path"] = "../elsewhere" }
            }
        }

        @Test(arguments: OCIRuntime.all) func mustBeWhole(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container()
                let good = container.config.document.written
                for bad in ["", "{", "[]", "null", String(good.dropLast(20))] {
                    try container.write(bad)
                    try bench.expectRefused("create", "--bundle", container.bundle, container.id)
                }
                try runtime.deviates([.runc], "runc 1.1.5 reads the first value of the file and no more") {
                    try container.write(good + "}")
                    try bench.expectRefused("create", "--bundle", container.bundle, container.id)
                    try bench.scratch.file("\(container.id)/config.json", "")
                }
                _ = try bench("delete", "--force", container.id)
                try File.unlink("\(container.bundle)/config.json")
                try bench.expectRefused("create", "--bundle", container.bundle, container.id)
            }
        }

        @Test(arguments: OCIRuntime.all) func aValueOfTheWrongTypeIsRefused(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                for (path, value) in [
                    ("process.args", "true" as JSONValue), ("process.user.uid", "root"), ("process.env", [1]),
                    ("mounts", ["destination": "/x"]), ("linux.namespaces", "pid"), ("root", "rootfs"),
                    ("linux.resources.memory.limit", "64M"),
                ] {
                    try runtime.deviates(
                        [.crun], "crun 1.8.1 (libocispec) passes over some values of other types", isIntermittent: true
                    ) {
                        try bench.expectRefused { $0[path] = value }
                    }
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func theRootMustBeThere(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                try bench.expectRefused { $0["root.path"] = "nothing" }
                try bench.expectRefused { $0["root.path"] = "config.json" }
                try bench.expectRefused { $0["root"] = nil }
            }
        }

        @Test(arguments: OCIRuntime.all) func theRootMayBeReadOnly(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let lines = try bench.lines("touch /new 2>&1; touch /tmp/new 2>&1; touch /dev/shm/new && echo fine") {
                    $0["root.readonly"] = true
                }
                #expect(lines.count == 3 && lines.last == "fine", "\(lines)")
                #expect(lines.filter { $0.contains("Read-only file system") }.count == 2, "\(lines)")
            }
        }

        /// config.md: any 1.x is compatible with what knows 1.0.
        @Test(arguments: OCIRuntime.all, ["1.0.0", "1.0.2-dev", "1.2.0", "1.3.0"])
        func laterVersionsAreTaken(_ runtime: OCIRuntime, _ version: String) throws {
            try OCIBench.with(runtime) { bench in
                let isNew: Set<OCIRuntime.Kind> = version > "1.1" ? [.crun] : []
                try runtime.deviates(isNew, "crun 1.8.1 knows versions 1.0 and 1.1 only") {
                    try bench.expect("echo ran", prints: ["ran"]) { $0["ociVersion"] = .string(version) }
                }
            }
        }

        /// runtime.md, "Create": a version that is not supported MUST be an error.
        @Test(arguments: OCIRuntime.all, ["2.0.0", "0.9.0", "one", ""])
        func otherVersionsAreRefused(_ runtime: OCIRuntime, _ version: String) throws {
            try OCIBench.with(runtime) { bench in
                try runtime.deviates([.runc], "runc 1.1.5 does not look at ociVersion") {
                    try bench.expectRefused { $0["ociVersion"] = .string(version) }
                }
            }
        }

        /// config.md: process is REQUIRED when start is called, not before.
        @Test(arguments: OCIRuntime.all) func mayBeWithoutAProcess(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                try runtime.deviates([.crun, .runc], "crun 1.8.1 and runc 1.1.5 want a process to create") {
                    let container = try bench.container { $0["process"] = nil }
                    try container.create()
                    #expect(container.status == "created")
                    try bench.expectRefused("start", container.id)
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func unknownMembersArePassedOver(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let lines = try bench.lines("echo ran") {
                    $0["somethingNew"] = ["a": [1, ["b": "c"]]]
                    $0["process.somethingNew"] = true
                    $0["linux.somethingNew"] = ["x"]
                }
                #expect(lines == ["ran"])
            }
        }

        @Test(arguments: OCIRuntime.all) func thePIDFileNamesTheProcess(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000")
                let file = bench.scratch("pid")
                try container.create("--pid-file", file)
                let text = String(decoding: try File.readAll(file), as: UTF8.self)
                #expect(text == "\(container.pid)")
            }
        }

        @Test(arguments: OCIRuntime.all) func aPIDFileThatCannotBeFails(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000")
                try bench.expectRefused(
                    "create", "--bundle", container.bundle, "--pid-file", bench.scratch("no/where/pid"), container.id)
            }
        }
    }
}
