internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// Options of runc's and crun's command line that are about the host rather than the container.
    @Suite struct CommandLine {
        @Test(arguments: OCIRuntime.all) func rootless(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                for value in ["false", "auto"] {
                    let container = try bench.container("echo ran")
                    let output = try bench.run(
                        ["run", "--bundle", container.bundle, container.id], globals: ["--rootless", value])
                    #expect(output.status == 0 && output.stdout == "ran\n", "\(output)")
                }
                let listed = try bench.run(["list", "-q"], globals: ["--rootless=true"])
                #expect(listed.status == 0, "\(listed)")
                try runtime.deviates([.crun, .runc], "they take every word", isIntermittent: true) {
                    try bench.expectRefused(["list", "-q"], globals: ["--rootless", "perhaps"])
                }
            }
        }

        /// As an initramfs needs it, which cannot be pivoted away from.
        @Test(arguments: OCIRuntime.all) func withoutPivot(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let script = "ls /; cd /; cd ..; pwd; cut -d' ' -f5 /proc/self/mountinfo | sort"
                let pivoted = try bench.container(script).run()
                let moved = try bench.container(script).run("--no-pivot")
                #expect(moved.status == 0 && moved.stderr.isEmpty, "\(moved)")
                #expect(moved.lines == pivoted.lines && moved.lines.contains("/proc"), "\(moved)")
                let root = try bench.container("touch /made")
                let written = try root.run("--no-pivot")
                #expect(written.status == 0 && File.exists("\(root.rootfs)/made"), "\(written)")
            }
        }

        /// keyctl(2): the keys of the caller's session are there only for who keeps the session's keyring.
        @Test(.enabled(if: OCIProbe.isPossible, "needs cc"), arguments: OCIRuntime.all, [false, true])
        func keysOfTheSession(_ runtime: OCIRuntime, keeps: Bool) throws {
            try OCIBench.with(runtime) { bench in
                let probe = try OCIProbe.install(bench)
                let key = "oci-\(Random.hex(bytes: 6))"
                let container = try bench.container { $0["process.args"] = ["/bin/probe", "findkey", .string(key)] }
                try container.installProbe()
                let line = ["run"] + (keeps ? ["--no-new-keyring"] : []) + ["--bundle", container.bundle, container.id]
                let output = try bench.run(line, under: [probe, "withkey", key])
                let said = OCIProbe.parse(output.stdout)
                #expect(said["search"] == (keeps ? "ok" : "ENOKEY"), "\(output)")
                #expect(said["request"] == (keeps ? "ok" : "ENOKEY"), "\(output)")
            }
        }

        @Test(arguments: OCIRuntime.all) func errorsAsJSON(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let output = try bench.run(["state", "nobody"], globals: ["--log-format", "json"])
                #expect(output.status != 0 && output.stdout.isEmpty, "\(output)")
                let line = try #require(output.stderr.split(separator: "\n").last, "\(output)")
                let entry = try JSONValue(parsing: Array(line.utf8))
                #expect(entry["level"]?.string == "error" && entry["msg"]?.string?.isEmpty == false, "\(output)")
                #expect(entry["time"]?.string?.hasPrefix("20") == true, "\(output)")
            }
        }

        @Test(arguments: OCIRuntime.all) func tablesAndJSON(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 4321")
                try container.launch()
                for line in [["list", "--format", "table"], ["list"]] {
                    let output = try bench.run(line)
                    #expect(output.lines.count == 2 && output.lines[1].hasPrefix(container.id), "\(output)")
                }
                let table = try bench.check("ps", "--format", "table", container.id)
                #expect(table.lines.count == 2 && table.lines[0].contains("PID"), "\(table)")
                try runtime.deviates([.crun], "crun 1.8.1 has numbers only, and takes every word for a table") {
                    // The host's ps(1) has the words.
                    let asked = try bench.check("ps", container.id, "-o", "pid,args")
                    #expect(asked.lines.count == 2 && asked.lines[1].hasSuffix("sleep 4321"), "\(asked)")
                    try bench.expectRefused("ps", "--format", "pictures", container.id)
                }
            }
        }
    }
}
