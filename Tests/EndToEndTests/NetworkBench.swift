internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

/// Three hosts of a LAN, of which the first runs containers by a runimg with a data root of its own.
final class NetworkBench {
    let lan: LocalAreaNetwork
    let runimg: Runimg

    static let image = "oci:\(Fixtures.layout("busybox")):latest"

    init(configuration: String = "{}") throws {
        lan = try LocalAreaNetwork()
        runimg = try Runimg(configuration: configuration)
        try runimg.check("pull", "-q", Self.image)
    }

    var host: PrivateNetwork { lan.hosts[0] }

    func run(_ arguments: String..., timeout: Double = 60) throws -> Tool.Output {
        try runimg.run(arguments, under: host.prefix, timeout: timeout)
    }

    /// What it prints, without the last line's end.
    @discardableResult
    func check(_ arguments: String..., timeout: Double = 60) throws -> String {
        let output = try runimg.run(arguments, under: host.prefix, timeout: timeout)
        guard output.status == 0 else { throw Tool.Failure(output: output) }
        return output.stdout.hasSuffix("\n") ? String(output.stdout.dropLast()) : output.stdout
    }

    /// A container that waits.
    @discardableResult
    func sleeper(_ name: String, _ flags: String...) throws -> Container {
        let line = ["run", "-d", "-q", "--name", name] + flags + [Self.image, "sleep", "1000"]
        let output = try runimg.run(line, under: host.prefix)
        guard output.status == 0 else { throw Tool.Failure(output: output) }
        return Container(name: name, pid: try check("inspect", "-f", "{{.State.Pid}}", name))
    }

    /// One whose port 80 answers with the address of who asks.
    func server(_ name: String, _ flags: String..., port: Int = 80) throws -> Container {
        let line = ["run", "-d", "-q", "--name", name] + flags + [Self.image, "sleep", "1000"]
        let output = try runimg.run(line, under: host.prefix)
        guard output.status == 0 else { throw Tool.Failure(output: output) }
        let container = Container(name: name, pid: try check("inspect", "-f", "{{.State.Pid}}", name))
        try lan.serve(container.prefix, port: port)
        return container
    }

    func address(of name: String, on network: String = "bridge") throws -> String {
        try check("inspect", "-f", "{{(index .NetworkSettings.Networks \"\(network)\").IPAddress}}", name)
    }

    struct Container {
        let name: String
        let pid: String

        /// What goes before a program of the host's so that it has the container's network.
        var prefix: [String] { ["nsenter", "--net=/proc/\(pid)/ns/net", "--"] }

        func ask(_ address: String, _ port: Int = 80) throws -> String? {
            try LocalAreaNetwork.ask(address, port, prefix)
        }

        func ip(_ arguments: String...) throws -> String {
            try Tool.check(prefix[0], Array(prefix.dropFirst()) + ["ip"] + arguments).stdout
        }
    }

    /// Removes all containers and sees that nothing of them is left: no port of a bridge, no lease, no element.
    func settle(location: SourceLocation = #_sourceLocation) throws {
        // They hold the containers' namespaces.
        lan.stopServers()
        try check("rm", "-f", "-v", "--all")
        let left = try lasting()
        if !left.isEmpty { Issue.record("left behind: \(left)", sourceLocation: location) }
    }

    /// What is left when the kernel has had time for its part.
    func lasting() throws -> [String] {
        var left: [String] = []
        _ = try Wait.until(seconds: 20) {
            left = try leftovers()
            return left.isEmpty
        }
        return left
    }

    func leftovers() throws -> [String] {
        var result = try host.run("ip", "-o", "link").split(separator: "\n").map(String.init)
            .filter { $0.contains(": veth") }
        let cookie = try identity()
        for network in (try? Directory.entries("/run/runimg/networks/\(cookie)")) ?? [] {
            for kind in ["addresses", "names"] {
                let path = "/run/runimg/networks/\(cookie)/\(network.name)/\(kind)"
                let names = ((try? Directory.entries(path)) ?? []).map(\.name)
                // A lease whose holder is gone is free.
                result += names.filter { name in
                    !name.hasPrefix("next") && (try? File.readLink("\(path)/\(name)")).map { File.exists($0) } ?? true
                }
            }
        }
        let ruleset = try host.run("nft", "list", "ruleset")
        for line in ruleset.split(separator: "\n") where line.contains("veth") { result.append(String(line)) }
        return result
    }

    /// The ruleset as nft shows it, without what counts.
    func ruleset() throws -> String { try host.run("nft", "-s", "list", "ruleset") }

    /// By which the host's network namespace goes below /run/runimg/networks.
    func identity() throws -> String {
        let script = """
            import os, socket
            cookie = socket.socket(socket.AF_UNIX).getsockopt(socket.SOL_SOCKET, 71, 8)
            print(f"{int.from_bytes(cookie, 'little')}-{os.stat('/proc/self/ns/net').st_ino}")
            """
        return String(try host.run("python3", "-c", script).trimmed)
    }
}

extension String {
    fileprivate var trimmed: Substring {
        let isSpace: (Character) -> Bool = { $0 == "\n" || $0 == " " }
        return drop(while: isSpace).prefix { !isSpace($0) }
    }
}

extension EndToEnd {
    /// Networks of containers, each test on a LAN of its own.
    @Suite(
        .enabled(
            if: Conditions.canRun && LocalAreaNetwork.isPossible && Conditions.has("nft"),
            "\(LocalAreaNetwork.requirements), nft"))
    struct Networks {}
}
