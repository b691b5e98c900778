internal import Glibc
internal import Sys

/// Debian's containerd, out of its packages, with a daemon of the test's own, and ctr.
package final class Containerd {
    private static let binaries = DockerDaemon.binaries
    package static let isPossible = Conditions.isRoot && Tool.find("\(binaries)/ctr") != nil && Conditions.hasFixtures

    private let scratch: Scratch
    private let runtime: OCIRuntime
    private let environment: [String: String]
    private var daemon: ChildProcess
    /// Below which its containers' control groups are.
    package let cgroup = "runimg-test-containerd-\(Random.hex(bytes: 6))"
    package static let image = "docker.io/library/box:latest"
    package var place: String { scratch.path }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package init(runtime: OCIRuntime) throws {
        scratch = try Scratch()
        self.runtime = runtime
        environment = [
            "PATH": "\(Containerd.binaries):\(Tool.baseEnvironment["PATH"] ?? "")",
            "LD_LIBRARY_PATH": "\(Fixtures.servers)/docker/lib", "CONTAINERD_ADDRESS": scratch("socket"),
        ]
        try scratch.file(
            "config.toml",
            """
            version = 2
            root = "\(scratch("root"))"
            state = "\(scratch("state"))"
            disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]
            [grpc]
            address = "\(scratch("socket"))"
            [ttrpc]
            address = "\(scratch("socket.ttrpc"))"

            """)
        let log = try File.open(scratch("log"), O_WRONLY | O_CREAT | O_APPEND, mode: 0o600)
        daemon = try ChildProcess(
            "\(Containerd.binaries)/containerd", ["--config", scratch("config.toml")],
            environment: Tool.baseEnvironment.merging(environment) { $1 }, output: .descriptor(log.raw),
            errors: .descriptor(log.raw))
        guard Wait.until(seconds: 30, { (try? run(["version"]).status) == 0 }) else {
            throw Failure(description: String(decoding: try File.readAll(scratch("log")), as: UTF8.self))
        }
        try Tool.check("tar", ["-C", Fixtures.layout("busybox"), "-cf", scratch("image.tar"), "."])
        try check("images", "import", "--base-name", "docker.io/library/box", scratch("image.tar"))
    }

    deinit {
        for id in (try? run(["tasks", "ls", "-q"]))?.lines ?? [] {
            _ = try? run(["tasks", "kill", "-s", "SIGKILL", "-a", id])
            _ = Wait.until(seconds: 5) { (try? run(["tasks", "delete", id]).status) == 0 }
        }
        for id in (try? run(["containers", "ls", "-q"]))?.lines ?? [] { _ = try? run(["containers", "rm", id]) }
        try? daemon.signal(SIGTERM)
        _ = try? daemon.wait(seconds: 20 * Wait.patience)
        LeakSnapshot.removeCgroups(named: cgroup)
    }

    package func run(_ arguments: [String]) throws -> Tool.Output {
        try Tool.run("\(Containerd.binaries)/ctr", arguments, environment: environment)
    }

    @discardableResult
    package func check(_ arguments: String...) throws -> Tool.Output {
        let output = try run(arguments)
        guard output.status == 0 else { throw Tool.Failure(output: output) }
        return output
    }

    /// The command line of `ctr run` for the tested runtime; `ctr` itself is its first word.
    package func line(_ flags: [String], _ id: String, _ command: [String]) -> [String] {
        ["run", "--snapshotter", "native", "--runc-binary", runtime.path, "--cgroup", "/\(cgroup)/\(id)"] + flags
            + [Containerd.image, id] + command
    }

    package func start(_ flags: [String], _ id: String, _ command: String...) throws -> Tool.Output {
        try run(line(flags, id, command))
    }

    /// The same on a terminal.
    package func onTerminal(_ arguments: [String]) throws -> PseudoTerminal {
        try PseudoTerminal("\(Containerd.binaries)/ctr", arguments, environment: environment)
    }
}
