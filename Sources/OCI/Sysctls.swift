/// Kernel parameters (sysctl(8)) that belong to a namespace of the container's. Any other is the host's.
package enum Sysctls {
    package enum Owner: Sendable, Hashable { case network, ipc, uts }

    private static let ipc: Set<String> = [
        "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem", "kernel.shmall", "kernel.shmmax",
        "kernel.shmmni", "kernel.shm_rmid_forced",
    ]

    /// The namespace that `name` belongs to; nil where that is none, or where the name, which becomes a path below
    /// /proc/sys, is more than letters, digits, `_`, `-` and single dots.
    package static func owner(of name: String) -> Owner? {
        guard isPlain(name) else { return nil }
        return owner(ofParts: name.split(separator: "."))
    }

    /// The same of the parts of a path below /proc/sys, none of which is empty, `.` or `..`.
    package static func owner(ofParts parts: [Substring]) -> Owner? {
        if parts.count > 1, parts[0] == "net" { return .network }
        if parts.count > 2, parts[0] == "fs", parts[1] == "mqueue" { return .ipc }
        let name = parts.joined(separator: ".")
        if name == "kernel.domainname" { return .uts }
        return ipc.contains(name) ? .ipc : nil
    }

    /// A value is one line: the kernel takes what follows for another.
    package static func isValue(_ text: String) -> Bool {
        !text.isEmpty && !text.hasControlCharacters
    }

    private static func isPlain(_ name: String) -> Bool {
        let dot = UInt8(ascii: ".")
        let parts = name.utf8.split(separator: dot, omittingEmptySubsequences: false)
        return parts.allSatisfy { part in
            !part.isEmpty
                && part.allSatisfy { byte in
                    (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                        || "_-".utf8.contains(byte)
                }
        }
    }
}
