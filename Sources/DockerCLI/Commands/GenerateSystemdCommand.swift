internal import Engine
internal import Sys

/// `generate systemd [OPTIONS] CONTAINER`, as podman has it.
package enum GenerateSystemdCommand: Command {
    package struct Draft: Sendable {
        package var unit = SystemdUnit()
        var usesName = false
        var writesFiles = false
        var boot = false
        var prefix = "container"
        var separator = "-"
    }

    package static let info = CommandInfo(
        path: "generate systemd", synopsis: "[OPTIONS] CONTAINER\n[OPTIONS] --boot",
        summary: "Write a systemd unit that runs a container", aliases: ["generate systemd"], arguments: .atMost(1),
        operands: [.container(.any)])

    package static let flags = FlagTable<Draft>([
        .value("after", type: "list", takes: .text, "Unit to be started after") { (draft, text) throws(ValueError) in
            draft.unit.after.append(try unitName(text))
        },
        .bool("boot", "The unit that starts what is to run after a boot, of all containers") { $0.boot = $1 },
        .value("container-prefix", takes: .text, "What the unit's name begins with", default: "\"container\"") {
            (draft, text) throws(ValueError) in
            draft.prefix = try namePart(text)
        },
        .value("env", short: "e", type: "list", takes: .text, "Variable of the unit: NAME=VALUE") {
            (draft, text) throws(ValueError) in
            let entry = try Names.environment(try Names.clean(text, flag: "--env"))
            guard let value = entry.value else { throw .invalid("want NAME=VALUE") }
            draft.unit.environment.append("\(entry.name)=\(value)")
        },
        .bool("files", short: "f", "Write a file into the working directory, and print its path") {
            $0.writesFiles = $1
        },
        .bool("name", short: "n", "Use the container's name, not its ID") { $0.usesName = $1 },
        .planned("new", type: "bool", "Make a new container at each start"),
        .bool("no-header", "Leave the comment at the top out") { $0.unit.hasHeader = !$1 },
        .value("requires", type: "list", takes: .text, "Unit that is required") { (draft, text) throws(ValueError) in
            draft.unit.requires.append(try unitName(text))
        },
        .value(
            "restart-policy", takes: .words(SystemdUnit.restartWords), "When systemd starts it again",
            default: "\"on-failure\""
        ) { (draft, text) throws(ValueError) in
            guard SystemdUnit.restartWords.contains(text) else {
                throw .invalid("must be one of \(SystemdUnit.restartWords.joined(separator: ", "))")
            }
            draft.unit.restart = text
        },
        .value("restart-sec", type: "int", "Seconds before it is started again") { (draft, text) throws(ValueError) in
            draft.unit.restartSeconds = try seconds(text)
        },
        .value("separator", takes: .text, "What stands behind the beginning of the unit's name", default: "\"-\"") {
            (draft, text) throws(ValueError) in
            draft.separator = try namePart(text)
        },
        .value("start-timeout", type: "int", "Seconds until systemd gives a start up") {
            (draft, text) throws(ValueError) in
            draft.unit.startTimeout = try seconds(text)
        },
        .value("stop-timeout", type: "int", "Seconds until a stop becomes a kill", stopTimeout),
        Flag.value("time", short: "t", type: "int", "Seconds until a stop becomes a kill", stopTimeout).hidden(),
        .value("wants", type: "list", takes: .text, "Unit that is wanted") { (draft, text) throws(ValueError) in
            draft.unit.wants.append(try unitName(text))
        },
    ])

    private static let stopTimeout: Flag<Draft>.Setter = { (draft, text) throws(ValueError) in
        draft.unit.stopTimeout = try seconds(text)
    }

    private static func seconds(_ text: String) throws(ValueError) -> Int64 {
        let value = try GoValue.int64(text)
        guard (0...1_000_000_000).contains(value) else { throw .invalid("must be a number of seconds") }
        return value
    }

    private static func namePart(_ text: String) throws(ValueError) -> String {
        guard SystemdUnit.isNamePart(text) else { throw .invalid("has characters that a unit's name can't have") }
        return text
    }

    private static func unitName(_ text: String) throws(ValueError) -> String {
        guard !text.isEmpty, SystemdUnit.isNamePart(text) else { throw .invalid("is no unit's name") }
        return text
    }

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        guard draft.boot == arguments.isEmpty else {
            throw CommandError.arguments("'\(context.program) generate systemd' requires a container, or --boot")
        }
        let engine = try context.engine()
        var unit = draft.unit
        unit.version = engine.version().version
        unit.dataRoot = engine.dataRoot
        unit.program = try program(context)
        let text: String
        let name: String
        if let argument = arguments.first {
            let container = try engine.container(named: argument)
            let label = draft.usesName ? container.name : container.id
            name = (draft.prefix.isEmpty ? "" : draft.prefix + draft.separator) + label + ".service"
            let policy = container.request.lifecycle.restart.kind
            if policy != .no {
                context.errors.line(
                    "WARNING: \(container.name) has the restart policy \(policy.rawValue): both it and systemd would start "
                        + "the container again; runimg update --restart no \(container.name)")
            }
            unit.stopTimeout = unit.stopTimeout ?? container.request.lifecycle.stopTimeout.map { Int64($0) }
            text = unit.service(name, container: label, called: container.name)
        } else {
            name = SystemdUnit.bootName
            text = unit.boot()
        }
        guard draft.writesFiles else {
            context.output.write(text)
            return 0
        }
        context.output.line(try write(text, name))
        return 0
    }

    private static func write(_ text: String, _ name: String) throws -> String {
        do {
            let path = "\(try File.readLink("/proc/self/cwd"))/\(name)"
            try File.replace(path, with: Array(text.utf8), mode: 0o644)
            return path
        } catch {
            throw CommandError.failed("cannot write \(name): \(error)", code: 125)
        }
    }

    /// How a unit starts this program, with the flags that this command was given.
    private static func program(_ context: CommandContext) throws -> [String] {
        do throws(Errno) {
            let line = [try File.readLink("/proc/self/exe")]
            guard let file = context.options.configFile else { return line }
            let directory = file.hasPrefix("/") ? "" : try File.readLink("/proc/self/cwd") + "/"
            return line + ["--config-file", directory + file]
        } catch {
            throw CommandError.failed("find the program's own file: \(error)", code: 125)
        }
    }
}
