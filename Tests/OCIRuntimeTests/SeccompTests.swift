internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// config-linux.md, "Seccomp": each action as a program meets it. busybox's mkdir makes mkdir(2), sync sync(2).
    @Suite struct Seccomp {
        static func profile(_ calls: JSONValue, other action: String = "SCMP_ACT_ALLOW") -> JSONValue {
            [
                "defaultAction": .string(action), "architectures": ["SCMP_ARCH_X86_64", "SCMP_ARCH_AARCH64"],
                "syscalls": calls,
            ]
        }

        static func rule(_ action: String, _ more: [String: JSONValue] = [:]) -> JSONValue {
            let rule: [String: JSONValue] = ["names": ["mkdir", "mkdirat"], "action": .string(action)]
            return profile([.object(rule.merging(more) { $1 })])
        }

        @Test(arguments: OCIRuntime.all) func errors(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                for (number, text) in [(1, "Operation not permitted"), (28, "No space left on device")] {
                    let output = try bench.run(script: "mkdir /x") {
                        $0["linux.seccomp"] = Self.rule("SCMP_ACT_ERRNO", ["errnoRet": JSONValue(number)])
                    }
                    #expect(output.status == 1 && output.stderr.contains(text), "\(output)")
                }
                let byDefault = try bench.run(script: "mkdir /x") { $0["linux.seccomp"] = Self.rule("SCMP_ACT_ERRNO") }
                #expect(byDefault.stderr.contains("Operation not permitted"), "\(byDefault)")
            }
        }

        @Test(
            arguments: OCIRuntime.all,
            ["SCMP_ACT_KILL", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_TRAP"])
        func kills(_ runtime: OCIRuntime, _ action: String) throws {
            try OCIBench.with(runtime) { bench in
                try bench.expect("sh -c 'mkdir /x'; echo $?", prints: ["159"]) {
                    $0["linux.seccomp"] = Self.rule(action)
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func letsPass(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                for action in ["SCMP_ACT_LOG", "SCMP_ACT_ALLOW"] {
                    try bench.expect("mkdir /x && echo made", prints: ["made"]) {
                        $0["linux.seccomp"] = Self.rule(action)
                    }
                }
                // Nobody traces: ENOSYS (seccomp(2)).
                let traced = try bench.run(script: "mkdir /x") { $0["linux.seccomp"] = Self.rule("SCMP_ACT_TRACE") }
                #expect(traced.stderr.contains("Function not implemented"), "\(traced)")
            }
        }

        @Test(arguments: OCIRuntime.all) func looksAtArguments(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                // kill(2) by the signal, its second argument.
                let script = "sleep 5 & for s in 0 10 11 12; do kill -$s $! 2>/dev/null && echo $s; sleep 0.05; done"
                for (op, value, two, expected) in [
                    ("SCMP_CMP_EQ", 0, 0, ["10"]), ("SCMP_CMP_NE", 0, 0, ["0"]), ("SCMP_CMP_LT", 10, 0, ["10"]),
                    ("SCMP_CMP_GE", 10, 0, ["0"]), ("SCMP_CMP_MASKED_EQ", 8, 8, ["0"]), ("SCMP_CMP_GT", 0, 0, ["0"]),
                    ("SCMP_CMP_LE", 0, 0, ["10"]),
                ] {
                    try bench.expect(script, prints: expected) {
                        $0["linux.seccomp"] = Self.profile([
                            [
                                "names": ["kill"], "action": "SCMP_ACT_ERRNO",
                                "args": [
                                    [
                                        "index": 1, "value": JSONValue(value), "valueTwo": JSONValue(two),
                                        "op": .string(op),
                                    ]
                                ],
                            ]
                        ])
                    }
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func isOfAllThatFollows(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("sleep 1000") {
                    $0["linux.seccomp"] = Self.rule("SCMP_ACT_ERRNO")
                    $0["process.noNewPrivileges"] = true
                    $0["process.user"] = ["uid": 1000, "gid": 1000]
                    $0["process.capabilities"] = [:]
                }
                try container.launch()
                let output = try container.exec("mkdir", "/tmp/x")
                #expect(output.status == 1 && output.stderr.contains("Operation not permitted"), "\(output)")
            }
        }

        @Test(arguments: OCIRuntime.all) func whatIsWrongIsRefused(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                try bench.expectRefused { $0["linux.seccomp"] = Self.rule("SCMP_ACT_DANCE") }
                try bench.expectRefused { $0["linux.seccomp"] = Self.profile([], other: "SCMP_ACT_DANCE") }
                try bench.expectRefused {
                    $0["linux.seccomp"] = Self.rule(
                        "SCMP_ACT_ERRNO", ["args": [["index": 7, "value": 1, "op": "SCMP_CMP_EQ"]]])
                }
                try bench.expectRefused { $0["linux.seccomp.defaultAction"] = "SCMP_ACT_NOTIFY" }
                // Names that this machine's kernel or library does not have are passed over.
                try bench.expect("echo ran", prints: ["ran"]) {
                    $0["linux.seccomp"] = Self.profile([["names": ["no_such_call"], "action": "SCMP_ACT_ERRNO"]])
                }
            }
        }
    }
}
