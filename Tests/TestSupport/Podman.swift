internal import Sys

/// Debian's podman, out of its packages, with a store of the test's own. It starts no containers here.
package struct Podman: Sendable {
    private static let directory = "\(Fixtures.servers)/podman"
    private static let runtime = "\(DockerDaemon.binaries)/runc"
    package static let isPossible = Conditions.isRoot && Tool.find("\(directory)/bin/podman") != nil

    private let scratch: Scratch

    package init() throws { scratch = try Scratch() }

    @discardableResult
    package func check(_ arguments: String..., input: [UInt8] = []) throws -> Tool.Output {
        // Whatever this machine trusts: what is compared are formats.
        let policy = try scratch.file("policy.json", #"{"default":[{"type":"insecureAcceptAnything"}]}"#)
        let places = [
            "--root", scratch("root"), "--runroot", scratch("run"), "--tmpdir", scratch("tmp"),
            "--storage-driver", "vfs", "--conmon", "\(Podman.directory)/bin/conmon", "--runtime", Podman.runtime,
            "--events-backend", "file", "--cgroup-manager", "cgroupfs",
        ]
        let environment = ["LD_LIBRARY_PATH": "\(Podman.directory)/lib", "HOME": scratch.path]
        var arguments = arguments
        if ["load", "pull", "push", "save"].contains(arguments.first ?? "") {
            arguments.insert("--signature-policy=\(policy)", at: 1)
        }
        let output = try Tool.run(
            "\(Podman.directory)/bin/podman", places + arguments,
            environment: Tool.baseEnvironment.merging(environment) { $1 }, input: input, timeout: 120)
        guard output.status == 0 else { throw Tool.Failure(output: output) }
        return output
    }
}
