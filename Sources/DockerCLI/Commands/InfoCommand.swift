internal import Engine

/// `info [OPTIONS]`.
package enum InfoCommand: Command {
    package struct Draft: Sendable { package var format = "" }

    package static let info = CommandInfo(
        path: "info", synopsis: "[OPTIONS]", summary: "Show what this installation is and can do",
        aliases: ["system info", "info"], arguments: .none)

    package static let flags: [Flag<Draft>] = [
        .value("format", short: "f", "Output as json or by a Go template") { $0.format = $1 }
    ]

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let engine = try context.engine()
        let info = try engine.info()
        guard !draft.format.isEmpty else {
            context.output.write(InfoText.render(info, debug: context.options.logLevel == .debug))
            for warning in info.warnings { context.errors.line("WARNING: \(warning)") }
            return 0
        }
        do {
            let format = try ListFormat(draft.format, standard: "")
            context.output.write(try format.render(header: .null, [InfoValue.make(info, engine.version())]))
            return 0
        } catch let error as TemplateError {
            throw CommandError.failed("template parsing error: \(error)", code: 1)
        }
    }
}

/// The lines of `info`.
enum InfoText {
    static func render(_ info: SystemInfo, debug: Bool) -> String {
        var lines = ["Client:", " Version:    \(info.serverVersion)", " Context:    default", " Debug Mode: \(debug)", ""]
        lines += ["Server:", " Containers: \(info.containers)", "  Running: \(info.containersRunning)"]
        lines += ["  Paused: \(info.containersPaused)", "  Stopped: \(info.containersStopped)"]
        lines += [" Images: \(info.images)", " Server Version: \(info.serverVersion)", " Storage Driver: \(info.driver)"]
        lines += info.driverStatus.map { pair in "  " + pair.joined(separator: ": ") }
        lines += [" Logging Driver: none", " Cgroup Driver: \(info.cgroupDriver)", " Cgroup Version: \(info.cgroupVersion)"]
        lines += [" Plugins:", "  Volume: local", "  Network: host none", "  Log: none", " Swarm: inactive"]
        lines += [" Runtimes: runimg", " Default Runtime: runimg", " Init Binary: built in", " Security Options:"]
        for option in info.securityOptions { lines += security(option) }
        lines += [" Kernel Version: \(info.kernelVersion)", " Operating System: \(info.operatingSystem)"]
        lines += [" OSType: linux", " Architecture: \(info.architecture)", " CPUs: \(info.cpus)"]
        lines += [" Total Memory: \(Human.binarySize(info.memoryTotal))", " Name: \(info.name)", " ID: \(info.id)"]
        lines += [" Docker Root Dir: \(info.dataRoot)", " Debug Mode: \(info.debug)"]
        for (name, value) in [("HTTP Proxy", info.httpProxy), ("HTTPS Proxy", info.httpsProxy), ("No Proxy", info.noProxy)]
        where !value.isEmpty {
            lines.append(" \(name): \(value)")
        }
        lines += [" Experimental: false", " Insecure Registries:"] + info.insecureRegistries.map { "  \($0)" }
        if !info.registryMirrors.isEmpty { lines += [" Registry Mirrors:"] + info.registryMirrors.map { "  \($0)" } }
        lines.append(" Live Restore Enabled: true")
        return lines.map { $0 + "\n" }.joined() + "\n"
    }

    /// `name=seccomp,profile=builtin` as docker's two lines.
    private static func security(_ option: String) -> [String] {
        option.pieces(",").map { part in
            let (key, value) = part.cut("=")
            if key == "name" { return "  \(value ?? "")" }
            return "   \(key.prefix(1).uppercased() + key.dropFirst()): \(value ?? "")"
        }
    }
}

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
            text("ID", info.id), number("Containers", info.containers), number("ContainersRunning", info.containersRunning),
            number("ContainersPaused", info.containersPaused), number("ContainersStopped", info.containersStopped),
            number("Images", info.images), text("Driver", info.driver),
            Field("DriverStatus", .list(info.driverStatus.map { .strings($0) })),
            Field(
                "Plugins",
                .record([
                    Field("Volume", .strings(["local"])), Field("Network", .strings(["host", "none"])),
                    Field("Authorization", .null), Field("Log", .strings(["none"])),
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
            text("LoggingDriver", "none"), text("CgroupDriver", info.cgroupDriver),
            text("CgroupVersion", info.cgroupVersion), number("NEventsListener", 0),
        ]
    }

    private static func machine(_ info: SystemInfo) -> [Field] {
        [
            text("KernelVersion", info.kernelVersion), text("OperatingSystem", info.operatingSystem),
            text("OSVersion", info.osVersion), text("OSType", "linux"), text("Architecture", info.architecture),
            text("IndexServerAddress", "https://index.docker.io/v1/"), Field("RegistryConfig", registries(info)),
            number("NCPU", info.cpus), Field("MemTotal", .int(info.memoryTotal)), Field("GenericResources", .null),
            text("DockerRootDir", info.dataRoot), text("HttpProxy", info.httpProxy), text("HttpsProxy", info.httpsProxy),
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
        let runtime = TemplateValue.map(["runimg": .record([text("path", "runimg")])])
        let swarm: [Field] = [
            text("NodeID", ""), text("NodeAddr", ""), text("LocalNodeState", "inactive"),
            flag("ControlAvailable", false), text("Error", ""), Field("RemoteManagers", .null),
        ]
        return [
            Field("Runtimes", runtime), text("DefaultRuntime", "runimg"), Field("Swarm", .record(swarm)),
            flag("LiveRestoreEnabled", true), text("Isolation", ""), text("InitBinary", "built in"),
            Field("SecurityOptions", .strings(info.securityOptions)),
            Field("Warnings", info.warnings.isEmpty ? .null : .strings(info.warnings.map { "WARNING: \($0)" })),
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
