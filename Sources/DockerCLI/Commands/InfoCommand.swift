internal import Engine

/// `info [OPTIONS]`.
package enum InfoCommand: Command {
    package struct Draft: Sendable { package var format = "" }

    package static let info = CommandInfo(
        path: "info", synopsis: "[OPTIONS]", summary: "Show what this installation is and can do",
        aliases: ["system info", "info"], arguments: .none)

    package static let flags = FlagTable<Draft>([
        .value("format", short: "f", takes: .objectFormat, "Output as json or by a Go template") { $0.format = $1 }
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let engine = try context.engine()
        let info = try engine.info()
        guard !draft.format.isEmpty else {
            context.output.write(InfoText.render(info, debug: context.options.logLevel == .debug))
            for warning in info.warnings { context.errors.line(InfoText.warning(warning)) }
            return 0
        }
        do throws(TemplateError) {
            let format = try ListFormat(draft.format, standard: "")
            context.output.write(try format.render(header: .null, [InfoValue.make(info, engine.version())]))
            return 0
        } catch {
            throw CommandError.failed("template parsing error: \(error)", code: 1)
        }
    }
}

/// The lines of `info`.
enum InfoText {
    static func render(_ info: SystemInfo, debug: Bool) -> String {
        var lines = [
            "Client:", " Version:    \(info.serverVersion)", " Context:    default", " Debug Mode: \(debug)", "",
        ]
        lines += ["Server:", " Containers: \(info.containers)", "  Running: \(info.containersRunning)"]
        lines += ["  Paused: \(info.containersPaused)", "  Stopped: \(info.containersStopped)"]
        lines += [
            " Images: \(info.images)", " Server Version: \(info.serverVersion)", " Storage Driver: \(info.driver)",
        ]
        lines += info.driverStatus.map { pair in "  " + pair.joined(separator: ": ") }
        lines += [
            " Logging Driver: \(LogOptions.Driver.usual.rawValue)", " Cgroup Driver: \(info.cgroupDriver)",
            " Cgroup Version: \(info.cgroupVersion)",
        ]
        let logs = LogOptions.Driver.allCases.map(\.rawValue).joined(separator: " ")
        let networks = info.networks.joined(separator: " ")
        lines += [" Plugins:", "  Volume: local", "  Network: \(networks)", "  Log: \(logs)", " Swarm: inactive"]
        let runtimes = info.runtimes.keys.sorted().joined(separator: " ")
        lines += [" Runtimes: \(runtimes)", " Default Runtime: \(info.defaultRuntime)"]
        lines += [" Init Binary: built in", " Security Options:"]
        for option in info.securityOptions { lines += security(option) }
        if !info.rootless.isEmpty { lines.append("   \(info.rootless)") }
        lines += [" Kernel Version: \(info.kernelVersion)", " Operating System: \(info.operatingSystem)"]
        lines += [" OSType: linux", " Architecture: \(info.architecture)", " CPUs: \(info.cpus)"]
        lines += [" Total Memory: \(Human.binarySize(info.memoryTotal))", " Name: \(info.name)"]
        if !info.id.isEmpty { lines.append(" ID: \(info.id)") }
        lines += [" Docker Root Dir: \(info.dataRoot)", " Debug Mode: \(info.debug)"]
        for (name, value) in [
            ("HTTP Proxy", info.httpProxy), ("HTTPS Proxy", info.httpsProxy), ("No Proxy", info.noProxy),
        ]
        where !value.isEmpty {
            lines.append(" \(name): \(value)")
        }
        lines += [" Experimental: false", " Insecure Registries:"] + info.insecureRegistries.map { "  \($0)" }
        if !info.registryMirrors.isEmpty { lines += [" Registry Mirrors:"] + info.registryMirrors.map { "  \($0)" } }
        lines.append(" Live Restore Enabled: true")
        return lines.map { $0 + "\n" }.joined() + "\n"
    }

    static func warning(_ text: String) -> String { text.hasPrefix("WARNING: ") ? text : "WARNING: " + text }

    /// `name=seccomp,profile=builtin` as docker's two lines.
    private static func security(_ option: String) -> [String] {
        option.pieces(",").map { part in
            let (key, value) = part.cut("=")
            if key == "name" { return "  \(value ?? "")" }
            return "   \(key.prefix(1).uppercased() + key.dropFirst()): \(value ?? "")"
        }
    }
}
