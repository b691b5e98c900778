internal import Glibc
package import Sys

/// Which network namespace the caller is in, as no other one is called until the next boot.
package enum NamespaceIdentity {
    /// asm-generic/socket.h; Linux 5.14.
    private static let cookieOption: Int32 = 71

    package static func current() throws(SystemFailure) -> String {
        let made = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        do throws(Errno) {
            let socket = OwnedFD(adopting: try check { made })
            var cookie: UInt64 = 0
            var length = socklen_t(MemoryLayout<UInt64>.size)
            if getsockopt(socket.raw, SOL_SOCKET, cookieOption, &cookie, &length) == 0 { return "\(cookie)" }
            // An inode's number may come again, and what is found under it is then taken for damage and mended.
            return "inode-\(try File.status("/proc/self/ns/net", follow: true).inode)"
        } catch {
            throw SystemFailure("tell", "the network namespace", error)
        }
    }
}
