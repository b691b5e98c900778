internal import Glibc
internal import Synchronization
internal import Sys

/// A network namespace of one test, whose state nobody else changes. It lives as long as the value.
package final class PrivateNetwork: Sendable {
    private let holder: Mutex<ChildProcess>
    /// A process in it.
    package let pid: Int32

    package static let isPossible = Conditions.isRoot && Conditions.has("unshare", "nsenter", "ip")
    package static let requirements = "needs root, unshare, nsenter and ip"

    package init() throws {
        guard let unshare = Tool.find("unshare") else { throw Tool.Missing(name: "unshare") }
        let child = try ChildProcess(
            unshare, ["-n", "sh", "-c", "ip link set lo up; exec sleep 3600"], environment: Tool.baseEnvironment)
        pid = child.pid
        let name = "/proc/\(pid)/ns/net"
        let own = try File.readLink("/proc/self/ns/net")
        guard Wait.until(seconds: 10, { ((try? File.readLink(name)) ?? own) != own }) else {
            throw SystemFailure("unshare", name, Errno(rawValue: ETIMEDOUT))
        }
        holder = Mutex(child)
        guard try Wait.until(seconds: 10, { try run("ip", "-o", "addr").contains("127.0.0.1") }) else {
            throw SystemFailure("set up", "lo", Errno(rawValue: ETIMEDOUT))
        }
    }

    /// What goes before a command line so that it runs in here.
    package var prefix: [String] { ["nsenter", "--net=/proc/\(pid)/ns/net", "--"] }

    /// What a command in here prints.
    @discardableResult
    package func run(_ command: String...) throws -> String {
        try Tool.check(prefix[0], Array(prefix.dropFirst()) + command).stdout
    }

    /// Links, addresses, routes and neighbours, and the ruleset where nft is installed.
    package func state() throws -> Set<String> {
        let script = """
            ip -o link; ip -o addr; ip -o -4 route show table all; ip -o -6 route show table all; ip -o neigh
            ! command -v nft > /dev/null || nft list ruleset
            """
        let output = try Tool.check(prefix[0], Array(prefix.dropFirst()) + ["sh", "-c", script])
        var seen: [String: Int] = [:]
        return Set(
            output.lines.map { line in
                seen[line, default: 0] += 1
                return seen[line] == 1 ? line : "\(line) (\(seen[line] ?? 0) times)"
            })
    }
}
