internal import OCI

extension SpecBuilder {
    /// The union of what docker, podman and containerd hide, and what else shows or changes the host. kallsyms and
    /// config.gz stay readable: tools use them.
    static let maskedPaths = [
        "/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys", "/proc/kpagecgroup",
        "/proc/kpagecount", "/proc/kpageflags", "/proc/latency_stats", "/proc/sched_debug", "/proc/scsi",
        "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
        "/sys/fs/selinux", "/sys/kernel/debug", "/sys/kernel/security", "/sys/kernel/tracing",
    ]

    static let readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]

    static func namespaces(_ isolation: IsolationOptions) -> [Spec.Namespace] {
        var result = [Spec.Namespace(.mount), Spec.Namespace(.cgroup)]
        if !isolation.hostPid { result.append(Spec.Namespace(.pid)) }
        if !isolation.hostIpc { result.append(Spec.Namespace(.ipc)) }
        if !isolation.hostUts { result.append(Spec.Namespace(.uts)) }
        if isolation.network != .host { result.append(Spec.Namespace(.network)) }
        return result
    }

    /// docker's two, harmless in a network namespace of one's own, then the user's.
    static func sysctls(_ isolation: IsolationOptions) throws(EngineError) -> [String: String] {
        var result: [String: String] = [:]
        if isolation.network != .host {
            result["net.ipv4.ping_group_range"] = "0 2147483647"
            result["net.ipv4.ip_unprivileged_port_start"] = "0"
        }
        for entry in isolation.sysctls {
            try checkSysctl(entry.name, isolation)
            let value = entry.value ?? ""
            if value.isEmpty || value.utf8.contains(where: { $0 < 0x20 || $0 == 0x7f }) {
                throw .invalid("invalid value for sysctl \(entry.name)")
            }
            result[entry.name] = value
        }
        return result
    }

    /// Only names that belong to a namespace of the container's: any other would be the host's.
    private static func checkSysctl(_ name: String, _ isolation: IsolationOptions) throws(EngineError) {
        let letters = name.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"):
                true
            default: false
            }
        }
        guard letters, !name.contains(".."), !name.hasPrefix("."), !name.hasSuffix(".") else {
            throw .invalid("sysctl '\(name)' is not allowed: a name has letters, digits, '_', '-' and single dots")
        }
        let ipc = ["kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem"]
        let isIpc = ipc.contains(name) || name.hasPrefix("kernel.shm") || name.hasPrefix("fs.mqueue.")
        if name.hasPrefix("net.") {
            if isolation.network == .host {
                throw .invalid("sysctl '\(name)' not allowed in host network namespace")
            }
        } else if isIpc {
            if isolation.hostIpc { throw .invalid("sysctl '\(name)' not allowed in host ipc namespace") }
        } else {
            throw .invalid("sysctl '\(name)' is not allowed: it is not in a separate kernel namespace")
        }
    }
}
