/// Names of capabilities(7).
package enum CapabilityName {
    private static let names: Set<String> = [
        "AUDIT_CONTROL", "AUDIT_READ", "AUDIT_WRITE", "BLOCK_SUSPEND", "BPF", "CHECKPOINT_RESTORE", "CHOWN",
        "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "IPC_LOCK", "IPC_OWNER", "KILL", "LEASE",
        "LINUX_IMMUTABLE", "MAC_ADMIN", "MAC_OVERRIDE", "MKNOD", "NET_ADMIN", "NET_BIND_SERVICE", "NET_BROADCAST",
        "NET_RAW", "PERFMON", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYSLOG", "SYS_ADMIN", "SYS_BOOT", "SYS_CHROOT",
        "SYS_MODULE", "SYS_NICE", "SYS_PACCT", "SYS_PTRACE", "SYS_RAWIO", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG",
        "WAKE_ALARM",
    ]

    /// `ALL`, or the name in upper case with `CAP_`; `list` is the word in docker's message.
    package static func normalize(_ text: String, list: String) throws(ValueError) -> String {
        let upper = text.uppercased()
        if upper == "ALL" { return upper }
        let name = upper.hasPrefix("CAP_") ? String(upper.dropFirst(4)) : upper
        guard names.contains(name) else {
            throw .plain("invalid \(list): unknown capability: \(GoValue.quoted("CAP_" + name))")
        }
        return "CAP_" + name
    }
}
