internal import Engine

/// `info` as docker's JSON.
enum InfoValue {
    private typealias Field = TemplateValue.Field

    static func make(_ info: SystemInfo, _ version: VersionInfo) -> TemplateValue {
        .record(counts(info) + kernel(info) + machine(info) + engine(info) + client(info, version))
    }

    private static func text(_ name: String, _ value: String) -> Field { Field(name, .string(value)) }
    private static func flag(_ name: String, _ value: Bool) -> Field { Field(name, .bool(value)) }
    private static func number(_ name: String, _ value: Int) -> Field { Field(name, .int(Int64(value))) }

    private static func counts(_ info: SystemInfo) -> [Field] {
        [
            text("ID", info.id), number("Containers", info.containers),
            number("ContainersRunning", info.containersRunning),
            number("ContainersPaused", info.containersPaused), number("ContainersStopped", info.containersStopped),
            number("Images", info.images), text("Driver", info.driver),
            Field("DriverStatus", .list(info.driverStatus.map { .strings($0) })),
            Field(
                "Plugins",
                .record([
                    Field("Volume", .strings(["local"])), Field("Network", .strings(info.networks)),
                    Field("Authorization", .null), Field("Log", .strings(LogOptions.Driver.allCases.map(\.rawValue))),
                ])),
        ]
    }

    private static func kernel(_ info: SystemInfo) -> [Field] {
        [
            flag("MemoryLimit", info.memoryLimit), flag("SwapLimit", info.swapLimit),
            flag("CpuCfsPeriod", info.cpuCFSQuota), flag("CpuCfsQuota", info.cpuCFSQuota),
            flag("CPUShares", info.cpuShares), flag("CPUSet", info.cpuSet), flag("PidsLimit", info.pidsLimit),
            flag("IPv4Forwarding", info.ipv4Forwarding), flag("Debug", info.debug), number("NFd", 0),
            flag("OomKillDisable", false), number("NGoroutines", 0), text("SystemTime", info.systemTime),
            text("LoggingDriver", LogOptions.Driver.usual.rawValue), text("CgroupDriver", info.cgroupDriver),
            text("CgroupVersion", info.cgroupVersion), number("NEventsListener", 0),
        ]
    }

    private static func machine(_ info: SystemInfo) -> [Field] {
        [
            text("KernelVersion", info.kernelVersion), text("OperatingSystem", info.operatingSystem),
            text("OSVersion", info.osVersion), text("OSType", "linux"), text("Architecture", info.architecture),
            text("IndexServerAddress", "https://index.docker.io/v1/"), Field("RegistryConfig", registries(info)),
            number("NCPU", info.cpus), Field("MemTotal", .int(info.memoryTotal)), Field("GenericResources", .null),
            text("DockerRootDir", info.dataRoot), text("HttpProxy", info.httpProxy),
            text("HttpsProxy", info.httpsProxy),
            text("NoProxy", info.noProxy), text("Name", info.name), Field("Labels", .list([])),
            flag("ExperimentalBuild", false), text("ServerVersion", info.serverVersion),
        ]
    }

    private static func registries(_ info: SystemInfo) -> TemplateValue {
        func index(_ name: String, mirrors: [String], secure: Bool, official: Bool) -> TemplateValue {
            .record([
                Field("Mirrors", .strings(mirrors)), text("Name", name), flag("Official", official),
                flag("Secure", secure),
            ])
        }
        var indexes = ["docker.io": index("docker.io", mirrors: info.registryMirrors, secure: true, official: true)]
        let isNetwork = { (name: String) in name.contains("/") }
        for host in info.insecureRegistries where !isNetwork(host) {
            indexes[host] = index(host, mirrors: [], secure: false, official: false)
        }
        return .record([
            Field("IndexConfigs", .map(indexes)),
            Field("InsecureRegistryCIDRs", .strings(info.insecureRegistries.filter(isNetwork))),
            Field("Mirrors", .strings(info.registryMirrors)),
        ])
    }

    private static func engine(_ info: SystemInfo) -> [Field] {
        let runtime = TemplateValue.map(info.runtimes.mapValues { .record([text("path", $0)]) })
        let swarm: [Field] = [
            text("NodeID", ""), text("NodeAddr", ""), text("LocalNodeState", "inactive"),
            flag("ControlAvailable", false), text("Error", ""), Field("RemoteManagers", .null),
        ]
        return [
            Field("Runtimes", runtime), text("DefaultRuntime", info.defaultRuntime), Field("Swarm", .record(swarm)),
            flag("LiveRestoreEnabled", true), text("Isolation", ""), text("InitBinary", "built in"),
            Field("SecurityOptions", .strings(info.securityOptions)),
            Field("Warnings", info.warnings.isEmpty ? .null : .strings(info.warnings.map(InfoText.warning))),
        ]
    }

    private static func client(_ info: SystemInfo, _ version: VersionInfo) -> [Field] {
        [
            Field(
                "ClientInfo",
                .record([
                    flag("Debug", info.debug), text("Version", version.version),
                    text("DefaultAPIVersion", version.apiVersion), text("GitCommit", version.gitCommit),
                    text("GoVersion", "swift\(version.swiftVersion)"), text("Os", version.os),
                    text("Arch", version.architecture), text("BuildTime", version.buildTime),
                    text("Context", "default"), Field("Plugins", .list([])), Field("Warnings", .null),
                ]))
        ]
    }
}
