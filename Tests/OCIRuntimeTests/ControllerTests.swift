internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// config-linux.md: the controllers that few machines have. Where one is missing its limit is refused, by name.
    @Suite struct Controllers {
        /// `expected` is nil for what no kernel takes.
        struct Case: Sendable, CustomStringConvertible {
            let controller, path: String
            let value: JSONValue
            let file, unified: String
            let expected: String?
            var description: String { "\(controller) \(path)" }
        }

        static let cases: [Case] = [
            Case(
                controller: "hugetlb", path: "hugepageLimits", value: [["pageSize": "2MB", "limit": 4_194_304]],
                file: "hugetlb.2MB.limit_in_bytes", unified: "hugetlb.2MB.max", expected: "4194304"),
            Case(
                controller: "net_cls", path: "network", value: ["classID": 1_048_577], file: "net_cls.classid",
                unified: "", expected: "1048577"),
            Case(
                controller: "net_prio", path: "network", value: ["priorities": [["name": "lo", "priority": 7]]],
                file: "net_prio.ifpriomap", unified: "", expected: "lo 7"),
            Case(
                controller: "hugetlb", path: "hugepageLimits", value: [["pageSize": "3MB", "limit": 4_194_304]],
                file: "", unified: "", expected: nil),
            Case(
                controller: "rdma", path: "rdma", value: ["nosuch0": ["hcaHandles": 3, "hcaObjects": 100]], file: "",
                unified: "", expected: nil),
        ]

        @Test(arguments: OCIRuntime.all, cases)
        func isSetOrRefused(_ runtime: OCIRuntime, _ limit: Case) throws {
            let others: Comment = "crun 1.8.1 and runc 1.1.5 pass over what they cannot set, and crun leaves groups"
            try runtime.deviates([.crun, .runc], others, isIntermittent: true) {
                try OCIBench.with(runtime) { bench in
                    let container = try bench.container("sleep 1000") {
                        $0["linux.resources.\(limit.path)"] = limit.value
                    }
                    if Conditions.hasController(limit.controller), let expected = limit.expected {
                        try container.create()
                        let found = container.limit(limit.controller, limit.file, unified: limit.unified) ?? "none"
                        #expect(found.split(separator: "\n").contains { $0 == expected }, "\(limit): \(found)")
                        return
                    }
                    let line = ["create", "--bundle", container.bundle, container.id]
                    try bench.expectRefused(line)
                    let output = try bench.run(line)
                    if runtime.kind == .runimg { #expect(output.stderr.contains(limit.refusal), "\(output)") }
                }
            }
        }

        /// Of a scheduler that this kernel may not have.
        @Test(arguments: OCIRuntime.all) func aDisksWeight(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let plain = try bench.container("sleep 1000")
                try plain.launch()
                let found = { () -> String? in
                    plain.limit("blkio", "blkio.bfq.weight", unified: "io.bfq.weight")
                        ?? plain.limit("blkio", "blkio.weight", unified: "io.weight")
                }
                let flags = ["update", "--blkio-weight", "500", plain.id]
                if found() != nil {
                    try runtime.deviates([.crun], "crun 1.8.1 looks for one file only", isIntermittent: true) {
                        try bench.check(flags[0], flags[1], flags[2], flags[3])
                        #expect(["500", "default 500", "default 4950"].contains(found() ?? ""), "\(found() ?? "")")
                    }
                    return
                }
                let others: Comment = "they may pass it over"
                try runtime.deviates([.crun, .runc], others, isIntermittent: true) {
                    try bench.expectRefused(flags)
                    try bench.expectRefused { $0["linux.resources.blockIO"] = ["weight": 500] }
                    let output = try bench.run(flags)
                    #expect(output.stderr.contains("weight"), "\(output)")
                }
            }
        }
    }
}

extension OCIRuntimeTests.Controllers.Case {
    /// What a message says of it: the device, the page's size, or what is missing.
    fileprivate var refusal: String {
        if !Conditions.hasController(controller) { return controller.hasPrefix("net") ? "network" : controller }
        return controller == "rdma" ? "nosuch0" : "3MB"
    }
}
