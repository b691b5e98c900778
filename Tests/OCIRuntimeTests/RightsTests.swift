internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// config.md, "Linux Process": capabilities and no_new_privs, as the kernel shows them.
    @Suite(.enabled(if: OCIProbe.isPossible, "needs cc")) struct Rights {
        /// CAP_CHOWN, CAP_KILL and CAP_NET_BIND_SERVICE (capability.h).
        static let three = "0000000000000421"

        @Test(arguments: OCIRuntime.all) func theFiveSets(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let said = try bench.probe {
                    $0["process.capabilities"] = [
                        "bounding": ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"],
                        "permitted": ["CAP_CHOWN", "CAP_KILL"], "effective": ["CAP_CHOWN"],
                        "inheritable": ["CAP_KILL"], "ambient": ["CAP_KILL"],
                    ]
                }
                // exec gives root what bounding and inheritable have, whatever was permitted (capabilities(7)).
                #expect(said["cap_bounding"] == Self.three)
                #expect(said["cap_permitted"] == Self.three && said["cap_effective"] == Self.three)
                #expect(said["cap_inheritable"] == "0000000000000020")
                #expect(said["cap_ambient"] == "0000000000000020")
            }
        }

        @Test(arguments: OCIRuntime.all) func anotherUserKeepsTheAmbientOnly(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let said = try bench.probe {
                    let all: JSONValue = ["CAP_CHOWN", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
                    $0["process.user"] = ["uid": 1000, "gid": 1000]
                    $0["process.capabilities"] = [
                        "bounding": all, "permitted": all, "effective": all,
                        "inheritable": ["CAP_NET_BIND_SERVICE"], "ambient": ["CAP_NET_BIND_SERVICE"],
                    ]
                }
                #expect(said["cap_bounding"] == Self.three)
                #expect(said["cap_permitted"] == "0000000000000400" && said["cap_effective"] == "0000000000000400")
                #expect(said["cap_ambient"] == "0000000000000400")
            }
        }

        @Test(arguments: OCIRuntime.all) func noneAtAll(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let said = try bench.probe { $0["process.capabilities"] = [:] }
                for key in ["cap_bounding", "cap_permitted", "cap_effective", "cap_inheritable", "cap_ambient"] {
                    #expect(said[key] == "0000000000000000", "\(key)")
                }
            }
        }

        /// config.md: unknown names SHOULD be logged and passed over.
        @Test(arguments: OCIRuntime.all) func anUnknownNameIsPassedOver(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let said = try bench.probe {
                    $0["process.capabilities.bounding"] = ["CAP_CHOWN", "CAP_OF_TOMORROW"]
                    $0["process.capabilities.effective"] = ["CAP_CHOWN"]
                    $0["process.capabilities.permitted"] = ["CAP_CHOWN"]
                }
                #expect(said["cap_bounding"] == "0000000000000001")
            }
        }

        @Test(arguments: OCIRuntime.all) func noNewPrivileges(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                for (value, expected) in [(true, "1"), (false, "0")] {
                    let said = try bench.probe { $0["process.noNewPrivileges"] = .bool(value) }
                    #expect(said["no_new_privs"] == expected)
                }
            }
        }

        /// A file that is set-user-ID makes nobody root any more.
        @Test(arguments: OCIRuntime.all, [true, false])
        func aProgramOfRootsGivesNothing(_ runtime: OCIRuntime, isOn: Bool) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container {
                    $0["process.args"] = ["/bin/of-root"]
                    $0["process.user"] = ["uid": 1000, "gid": 1000]
                    $0["process.noNewPrivileges"] = .bool(isOn)
                }
                try container.installProbe()
                try Tool.check("cp", ["\(container.rootfs)/bin/probe", "\(container.rootfs)/bin/of-root"])
                try Tool.check("chmod", ["4755", "\(container.rootfs)/bin/of-root"])
                let said = OCIProbe.parse(try container.run().stdout)
                #expect(said["uid"] == (isOn ? "1000:1000:1000" : "1000:0:0"))
            }
        }
    }
}
