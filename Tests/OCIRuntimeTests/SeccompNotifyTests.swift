internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// config-linux.md, "Seccomp" and "Container process state": calls that somebody outside is told of and answers.
    @Suite struct SeccompNotifications {
        private static let metadata = "of \"the\" caller\n"

        private static func profile(_ path: String?, metadata: String? = metadata) -> JSONValue {
            var profile = Seccomp.rule("SCMP_ACT_NOTIFY")
            profile[path: "listenerPath"] = path.map { .string($0) }
            profile[path: "listenerMetadata"] = metadata.map { .string($0) }
            return profile
        }

        /// That a message names this process of this container.
        private static func expect(
            _ message: JSONValue, names container: OCIContainer, pid: Int32?, status: Set<String>
        ) throws {
            let runtime = container.bench.runtime
            try runtime.deviates([.crun], "crun 1.8.1 follows 0.2.0") {
                #expect(message["ociVersion"]?.string?.hasPrefix("1.") == true, "\(message)")
            }
            #expect(message["fds"]?.strings == ["seccompFd"], "\(message)")
            #expect(message["metadata"]?.string == metadata, "\(message)")
            #expect(message["state"]?["id"]?.string == container.id, "\(message)")
            #expect(status.contains(message["state"]?["status"]?.string ?? "none"), "\(message)")
            try runtime.deviates([.crun], "crun 1.8.1 tells nothing of a further process", isIntermittent: true) {
                #expect(message["pid"]?.integer == pid.map { Int64($0) }, "\(message)")
                #expect(message["state"]?["bundle"]?.string == container.bundle, "\(message)")
            }
        }

        @Test(arguments: OCIRuntime.all, [true, false])
        func areAnswered(_ runtime: OCIRuntime, noNewPrivileges: Bool) throws {
            try OCIBench.with(runtime) { bench in
                // ENOMSG, which mkdir(2) never says.
                let answers: [SeccompAgent.Answer] = [.error(42), .value(0), .proceed]
                let agent = try SeccompAgent(bench.scratch) { answers[min($0, 2)] }
                let container = try bench.container(
                    "mkdir /a 2>&1; echo $?; mkdir /b; echo $?; mkdir /c; echo $?; ls -d /[abc]"
                ) {
                    $0["linux.seccomp"] = Self.profile(agent.path)
                    $0["process.noNewPrivileges"] = .bool(noNewPrivileges)
                }
                try container.create()
                let pid = container.pid
                #expect(agent.callers.isEmpty)
                let lines = try container.finish()
                let refusal = "mkdir: can't create directory '/a': No message of desired type"
                #expect(lines == [refusal, "1", "0", "0", "/c"])
                let message = try #require(agent.states.first)
                // Where it is loaded last some say so at the start.
                try Self.expect(message, names: container, pid: pid, status: ["creating", "created"])
                #expect(agent.callers.count == 3 && agent.failures.isEmpty, "\(agent.failures)")
                #expect(agent.states.count == 1)
            }
        }

        /// A filter of its own, and a message that names the further process.
        @Test(arguments: OCIRuntime.all) func namesAFurtherProcess(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let agent = try SeccompAgent(bench.scratch) { _ in .error(42) }
                let container = try bench.container("sleep 1000") {
                    $0["linux.seccomp"] = Self.profile(agent.path)
                    $0["process.noNewPrivileges"] = true
                }
                try container.launch()
                let file = bench.scratch("pid")
                let script = "mkdir /made 2>&1; sleep 1000"
                let output = try bench.run(
                    ["exec", "--detach", "--pid-file", file, container.id, "sh", "-c", script], to: "further")
                #expect(output.status == 0, "\(output)")
                #expect(Wait.until(seconds: 5) { agent.states.count == 2 && agent.callers.count == 1 })
                let pid = Int32(String(decoding: try File.readAll(file), as: UTF8.self))
                let message = try #require(agent.states.last)
                try Self.expect(message, names: container, pid: pid, status: ["running"])
                #expect(pid != container.pid && agent.failures.isEmpty)
                let isTold = Wait.until(seconds: 5) {
                    let said = String(
                        decoding: (try? File.readAll(bench.scratch("files/further.out"))) ?? [], as: UTF8.self)
                    return said.contains("No message of desired type")
                }
                #expect(isTold && !File.exists("\(container.rootfs)/made"))
                // The container's own goes on with its filter.
                #expect(container.status == "running")
            }
        }

        @Test(arguments: OCIRuntime.all) func somebodyHasToListen(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                try bench.expectRefused { $0["linux.seccomp"] = Self.profile(bench.scratch("nobody")) }
                try runtime.deviates([.crun], "crun 1.8.1 lets the calls fail") {
                    try bench.expectRefused { $0["linux.seccomp"] = Self.profile(nil, metadata: nil) }
                }
                // config-linux.md: metadata MUST NOT be set without the path.
                try runtime.deviates([.crun, .runc], "they pass it over") {
                    try bench.expectRefused {
                        $0["linux.seccomp"] = Self.profile(nil)
                        $0["linux.seccomp.syscalls"] = []
                    }
                }
            }
        }
    }
}
