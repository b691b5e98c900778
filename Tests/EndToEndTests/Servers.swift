internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension Conditions {
    /// Real servers from Debian's packages are there to be run.
    static let hasServers = canRun && File.exists("\(Fixtures.servers)/.complete")
    static let serversReason: Comment =
        "needs root, overlayfs, the executables and the images of make servers, which asks for Debian's packages"
}

/// A program with one of the server images, and what tests ask of containers of it.
struct Servers {
    let runimg: Runimg
    let image: String

    /// Runs `body` with a program of its own; processes, mounts and cgroups that it leaves behind are a failure.
    static func isolated(_ name: String, _ body: (Servers) throws -> Void) throws {
        let servers = Servers(runimg: try Runimg(), image: "oci:\(Fixtures.servers)/\(name):latest")
        let before = try LeakSnapshot(dataRoot: servers.runimg.dataRoot)
        try servers.runimg.check("pull", "-q", servers.image)
        do {
            try body(servers)
        } catch {
            for id in (try? servers.runimg.check("ps", "-aq").lines) ?? [] {
                if let output = try? servers.runimg.run(["logs", "--tail", "20", id]) { Issue.record("\(output)") }
            }
            _ = try? servers.runimg.check("rm", "-f", "-v", "--all")
            throw error
        }
        try servers.runimg.check("rm", "-f", "-v", "--all")
        for line in try before.leaks(ignoringStore: true) { Issue.record("left behind: \(line)") }
    }

    /// `run -d --name NAME FLAGS IMAGE COMMAND`; the container's ID.
    @discardableResult
    func start(_ name: String, _ flags: [String] = [], _ command: [String] = []) throws -> String {
        let output = try runimg.run(["run", "-d", "--name", name] + flags + [image] + command)
        guard output.status == 0, let id = output.lines.last else { throw Tool.Failure(output: output) }
        return id
    }

    func exec(_ name: String, _ command: String..., flags: [String] = [], input: String = "") throws -> Tool.Output {
        try runimg.run(["exec"] + flags + [name] + command, input: Array(input.utf8))
    }

    /// Waits until a command in the container ends well.
    func awaits(_ name: String, _ command: String...) -> Bool {
        Wait.until(seconds: 30) { (try? runimg.run(["exec", name] + command))?.status == 0 }
    }

    /// Waits until the image's own health check says so, and `ps` shows it.
    func becomes(_ health: String, _ name: String) -> Bool {
        Wait.until(seconds: 30) {
            (try? runimg.check("ps", "--filter", "name=\(name)", "--format", "{{.Status}}"))?.stdout
                .hasSuffix(" (\(health))\n") == true
        }
    }

    /// Both streams of the log.
    func log(_ name: String) throws -> String {
        let output = try runimg.check("logs", name)
        return output.stdout + output.stderr
    }

    func inspect(_ name: String, _ template: String) throws -> String? {
        try runimg.check("inspect", "-f", template, name).lines.first
    }
}
