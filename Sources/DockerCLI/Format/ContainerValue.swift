internal import Engine
internal import OCI

/// A container as docker's JSON (its API's ContainerJSON): keys in docker's order.
enum ContainerValue {
    typealias Field = TemplateValue.Field

    /// Go's zero time.
    static let never = "0001-01-01T00:00:00Z"

    static func make(_ details: ContainerDetails) -> TemplateValue {
        let record = details.record
        let files = details.files
        var fields = [
            text("Id", record.id), text("Created", GoTime.trimmed(record.created)), text("Path", record.path),
            Field("Args", .strings(record.args)), Field("State", state(details)),
            text("Image", record.request.rootDirectory == nil ? record.image.description : ""),
            text("ResolvConfPath", files.resolvConf),
            text("HostnamePath", files.hostname), text("HostsPath", files.hosts), text("LogPath", files.log),
            text("Name", "/" + record.name), number("RestartCount", Int64(record.state.restartCount)),
            text("Driver", details.driver.rawValue), text("Platform", "linux"), text("MountLabel", ""),
            text("ProcessLabel", ""), text("AppArmorProfile", ""), Field("ExecIDs", .nullList),
            Field("HostConfig", HostConfigValue.make(details)),
            Field("GraphDriver", graphDriver(details.layers, details.driver)),
        ]
        // podman's, which has it everywhere.
        if let root = record.request.rootDirectory { fields.append(text("Rootfs", root.path)) }
        if let size = details.size { fields += [number("SizeRw", size.own), number("SizeRootFs", size.whole)] }
        fields += [
            Field("Mounts", .list(zip(record.mounts, details.sources).compactMap(mount))),
            Field("Config", config(record)),
            Field("NetworkSettings", network(details)),
        ]
        return .record(fields)
    }

    static func text(_ name: String, _ value: String) -> Field { Field(name, .string(value)) }
    static func number(_ name: String, _ value: Int64) -> Field { Field(name, .int(value)) }
    static func flag(_ name: String, _ value: Bool) -> Field { Field(name, .bool(value)) }

    private static func state(_ details: ContainerDetails) -> TemplateValue {
        let state = details.record.state
        var pid: Int64 = 0
        var isRunning = details.condition == .restarting
        if case .running(let process, _) = details.condition {
            pid = Int64(process)
            isRunning = true
        }
        // A container that runs shows no end of the run before.
        let code = pid == 0 ? Int64(state.exitCode ?? 0) : 0
        return .record([
            text("Status", details.condition.name(isPaused: details.isPaused)), flag("Running", isRunning),
            flag("Paused", details.isPaused), flag("Restarting", details.condition == .restarting),
            flag("OOMKilled", state.oomKilled), flag("Dead", false), number("Pid", pid), number("ExitCode", code),
            text("Error", state.error ?? ""), text("StartedAt", state.startedAt.map(GoTime.trimmed) ?? never),
            text("FinishedAt", state.finishedAt.map(GoTime.trimmed) ?? never),
            Field("Health", details.health.map(health) ?? .null, omitsEmpty: true),
        ])
    }

    private static func health(_ health: ContainerHealth) -> TemplateValue {
        let log = health.log.map { result in
            TemplateValue.record([
                text("Start", GoTime.trimmed(result.start)), text("End", GoTime.trimmed(result.end)),
                number("ExitCode", Int64(result.exitCode)), text("Output", result.output),
            ])
        }
        return .record([
            text("Status", health.status.rawValue), number("FailingStreak", Int64(health.failingStreak)),
            Field("Log", .list(log)),
        ])
    }

    static func graphDriver(_ layers: LayerPaths?, _ driver: StorageDriver = .overlay2) -> TemplateValue {
        var data: [String: TemplateValue] = [:]
        if let layers {
            if !layers.lower.isEmpty { data["LowerDir"] = .string(layers.lower.joined(separator: ":")) }
            data["MergedDir"] = .string(layers.merged)
            data["UpperDir"] = .string(layers.upper)
            data["WorkDir"] = .string(layers.work)
        }
        return .record([Field("Data", layers == nil ? .nullMap : .map(data)), text("Name", driver.rawValue)])
    }

    /// nil for memory, which docker shows under HostConfig only.
    private static func mount(_ mount: MountRequest, _ source: String) -> TemplateValue? {
        let tail = [flag("RW", !mount.readOnly)]
        switch mount.kind {
        case .volume(let name):
            return .record(
                [
                    text("Type", "volume"), text("Name", name), text("Source", source),
                    text("Destination", mount.target), text("Driver", "local"),
                    text("Mode", mount.readOnly ? "ro" : "z"),
                ] + tail + [text("Propagation", "")])
        case .bind:
            return .record(
                [
                    text("Type", "bind"), Field("Name", .string(""), omitsEmpty: true), text("Source", source),
                    text("Destination", mount.target), Field("Driver", .string(""), omitsEmpty: true),
                    text("Mode", mount.readOnly ? "ro" : ""),
                ] + tail + [text("Propagation", mount.propagation ?? "rprivate")])
        case .anonymousVolume, .tmpfs: return nil
        }
    }

    private static func config(_ record: ContainerRecord) -> TemplateValue {
        let request = record.request
        let process = request.process
        let image = record.execution
        var values = ConfigValue()
        values.hostname = record.hostname
        values.domainname = process.domainname ?? ""
        values.user = process.user ?? image.user ?? ""
        let attach = request.attach ?? (request.detach ? [] : [.output, .error])
        values.attachInput = attach.contains(.input) || (request.interactive && !request.detach)
        values.attachOutput = attach.contains(.output)
        values.attachErrors = attach.contains(.error)
        values.exposedPorts = record.exposedPorts.map(\.description)
        values.terminal = request.terminal
        values.openInput = request.interactive
        values.inputOnce = request.interactive && !request.detach
        values.environment = merged(record.environment, image.env ?? [])
        values.command = request.command.isEmpty && process.entrypoint == nil ? image.cmd : request.command
        values.entrypoint = process.entrypoint ?? image.entrypoint
        values.image = record.imageName
        values.volumes = record.mounts.filter { if case .volume = $0.kind { true } else { false } }.map(\.target)
            .filter { image.volumes?[$0] != nil }
        values.workingDirectory = process.workingDirectory ?? image.workingDir ?? ""
        values.labels = record.labels
        values.stopSignal = process.stopSignal ?? image.stopSignal
        values.stopTimeout = request.lifecycle.stopTimeout
        values.healthcheck = record.healthcheck
        values.shell = image.shell
        return values.make(isContainer: true)
    }

    /// The user's entries first, then the image's that they don't replace, as docker keeps them.
    private static func merged(_ user: [String], _ image: [String]) -> [String] {
        let names = Set(user.map { $0.cut("=").0 })
        return user + image.filter { !names.contains($0.cut("=").0) }
    }

    private static func network(_ details: ContainerDetails) -> TemplateValue {
        .record(
            [
                text("Bridge", ""), text("SandboxID", ""), text("SandboxKey", ""),
                Field("Ports", PortValue.live(details.ports)),
                flag("HairpinMode", false), text("LinkLocalIPv6Address", ""), number("LinkLocalIPv6PrefixLen", 0),
                Field("SecondaryIPAddresses", .nullList), Field("SecondaryIPv6Addresses", .nullList),
            ] + NetworkSettingsValue.standard(details) + [
                Field("Networks", .map(NetworkSettingsValue.networks(details)))
            ])
    }
}

extension ContainerCondition {
    /// docker's word for it.
    func name(isPaused: Bool) -> String {
        switch self {
        case .created, .starting: "created"
        case .running: isPaused ? "paused" : "running"
        case .restarting: "restarting"
        case .ending, .exited: "exited"
        }
    }
}

/// Times as Go writes them.
enum GoTime {
    /// RFC3339Nano: no zeros at the end of the fraction.
    static func trimmed(_ text: String) -> String {
        guard text.hasSuffix("Z"), text.unicodeScalars.contains(".") else { return text }
        var digits = text.dropLast()
        while digits.hasSuffix("0") { digits.removeLast() }
        if digits.hasSuffix(".") { digits.removeLast() }
        return digits + "Z"
    }
}
