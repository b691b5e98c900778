internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// IDs become names of files and control groups.
    @Suite struct Identifiers {
        /// A kernel takes no NUL in an argument.
        static let bad = [
            "", ".", "..", "../x", "../../x", "/x", "x/y", "x/../y", "./x", "a\nb", "a b", "a\tb", "a\u{1b}[0m", "-x/",
            String(repeating: "x", count: 1025), "a;b", "a*", "a\\b", "ü", "..\u{2215}x",
        ]

        @Test(
            "R18: an ID that is a path or no name is refused by each verb, and nothing is made",
            arguments: OCIRuntime.all, bad)
        func badNamesTouchNothing(_ runtime: OCIRuntime, _ id: String) throws {
            let reason: Comment = "crun 1.8.1 knows no grammar of IDs: with '..' it removes the directory of all states"
            try runtime.deviates([.crun], reason, isIntermittent: true) {
                try OCIBench.with(runtime) { bench in
                    let container = try bench.container("sleep 1000")
                    let before = try TreeListing(bench.scratch.path, .contents)
                    for verb in Self.verbs(container.bundle, id) { try bench.expectRefused(verb) }
                    let changes = try TreeListing(bench.scratch.path, .contents).differences(from: before)
                    let others = changes.filter { !$0.contains("files") && !$0.contains("state") }
                    #expect(others.isEmpty, "\(others)")
                    #expect(bench.stateNames().isEmpty)
                }
            }
        }

        private static func verbs(_ bundle: String, _ id: String) -> [[String]] {
            [
                ["create", "--bundle", bundle, id], ["run", "--bundle", bundle, id], ["start", id], ["state", id],
                ["kill", id, "KILL"], ["delete", id], ["exec", id, "true"], ["ps", id], ["pause", id],
                ["resume", id], ["update", "--memory", "64000000", id],
            ]
        }

        @Test(arguments: OCIRuntime.all, ["x", "0", "A.b_c-d+e", "a.b", "_x", "x..y"])
        func goodNames(_ runtime: OCIRuntime, _ id: String) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("echo ran")
                let output = try bench.run(["run", "--bundle", container.bundle, id])
                #expect(output.status == 0 && output.stdout == "ran\n", "\(output)")
            }
        }
    }
}
