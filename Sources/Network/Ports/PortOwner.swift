internal import Glibc
package import OCI
internal import Sys

/// Who has a port of the host.
package enum PortOwner: Sendable, Hashable {
    case process(name: String, pid: Int32)
    /// One of our containers: its ID, or its name.
    case container(String)

    /// By the kernel's list of sockets and the processes that one may look into; nil where that does not tell.
    package static func of(_ port: UInt16, _ transport: PortProtocol) -> PortOwner? {
        let wanted = Set(inodes(port, transport).map { "socket:[\($0)]" })
        if wanted.isEmpty { return nil }
        for entry in (try? Directory.entries("/proc")) ?? [] {
            guard let pid = Int32(entry.name), pid > 0, holds(pid, wanted) else { continue }
            return named(pid)
        }
        return nil
    }

    /// Of the sockets that are bound to it (proc_pid_net(5)).
    private static func inodes(_ port: UInt16, _ transport: PortProtocol) -> [String] {
        guard transport != .sctp else { return [] }
        var result: [String] = []
        for file in [transport.rawValue, "\(transport.rawValue)6"] {
            let bytes = (try? File.readAll("/proc/thread-self/net/\(file)", limit: 16 << 20)) ?? []
            for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n").dropFirst() {
                let fields = line.split(separator: " ")
                guard fields.count > 9, let number = fields[1].split(separator: ":").last,
                    UInt16(number, radix: 16) == port,
                    // Listening, or unconnected.
                    fields[3] == (transport == .tcp ? "0A" : "07")
                else { continue }
                result.append(String(fields[9]))
            }
        }
        return result
    }

    private static func holds(_ pid: Int32, _ wanted: Set<String>) -> Bool {
        let path = "/proc/\(pid)/fd"
        return ((try? Directory.entries(path)) ?? []).contains { entry in
            (try? File.readLink("\(path)/\(entry.name)")).map(wanted.contains) ?? false
        }
    }

    private static func named(_ pid: Int32) -> PortOwner {
        let words = ((try? File.readAll("/proc/\(pid)/cmdline", limit: 4096)) ?? []).split(separator: 0)
        if words.count > 1, String(decoding: words[0], as: UTF8.self) == PortHolder.name {
            return .container(String(decoding: words[1], as: UTF8.self))
        }
        let name = (try? File.readAll("/proc/\(pid)/comm", limit: 64)) ?? []
        return .process(name: String(decoding: name.prefix { $0 != 0x0a }, as: UTF8.self), pid: pid)
    }
}
