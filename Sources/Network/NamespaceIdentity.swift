internal import Glibc
package import Sys

/// Which network namespace one is in: `COOKIE-INODE`, as no other one is called until the next boot. By the inode's number it
/// is looked for where one can't be asked for its cookie.
package enum NamespaceIdentity {
    /// asm-generic/socket.h; Linux 5.14.
    private static let cookieOption: Int32 = 71

    /// The caller's.
    package static func current() throws(SystemFailure) -> String {
        let made = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        do throws(Errno) {
            let socket = OwnedFD(adopting: try check { made })
            var cookie: UInt64 = 0
            var length = socklen_t(MemoryLayout<UInt64>.size)
            // Without it, 0: then an inode's number that comes again finds what is taken for damage, and mended.
            _ = getsockopt(socket.raw, SOL_SOCKET, cookieOption, &cookie, &length)
            return "\(cookie)-\(try File.status("/proc/self/ns/net", follow: true).inode)"
        } catch {
            throw SystemFailure("tell", "the network namespace", error)
        }
    }

    /// Those among `identities` in which no process is, and which nothing keeps by a mount that the caller sees.
    package static func dead(among identities: [String]) -> [String] {
        var alive: Set<Substring> = []
        for entry in (try? Directory.entries("/proc")) ?? [] where Int32(entry.name) != nil {
            if let link = try? File.readLink("/proc/\(entry.name)/ns/net"), let inode = number(in: link) {
                alive.insert(inode)
            }
        }
        let mounts = String(decoding: (try? File.readAll("/proc/self/mountinfo", limit: 64 << 20)) ?? [], as: UTF8.self)
        for word in mounts.split(whereSeparator: \.isWhitespace) {
            if let inode = number(in: String(word)) { alive.insert(inode) }
        }
        return identities.filter { identity in
            let parts = identity.split(separator: "-")
            return parts.count == 2 && parts.allSatisfy { UInt64($0) != nil } && !alive.contains(parts[1])
        }
    }

    /// `net:[4026531840]`, as links and mounts of namespaces read (namespaces(7)).
    private static func number(in text: String) -> Substring? {
        text.hasPrefix("net:[") && text.hasSuffix("]") ? text.dropFirst(5).dropLast() : nil
    }
}
