internal import OCI

extension SpecBuilder {
    /// The union of what docker, podman and containerd hide, and what else shows or changes the host. kallsyms and
    /// config.gz stay readable: tools use them.
    static let maskedPaths = [
        "/proc/acpi", "/proc/asound", "/proc/dynamic_debug", "/proc/interrupts", "/proc/kcore", "/proc/keys",
        "/proc/kpagecgroup", "/proc/kpagecount", "/proc/kpageflags", "/proc/latency_stats", "/proc/sched_debug",
        "/proc/scsi", "/proc/timer_list", "/proc/timer_stats", "/sys/devices/virtual/powercap", "/sys/firmware",
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
            guard Sysctls.isValue(value) else { throw .invalid("invalid value for sysctl \(entry.name)") }
            result[entry.name] = value
        }
        return result
    }

    /// Only what belongs to a namespace that the container does not share with the host.
    private static func checkSysctl(_ name: String, _ isolation: IsolationOptions) throws(EngineError) {
        switch Sysctls.owner(of: name) {
        case .network:
            if isolation.network == .host { throw .invalid("sysctl '\(name)' not allowed in host network namespace") }
        case .ipc:
            if isolation.hostIpc { throw .invalid("sysctl '\(name)' not allowed in host ipc namespace") }
        case nil:
            throw .invalid("sysctl '\(ForeignText(name))' is not allowed: it is not in a separate kernel namespace")
        }
    }
}
