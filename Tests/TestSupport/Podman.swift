internal import Sys

/// Debian's podman, out of its packages, with a store of the test's own.
package struct Podman: Sendable {
    private static let directory = "\(Fixtures.servers)/podman"
    private static let runtime = "\(DockerDaemon.binaries)/runc"
    package static let isPossible = Conditions.isRoot && Tool.find("\(directory)/bin/podman") != nil

    private let scratch: Scratch
    private let runtime: String
    private let manager: String
    /// Below which its containers' control groups are.
    package let cgroup = "runimg-test-podman-\(Random.hex(bytes: 6))"
    package var place: String { scratch.path }

    /// `runtime` runs its containers; else runc would. `cgroupManager` as podman's own option.
    package init(runtime: OCIRuntime? = nil, cgroupManager: String = "cgroupfs") throws {
        scratch = try Scratch()
        manager = cgroupManager
        self.runtime = runtime?.path ?? Podman.runtime
        // More than a caller without CAP_SYS_RESOURCE may give.
        let limits = #"default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]"#
        try scratch.file("containers.conf", "[containers]\n\(limits)\n")
        // podman starts it without the variable that names its libraries.
        let conmon = "export LD_LIBRARY_PATH=\(Podman.directory)/lib; exec \(Podman.directory)/bin/conmon \"$@\""
        try scratch.file("conmon", "#!/bin/sh\n\(conmon)\n", mode: 0o755)
    }

    /// Ends and removes what it has started; its control groups too.
    package func clean() {
        for kind in [["pod", "rm", "-f", "-t", "0", "-a"], ["rm", "-f", "-t", "0", "-a"]] { _ = try? run(kind) }
        LeakSnapshot.removeCgroups(named: cgroup)
    }

    /// Makes the image `name` of one layer, busybox with all its commands.
    package func importBusybox(as name: String) throws {
        try OCIContainer.makeRoot(scratch, "busybox")
        let tar = try Tool.check("tar", ["-C", scratch("busybox"), "-c", "."]).stdoutBytes
        let output = try run(["import", "-", name], input: tar)
        guard output.status == 0 else { throw Tool.Failure(output: output) }
    }

    @discardableResult
    package func check(_ arguments: String..., input: [UInt8] = []) throws -> Tool.Output {
        let output = try run(arguments, input: input)
        guard output.status == 0 else { throw Tool.Failure(output: output) }
        return output
    }

    package func run(_ arguments: [String], input: [UInt8] = []) throws -> Tool.Output {
        // Whatever this machine trusts: what is compared are formats.
        let policy = try scratch.file("policy.json", #"{"default":[{"type":"insecureAcceptAnything"}]}"#)
        let places = [
            "--root", scratch("root"), "--runroot", scratch("run"), "--tmpdir", scratch("tmp"),
            "--storage-driver", "vfs", "--conmon", scratch("conmon"), "--runtime", runtime,
            "--events-backend", "file", "--cgroup-manager", manager,
        ]
        let environment = [
            "LD_LIBRARY_PATH": "\(Podman.directory)/lib", "HOME": scratch.path,
            "CONTAINERS_CONF": scratch("containers.conf"),
        ]
        var arguments = arguments
        if ["import", "load", "pull", "push", "save"].contains(arguments.first ?? "") {
            arguments.insert("--signature-policy=\(policy)", at: 1)
        }
        return try Tool.run(
            "\(Podman.directory)/bin/podman", places + arguments,
            environment: Tool.baseEnvironment.merging(environment) { $1 }, input: input, timeout: 120)
    }
}
