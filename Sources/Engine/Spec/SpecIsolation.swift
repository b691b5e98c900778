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

    /// The container's own: what it shares, with the host or with another container, is not among them.
    static func namespaces(_ isolation: IsolationOptions) -> [Spec.Namespace] {
        var result = [Spec.Namespace(.mount), Spec.Namespace(.cgroup)]
        if isolation.pid == .own { result.append(Spec.Namespace(.pid)) }
        if isolation.ipc.isOwn { result.append(Spec.Namespace(.ipc)) }
        if isolation.uts == .own { result.append(Spec.Namespace(.uts)) }
        if isolation.network.isOwn { result.append(Spec.Namespace(.network)) }
        if case .path(let path) = isolation.network { result.append(Spec.Namespace(.network, path: path)) }
        return result
    }

    /// docker's two, harmless in a network namespace of one's own, then the user's.
    static func sysctls(
        _ isolation: IsolationOptions, _ rootless: Rootless? = nil
    ) throws(EngineError) -> [String: String] {
        var result: [String: String] = [:]
        if isolation.network.isOwn {
            let lastGroup = rootless.map { max($0.groupCount, 1) - 1 } ?? 2_147_483_647
            result["net.ipv4.ping_group_range"] = "0 \(lastGroup)"
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

    /// Only what belongs to a namespace of the container's own.
    private static func checkSysctl(_ name: String, _ isolation: IsolationOptions) throws(EngineError) {
        switch Sysctls.owner(of: name) {
        case .network:
            if isolation.network.isOwn { return }
            throw notAllowed(name, isolation.network == .host, "network")
        case .ipc:
            if isolation.ipc.isOwn { return }
            throw notAllowed(name, isolation.ipc == .host, "ipc")
        // docker has --domainname for it.
        case .uts, nil:
            throw .invalid("sysctl '\(ForeignText(name))' is not allowed: it is not in a separate kernel namespace")
        }
    }

    private static func notAllowed(_ name: String, _ isHosts: Bool, _ kind: String) -> EngineError {
        .invalid("sysctl '\(name)' not allowed in \(isHosts ? "host" : "another container's") \(kind) namespace")
    }
}
