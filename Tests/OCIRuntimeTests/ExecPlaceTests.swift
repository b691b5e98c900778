internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// `exec --cgroup`, and what descriptors a further process gets.
    @Suite struct ExecPlaces {
        /// Makes a group below a container's own in all hierarchies.
        private static func makeGroup(_ name: String, in container: OCIContainer) throws {
            for group in container.bench.groups() where group.hasSuffix(container.cgroup) {
                // One hierarchy may go by the names of several controllers.
                if File.exists("\(group)/\(name)") { continue }
                try check { mkdir("\(group)/\(name)", 0o755) }
                // A v1 one has no processors at first, and takes nobody (cpuset(7)).
                for file in ["cpuset.cpus", "cpuset.mems"] where group.hasPrefix("/sys/fs/cgroup/cpuset/") {
                    try File.overwrite("\(group)/\(name)/\(file)", try File.readAll("\(group)/\(file)", limit: 4096))
                }
            }
        }

        /// The hierarchies in which a process is in this group, as /proc/PID/cgroup names them.
        private static func hierarchies(_ output: Tool.Output, in group: String) -> Set<String> {
            let lines = output.lines.map { $0.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false) }
            return Set(lines.filter { $0.count == 3 && $0[2].hasSuffix(group) }.map { String($0[1]) })
        }

        @Test(arguments: OCIRuntime.all) func belowTheContainersGroup(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000")
                try container.launch()
                try Self.makeGroup("sub", in: container)
                let asked = { (flags: [String]) throws -> Tool.Output in
                    try container.exec("cat", "/proc/self/cgroup", flags: flags)
                }
                let own = Self.hierarchies(try asked([]), in: container.cgroup)
                #expect(!own.isEmpty)
                let sub = "\(container.cgroup)/sub"
                for path in ["sub", "/sub"] {
                    let output = try asked(["--cgroup", path])
                    #expect(Self.hierarchies(output, in: sub) == own, "\(output)")
                }
                let same = try asked(["--cgroup", "/"])
                #expect(Self.hierarchies(same, in: container.cgroup) == own, "\(same)")
                try runtime.deviates([.crun], "crun 1.8.1 makes them, or leaves the container's group") {
                    for bad in ["nothing", "/sub/nothing", "../..", "/sub/../../..", "nothing:/sub"] {
                        try bench.expectRefused("exec", "--cgroup", bad, container.id, "true")
                    }
                }
            }
        }

        @Test(
            .enabled(
                if: File.exists("/sys/fs/cgroup/memory/cgroup.procs"), "needs hierarchies of cgroup v1"),
            arguments: OCIRuntime.all)
        func ofSingleControllers(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000")
                try container.launch()
                try Self.makeGroup("sub", in: container)
                try runtime.deviates([.crun], "crun 1.8.1 takes a path only") {
                    let output = try container.exec(
                        "cat", "/proc/self/cgroup", flags: ["--cgroup", "memory:/sub", "--cgroup", "pids,freezer:sub"])
                    let below = Self.hierarchies(output, in: "\(container.cgroup)/sub")
                    #expect(below == ["memory", "pids", "freezer"], "\(output)")
                    try bench.expectRefused("exec", "--cgroup", "memory:/nothing", container.id, "true")
                    try bench.expectRefused(
                        "exec", "--cgroup", "memory:/sub", "--cgroup", "/sub", container.id, "true")
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func descriptorsArePreserved(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000")
                try container.launch()
                let file = try bench.scratch.file("three", "third\n")
                let opened = "exec 3<\(file) 4<\(file) 5<\(file); exec \"$@\""
                let script = "for n in 3 4 5; do [ -e /proc/self/fd/$n ] && echo $n; done; cat <&3 2>/dev/null; true"
                for (count, expected) in [("0", []), ("1", ["3"]), ("2", ["3", "4"])] {
                    let output = try bench.run(
                        ["exec", "--preserve-fds", count, container.id, "sh", "-c", script],
                        under: ["sh", "-c", opened, "sh"])
                    #expect(output.lines == expected + (count == "0" ? [] : ["third"]), "\(output)")
                }
                if runtime.kind == .runimg {
                    for bad in ["1", "x", "-1", "5000"] {
                        try bench.expectRefused("exec", "--preserve-fds", bad, container.id, "true")
                    }
                }
            }
        }
    }
}
