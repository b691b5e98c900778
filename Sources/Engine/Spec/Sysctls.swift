internal import OCI

/// Kernel parameters (sysctl(8)) that belong to a namespace of the container's. Any other is the host's.
package enum Sysctls {
    package enum Owner: Sendable, Hashable { case network, ipc }

    private static let ipc: Set<String> = [
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
        "kernel.shmmni", "kernel.shm_rmid_forced",
    ]

    /// The namespace that `name` belongs to; nil where that is none, or where the name, which becomes a path below
    /// /proc/sys, is more than letters, digits, `_`, `-` and single dots.
    package static func owner(of name: String) -> Owner? {
        guard isPlain(name) else { return nil }
        if name.hasPrefix("net.") { return .network }
        return ipc.contains(name) || name.hasPrefix("fs.mqueue.") ? .ipc : nil
    }

    /// A value is one line: the kernel takes what follows for another.
    package static func isValue(_ text: String) -> Bool {
        !text.isEmpty && !text.hasControlCharacters
    }

    private static func isPlain(_ name: String) -> Bool {
        let dot = UInt8(ascii: ".")
        let parts = name.utf8.split(separator: dot, omittingEmptySubsequences: false)
        return parts.allSatisfy { part in
            !part.isEmpty && part.allSatisfy { ResourceName.isAlphanumeric($0) || "_-".utf8.contains($0) }
        }
    }
}
