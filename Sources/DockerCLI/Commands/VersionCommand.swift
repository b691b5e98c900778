internal import Engine

/// `version [OPTIONS]`.
package enum VersionCommand: Command {
    package struct Draft: Sendable { package var format = "" }

    package static let info = CommandInfo(
        path: "version", synopsis: "[OPTIONS]", summary: "Show versions", aliases: ["version"], arguments: .none)

    package static let flags = FlagTable<Draft>([
        .value("format", short: "f", takes: .objectFormat, "Output as json or by a Go template") { $0.format = $1 },
        // Of docker 20.10.
        .refused("kubeconfig", type: "string", "Kubernetes config file", reason: "docker has dropped it").hidden(),
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let version = try context.readingEngine().version()
        guard !draft.format.isEmpty else {
            context.output.write(text(version))
            return 0
        }
        do throws(TemplateError) {
            let format = try ListFormat(draft.format, standard: "")
            context.output.write(try format.render(header: .null, [value(version)]))
            return 0
        } catch {
            // docker's exit code for a template that does not parse here.
            throw CommandError.failed("template parsing error: \(error)", code: 64)
        }
    }

    /// The client and the engine are one program.
    private static func text(_ version: VersionInfo) -> String {
        func rows(_ indent: String, api: String) -> String {
            let rows = [
                ("Version", version.version), ("API version", api), ("Swift version", version.swiftVersion),
                ("Git commit", version.gitCommit), ("Built", version.buildTime),
                ("OS/Arch", "\(version.os)/\(version.architecture)"),
            ]
            return rows.filter { !$0.1.isEmpty }.map { row(indent, $0.0, $0.1) }.joined()
        }
        return "Client:\n" + rows(" ", api: version.apiVersion) + row(" ", "Context", "default")
            + "\nServer: runimg (no daemon: the same program)\n Engine:\n"
            + rows("  ", api: "\(version.apiVersion) (minimum version \(minimumAPI))")
            + row("  ", "Experimental", "false")
    }

    private static func row(_ indent: String, _ name: String, _ value: String) -> String {
        let blanks = String(repeating: " ", count: max(1, 20 - indent.count - name.count - 1))
        return "\(indent)\(name):\(blanks)\(value)\n"
    }

    private static let minimumAPI = "1.24"

    /// docker's keys; the one for Go's version names what this is compiled with.
    private static func value(_ version: VersionInfo) -> TemplateValue {
        func field(_ name: String, _ text: String) -> TemplateValue.Field { .init(name, .string(text)) }
        let build = [
            field("GitCommit", version.gitCommit), field("GoVersion", "swift\(version.swiftVersion)"),
            field("Os", version.os), field("Arch", version.architecture),
        ]
        let client: [TemplateValue.Field] =
            [
                field("Version", version.version), field("ApiVersion", version.apiVersion),
                field("DefaultAPIVersion", version.apiVersion),
            ] + build + [field("BuildTime", version.buildTime), field("Context", "default")]
        let details = TemplateValue.map([
            "ApiVersion": .string(version.apiVersion), "Arch": .string(version.architecture),
            "BuildTime": .string(version.buildTime), "Experimental": .string("false"),
            "GitCommit": .string(version.gitCommit), "GoVersion": .string("swift\(version.swiftVersion)"),
            "KernelVersion": .string(version.kernelVersion), "MinAPIVersion": .string(minimumAPI),
            "Os": .string(version.os),
        ])
        let engine = TemplateValue.record([
            field("Name", "Engine"), field("Version", version.version), .init("Details", details),
        ])
        let server: [TemplateValue.Field] =
            [
                .init("Platform", .record([field("Name", "runimg")])), .init("Components", .list([engine])),
                field("Version", version.version), field("ApiVersion", version.apiVersion),
                field("MinAPIVersion", minimumAPI),
            ] + build + [field("KernelVersion", version.kernelVersion), field("BuildTime", version.buildTime)]
        return .record([.init("Client", .record(client)), .init("Server", .record(server))])
    }
}
