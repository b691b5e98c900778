internal import Engine
internal import OCI

/// What docker calls a HostConfig: how the container meets the machine.
enum HostConfigValue {
    private typealias Field = TemplateValue.Field

    static func make(_ details: ContainerDetails) -> TemplateValue {
        let request = details.record.request
        return .record(
            storage(request) + identity(request) + namespaces(request, details) + resources(request, details)
                + tail(request, details))
    }

    private static func text(_ name: String, _ value: String) -> Field { Field(name, .string(value)) }
    private static func number(_ name: String, _ value: Int64) -> Field { Field(name, .int(value)) }
    private static func flag(_ name: String, _ value: Bool) -> Field { Field(name, .bool(value)) }
    /// A list that was never made is null in docker's JSON.
    private static func list(_ name: String, _ values: [String]) -> Field {
        Field(name, values.isEmpty ? .nullList : .strings(values))
    }

    private static func storage(_ request: RunRequest) -> [Field] {
        let log = request.log
        let restart = request.lifecycle.restart
        return [
            list("Binds", request.mounts.compactMap(bind)), text("ContainerIDFile", request.containerIDFile ?? ""),
            Field(
                "LogConfig",
                .record([
                    text("Type", (log.driver ?? .usual).rawValue),
                    Field("Config", .map(log.options.mapValues { .string($0) })),
                ])),
            text("NetworkMode", request.isolation.network.rawValue),
            Field("PortBindings", PortValue.asked(request.networking?.published ?? [])),
            Field(
                "RestartPolicy",
                .record([
                    text("Name", restart.kind.rawValue), number("MaximumRetryCount", Int64(restart.maximum)),
                ])),
            flag("AutoRemove", request.remove), text("VolumeDriver", ""), list("VolumesFrom", request.volumesFrom),
            Field("ConsoleSize", .list([.int(0), .int(0)])),
            Field("Annotations", map(request.process.annotations), omitsEmpty: true),
        ]
    }

    private static func map(_ entries: [EnvironmentEntry]) -> TemplateValue {
        .map(Dictionary(entries.map { ($0.name, TemplateValue.string($0.value ?? "")) }) { $1 })
    }

    /// `-v` as it was typed; nil for what `--mount` and `--tmpfs` made.
    private static func bind(_ mount: MountRequest) -> String? {
        let options =
            [mount.readOnly ? "ro" : nil, mount.propagation, mount.copyUp ? nil : "nocopy"].compactMap { $0 }
            .joined(separator: ",")
        let end = options.isEmpty ? "" : ":" + options
        switch mount.kind {
        case .bind(let source, create: true): return "\(source):\(mount.target)\(end)"
        case .volume(let name): return "\(name):\(mount.target)\(end)"
        case .bind, .anonymousVolume, .tmpfs: return nil
        }
    }

    private static func identity(_ request: RunRequest) -> [Field] {
        let isolation = request.isolation
        let dns = request.networking?.dns ?? DNSOptions()
        return [
            list("CapAdd", isolation.addedCapabilities), list("CapDrop", isolation.droppedCapabilities),
            text("CgroupnsMode", "private"), Field("Dns", .strings(dns.servers.map { "\($0)" })),
            Field("DnsOptions", .strings(dns.options)), Field("DnsSearch", .strings(dns.search)),
            list("ExtraHosts", request.networking?.extraHosts.map(\.text) ?? []),
            list("GroupAdd", request.process.additionalGroups),
        ]
    }

    private static func namespaces(_ request: RunRequest, _ details: ContainerDetails) -> [Field] {
        let isolation = request.isolation
        var tmpfs: [String: TemplateValue] = [:]
        for mount in request.mounts {
            if case .tmpfs(let options) = mount.kind { tmpfs[mount.target] = .string(options.joined(separator: ",")) }
        }
        return [
            text("IpcMode", isolation.ipc.rawValue), text("Cgroup", ""), list("Links", []),
            number("OomScoreAdj", 0), text("PidMode", isolation.pid.rawValue),
            flag("Privileged", isolation.privileged),
            flag("PublishAllPorts", request.networking?.publishesAll ?? false),
            flag("ReadonlyRootfs", request.readOnly), list("SecurityOpt", security(isolation)),
            Field("Tmpfs", .map(tmpfs), omitsEmpty: true), text("UTSMode", isolation.uts.rawValue),
            text("UsernsMode", ""), number("ShmSize", details.shmSize),
            Field("Sysctls", map(isolation.sysctls), omitsEmpty: true),
            text("Runtime", details.record.runtime?.name ?? RuntimeChoice.builtIn),
            text("Isolation", ""),
        ]
    }

    private static func security(_ isolation: IsolationOptions) -> [String] {
        var options: [String] = []
        switch isolation.seccomp {
        case .standard: break
        case .unconfined: options.append("seccomp=unconfined")
        case .profile(let path): options.append("seccomp=\(path)")
        }
        if isolation.noNewPrivileges == true { options.append("no-new-privileges") }
        return options
    }

    private static func resources(_ request: RunRequest, _ details: ContainerDetails) -> [Field] {
        let asked = request.resources
        let memory = asked.memory ?? 0
        let swap = asked.memorySwap ?? (memory > 0 ? memory.multipliedReportingOverflow(by: 2).partialValue : 0)
        let devices = request.devices.map { device in
            TemplateValue.record([
                text("PathOnHost", device.source), text("PathInContainer", device.target),
                text("CgroupPermissions", device.permissions),
            ])
        }
        let block = ["Device", "DeviceReadBps", "DeviceWriteBps", "DeviceReadIOps", "DeviceWriteIOps"]
        return [
            number("CpuShares", Int64(clamping: asked.cpuShares ?? 0)), number("Memory", memory),
            number("NanoCpus", asked.nanoCPUs ?? 0), text("CgroupParent", ""), number("BlkioWeight", 0),
        ] + block.map { Field($0 == "Device" ? "BlkioWeightDevice" : "Blkio\($0)", .list([])) } + [
            number("CpuPeriod", 0), number("CpuQuota", 0), number("CpuRealtimePeriod", 0),
            number("CpuRealtimeRuntime", 0), text("CpusetCpus", asked.cpusetCPUs ?? ""),
            text("CpusetMems", asked.cpusetMems ?? ""), Field("Devices", .list(devices)),
            list("DeviceCgroupRules", []), list("DeviceRequests", []),
            number("MemoryReservation", asked.memoryReservation ?? 0), number("MemorySwap", swap),
            Field("MemorySwappiness", .null), flag("OomKillDisable", false),
            Field("PidsLimit", details.pidsLimit.map { .int($0) } ?? .null),
            Field("Ulimits", .list(request.process.ulimits.map(limit))), number("CpuCount", 0),
            number("CpuPercent", 0), number("IOMaximumIOps", 0), number("IOMaximumBandwidth", 0),
        ]
    }

    private static func limit(_ limit: Spec.Rlimit) -> TemplateValue {
        let name = limit.type.hasPrefix("RLIMIT_") ? limit.type.dropFirst(7).lowercased() : limit.type
        func value(_ number: UInt64) -> Int64 { number == .max ? -1 : Int64(clamping: number) }
        return .record([
            text("Name", name), number("Hard", value(limit.hard)), number("Soft", value(limit.soft)),
        ])
    }

    private static func tail(_ request: RunRequest, _ details: ContainerDetails) -> [Field] {
        let mounts = request.mounts.compactMap { mount -> TemplateValue? in
            guard case .bind(let source, create: false) = mount.kind else { return nil }
            return .record([
                text("Type", "bind"), text("Source", source), text("Target", mount.target),
                Field("ReadOnly", .bool(mount.readOnly), omitsEmpty: true),
            ])
        }
        return [
            Field("Mounts", .list(mounts), omitsEmpty: true),
            Field("MaskedPaths", .strings(details.maskedPaths)),
            Field("ReadonlyPaths", .strings(details.readonlyPaths)),
            Field("Init", request.useInit ? .bool(true) : .null, omitsEmpty: true),
        ]
    }
}
