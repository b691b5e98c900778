internal import Glibc
internal import Sys

/// Debian's docker, out of its packages, with a daemon of the test's own: data, socket and mounts in a scratch
/// directory, no bridge, no rules of a firewall; or with both in a network namespace of the test's.
package final class DockerDaemon {
    package static let isPossible =
        Conditions.isRoot && Tool.find("\(binaries)/dockerd") != nil && Conditions.has("unshare")
        && File.exists("/bin/busybox")
    package static let binaries = "\(Fixtures.servers)/docker/bin"

    private let scratch: Scratch
    private let environment: [String: String]
    /// Where its containers' cgroups are: docker leaves that behind.
    private let cgroup = "runimg-test-docker-\(Random.hex(bytes: 6))"
    private var daemon: ChildProcess

    /// In `network`; or with `hasOwnNetwork` in one of its own, where what it does to networks it does to nobody else's.
    /// `runtime` runs its containers; else docker's own does.
    package init(
        network: PrivateNetwork? = nil, hasOwnNetwork: Bool = false, runtime: OCIRuntime? = nil
    ) throws {
        scratch = try Scratch()
        environment = [
            "PATH": "\(DockerDaemon.binaries):\(Tool.baseEnvironment["PATH"] ?? "")",
            "LD_LIBRARY_PATH": "\(Fixtures.servers)/docker/lib", "DOCKER_HOST": "unix://\(scratch("socket"))",
            "DOCKER_CONFIG": scratch("docker"),
        ]
        let log = try File.open(scratch("log"), O_WRONLY | O_CREAT | O_APPEND, mode: 0o600)
        let unshare = (network?.prefix ?? []) + ["unshare"]
        guard let program = Tool.find(unshare[0]) else { throw Tool.Missing(name: unshare[0]) }
        var line = Array(unshare.dropFirst()) + (hasOwnNetwork ? ["-n"] : [])
        line += [
            "-m", "--propagation", "private", "dockerd", "--data-root", scratch("data"), "--exec-root",
            scratch("exec"), "--pidfile", scratch("pid"), "-H", "unix://\(scratch("socket"))", "--cgroup-parent",
            "/\(cgroup)", "--storage-driver=vfs",
        ]
        if network == nil { line += ["--iptables=false", "--ip6tables=false", "--bridge=none", "--ip-forward=false"] }
        if let runtime { line += ["--add-runtime", "tested=\(runtime.path)", "--default-runtime", "tested"] }
        daemon = try ChildProcess(
            program, line, environment: Tool.baseEnvironment.merging(environment) { $1 },
            output: .descriptor(log.raw), errors: .descriptor(log.raw))
        let isUp = Wait.until(seconds: 60) { (try? run(["version"]).status) == 0 }
        guard isUp else {
            throw Failure(description: String(decoding: try File.readAll(scratch("log")), as: UTF8.self))
        }
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    deinit {
        // It ends its containers and containerd; killed it would leave them.
        try? daemon.signal(SIGTERM)
        _ = try? daemon.wait(seconds: 30 * Wait.patience)
        for hierarchy in [""] + ((try? Directory.entries("/sys/fs/cgroup").map(\.name)) ?? []) {
            rmdir("/sys/fs/cgroup/\(hierarchy)/\(cgroup)")
        }
    }

    /// Runs `docker ARGUMENTS` to its end.
    package func run(_ arguments: [String], input: [UInt8] = [], timeout: Double = 60) throws -> Tool.Output {
        try Tool.run(
            "\(DockerDaemon.binaries)/docker", arguments, environment: environment, input: input, timeout: timeout)
    }

    @discardableResult
    package func check(_ arguments: String...) throws -> Tool.Output {
        let output = try run(arguments)
        guard output.status == 0 else { throw Tool.Failure(output: output) }
        return output
    }

    /// Makes the image `name` of one layer, busybox with all its commands.
    package func importBusybox(as name: String) throws {
        let directory = try scratch.directory("root/bin")
        try Tool.check("cp", ["/bin/busybox", "\(directory)/busybox"])
        try Tool.check("/bin/busybox", ["--install", "-s", directory])
        for applet in try Directory.entries(directory).map(\.name) where applet != "busybox" {
            try Tool.check("ln", ["-sf", "busybox", "\(directory)/\(applet)"])
        }
        let tar = try Tool.check("tar", ["-C", scratch("root"), "-c", "bin"]).stdoutBytes
        let output = try run(["import", "-", name], input: tar)
        guard output.status == 0 else { throw Tool.Failure(output: output) }
    }

    /// A file below the daemon's data root.
    package func data(_ path: String) -> String { scratch("data/\(path)") }
}
