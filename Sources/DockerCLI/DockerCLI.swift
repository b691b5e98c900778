internal import Engine

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
            outcome = try FlagParser(GlobalFlags.table, interspersed: false).parse(arguments[...], into: &draft)
        } catch {
            if error.showsUsage { throw .usage(Suggestion.added(to: error, GlobalFlags.flags.map(\.info))) }
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
        if word != Completion.name { warnAboutDaemon(context) }
        if word == "help" { return try help(Array(outcome.positionals.dropFirst()), context) }
        return try command(outcome.positionals, context)
    }

    private static func version(_ context: CommandContext) throws(CommandError) -> Int32 {
        let version: VersionInfo
        do { version = try context.readingEngine().version() } catch { throw .failed("\(error)", code: 1) }
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
            let message = "unknown help topic: \(Names.printable(topic.joined(separator: " ")))"
            context.errors.line(Suggestion.added(to: message, commands: topic))
            throw .exit(1)
        }
        return try command(topic + ["--help"], context)
    }

    private static func command(_ words: [String], _ context: CommandContext) throws(CommandError) -> Int32 {
        let first = words[0]
        // A group takes a second word; a word of its own may share the group's name (`builder`).
        let isGroup = CommandTable.isGroup(first)
        let path = isGroup && words.count > 1 && !words[1].hasPrefix("-") ? "\(first) \(words[1])" : first
        if let entry = CommandTable.find(path) {
            return try run(entry, path, words.dropFirst(path == first ? 1 : 2), context)
        }
        if isGroup, path == first { return try group(first, words.dropFirst(), context) }
        if let command = HiddenCommands.find(first) { return command(words.dropFirst(), first, context) }
        throw unknown(path, context)
    }

    private static func run(
        _ entry: CommandTable.Entry, _ path: String, _ arguments: ArraySlice<String>, _ context: CommandContext
    ) throws(CommandError) -> Int32 {
        switch entry.state {
        case .planned: throw .planned("command \(path)")
        case .refused(let reason): throw .failed("command \(path) is not supported: \(reason)", code: 1)
        case .ready: break
        }
        guard let command = entry.command else { throw .planned("command \(path)") }
        return command.main(arguments, path: path, context)
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

    private static func unknown(_ path: String, _ context: CommandContext) -> CommandError {
        let message = "unknown command: \(context.program) \(Names.printable(path))"
        return .failed(Suggestion.added(to: message, commands: path.split(separator: " ").map(String.init)), code: 1)
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
        return "Usage:  \(program) \(DockerCLI.info.synopsis)\n\n\(DockerCLI.info.summary)\n"
            + "\nCommands:\n" + HelpText.list(rows(.ready) + [("help", "Show help of a command")])
            + "\nManagement Commands:\n" + HelpText.list(CommandTable.readyGroups)
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
