internal import Engine
internal import OCI

/// The command line: global flags, then a command, in docker's grammar.
package enum DockerCLI {
    package static let programName = "runimg"

    package static let info = CommandInfo(
        path: "", synopsis: "[OPTIONS] COMMAND [ARG...]", summary: "Containers without a daemon", aliases: [],
        arguments: .none)

    /// Runs the command of `arguments` (without the program's name) and returns the exit code.
    package static func main(_ arguments: [String], _ context: CommandContext) -> Int32 {
        do throws(CommandError) {
            return try dispatch(arguments, context)
        } catch {
            return Failure.report(error, info, path: "", trailer: true, context)
        }
    }

    private static func dispatch(_ arguments: [String], _ context: CommandContext) throws(CommandError) -> Int32 {
        var draft = GlobalFlags.Draft()
        let outcome: FlagParser<GlobalFlags.Draft>.Outcome
        do throws(ParseError) {
            outcome = try FlagParser(FlagTable(GlobalFlags.flags), interspersed: false).parse(arguments, into: &draft)
        } catch {
            if error.showsUsage { throw .usage("\(error)") }
            throw .failed("\(error)", code: error.isPlanned ? 125 : 1)
        }
        for warning in outcome.warnings { context.errors.line(warning) }
        var context = context
        context.options = draft.options
        if draft.version { return try version(context) }
        guard let word = outcome.positionals.first, !outcome.help else {
            context.output.write(TopHelp.text(context.program, context.output.columns))
            return 0
        }
        warnAboutDaemon(context)
        if word == "help" { return try help(Array(outcome.positionals.dropFirst()), context) }
        return try command(outcome.positionals, context)
    }

    private static func version(_ context: CommandContext) throws(CommandError) -> Int32 {
        let version: VersionInfo
        do { version = try context.engine().version() } catch { throw .failed("\(error)", code: 1) }
        let build = version.gitCommit.isEmpty ? "" : ", build \(version.gitCommit)"
        context.output.line("Runimg version \(version.version)\(build)")
        return 0
    }

    /// A variable that points docker at another machine has no effect here, which could surprise.
    private static func warnAboutDaemon(_ context: CommandContext) {
        guard let host = context.environment("DOCKER_HOST"), !host.isEmpty else { return }
        let remote = ["tcp://", "ssh://", "http://", "https://"].contains { host.hasPrefix($0) }
        guard remote else { return }
        context.errors.line("WARNING: DOCKER_HOST is not used: containers run on this machine")
    }

    private static func help(_ topic: [String], _ context: CommandContext) throws(CommandError) -> Int32 {
        guard !topic.isEmpty else {
            context.output.write(TopHelp.text(context.program, context.output.columns))
            return 0
        }
        let isGroup = topic.count == 1 && !CommandTable.members(of: topic[0]).isEmpty
        guard isGroup || CommandTable.find(topic.joined(separator: " ")) != nil else {
            context.errors.line("unknown help topic: \(Names.printable(topic.joined(separator: " ")))")
            throw .exit(1)
        }
        return try command(topic + ["--help"], context)
    }

    private static func command(_ words: [String], _ context: CommandContext) throws(CommandError) -> Int32 {
        let first = words[0]
        // A group takes a second word; a word of its own may share the group's name (`builder`).
        let isGroup = !CommandTable.members(of: first).isEmpty
        let path = isGroup && words.count > 1 && !words[1].hasPrefix("-") ? "\(first) \(words[1])" : first
        if let entry = CommandTable.find(path) {
            return try run(entry, path, words.dropFirst(path == first ? 1 : 2), context)
        }
        if isGroup, path == first { return try group(first, words.dropFirst(), context) }
        if let command = MonitorCommands.find(first) { return command(words.dropFirst(), first, context) }
        throw unknown(path, in: isGroup ? first : nil, context)
    }

    private static func run(
        _ entry: CommandTable.Entry, _ path: String, _ arguments: ArraySlice<String>, _ context: CommandContext
    ) throws(CommandError) -> Int32 {
        switch entry.state {
        case .planned: throw .planned("command \(path)")
        case .refused(let reason): throw .failed("command \(path) is not supported: \(reason)", code: 1)
        case .ready: break
        }
        if let command = ContainerCommands.find(entry.path) { return command(arguments, path, context) }
        return switch entry.path {
        case "run": RunCommand.main(arguments, path: path, context)
        case "pull": PullCommand.main(arguments, path: path, context)
        case "images": ImagesCommand.main(arguments, path: path, context)
        case "rmi": RemoveImagesCommand.main(arguments, path: path, context)
        case "events": EventsCommand.main(arguments, path: path, context)
        case "version": VersionCommand.main(arguments, path: path, context)
        case "info": InfoCommand.main(arguments, path: path, context)
        default: throw .planned("command \(path)")
        }
    }

    private static func group(
        _ name: String, _ arguments: ArraySlice<String>, _ context: CommandContext
    ) throws(CommandError) -> Int32 {
        if let argument = arguments.first, argument != "--help", argument != "-h" {
            throw .usage("unknown flag: \(Names.printable(argument))")
        }
        context.output.write(TopHelp.group(name, context.program))
        return 0
    }

    private static func unknown(_ path: String, in group: String?, _ context: CommandContext) -> CommandError {
        var message = "unknown command: \(context.program) \(Names.printable(path))"
        let candidates: [String]
        if let group {
            candidates = CommandTable.words(of: group).map(\.word)
        } else {
            candidates = CommandTable.words()
        }
        let word = String(path.split(separator: " ").last ?? "")
        let near = NearestNames.of(word, in: candidates)
        if !near.isEmpty { message += "\n\nDid you mean this?\n" + near.map { "\t\($0)" }.joined(separator: "\n") }
        return .failed(message, code: 1)
    }
}

/// Help without a command, and of a group.
enum TopHelp {
    static func text(_ program: String, _ columns: Int) -> String {
        let short = CommandTable.entries.filter { !$0.path.contains(" ") }
        func rows(_ state: CommandTable.Entry.State) -> [(name: String, summary: String)] {
            short.filter { $0.state == state }.map { ($0.path, $0.summary) }
        }
        let planned = rows(.planned).map(\.name).sorted()
        let groups = CommandTable.groups.filter { group in
            CommandTable.members(of: group.name).contains { $0.entry.state == .ready }
        }
        return "Usage:  \(program) \(DockerCLI.info.synopsis)\n\n\(DockerCLI.info.summary)\n"
            + "\nCommands:\n" + HelpText.list(rows(.ready) + [("help", "Show help of a command")])
            + "\nManagement Commands:\n" + HelpText.list(groups)
            + "\nPlanned (known, and refused until then):\n" + HelpText.paragraph(planned, columns)
            + "\nGlobal Options:\n"
            + HelpText.options(
                GlobalFlags.flags.map(\.info).filter { !$0.hidden && $0.availability == .supported }, columns)
            + "\nRun '\(program) COMMAND --help' for more information on a command.\n"
    }

    static func group(_ name: String, _ program: String) -> String {
        let summary = CommandTable.groups.first { $0.name == name }?.summary ?? ""
        let rows = CommandTable.words(of: name).map { member in
            let text = member.entry.state == .ready ? member.entry.summary : "\(member.entry.summary) (planned)"
            return (name: member.word, summary: text)
        }
        return "Usage:  \(program) \(name) COMMAND\n\n\(summary)\n\nCommands:\n"
            + HelpText.list(rows.sorted { $0.name < $1.name })
            + "\nRun '\(program) \(name) COMMAND --help' for more information on a command.\n"
    }
}
