package import Engine

/// A command as help and messages know it.
package struct CommandInfo: Sendable {
    /// `image ls`, without the program's name.
    package let path: String
    /// `[OPTIONS] IMAGE [COMMAND] [ARG...]`; a line for each form that the command has.
    package let synopsis: String
    package let summary: String
    /// All spellings, this one too.
    package let aliases: [String]
    package let arguments: ArgumentCount
    /// What its arguments are, by position; the last holds for all behind it.
    package var operands: [ValueKind] = []

    /// All its forms, each behind the command's whole `name`.
    func usage(_ name: String) -> String {
        synopsis.split(separator: "\n").map { "\(name) \($0)" }.joined(separator: "\n\t")
    }

    package enum ArgumentCount: Sendable, Hashable {
        case none
        case atLeast(Int)
        case atMost(Int)
        case exactly(Int)
        case between(Int, Int)
    }
}

/// All that a command touches besides its arguments.
package struct CommandContext {
    package let program: String
    package let output: any TextOutput
    package let errors: any TextOutput
    package let environment: (String) -> String?
    /// Seconds since 1970.
    package let now: () -> Int64
    package let standardInputIsTerminal: Bool
    package var options = GlobalOptions()
    /// A line of standard input without its end; nil at the end of input.
    package var readLine: () -> String? = { nil }
    /// The same from a terminal that does not show it.
    package var readSecret: () -> String? = { nil }
    /// All of standard input; nil where it has more bytes than that, or is not UTF-8.
    package var readInput: (_ limit: Int) -> String? = { _ in nil }
    /// Nothing of the engine is made before a command needs it.
    package let makeEngine: (GlobalOptions) throws -> any EngineVerbs

    package init(
        program: String, output: any TextOutput, errors: any TextOutput, environment: @escaping (String) -> String?,
        now: @escaping () -> Int64, standardInputIsTerminal: Bool,
        makeEngine: @escaping (GlobalOptions) throws -> any EngineVerbs
    ) {
        self.program = program
        self.output = output
        self.errors = errors
        self.environment = environment
        self.now = now
        self.standardInputIsTerminal = standardInputIsTerminal
        self.makeEngine = makeEngine
    }

    package func engine() throws -> any EngineVerbs { try makeEngine(options) }

    /// For what needs no file of a container's or an image's, or only looks at those that are there.
    package func readingEngine() throws -> any EngineVerbs {
        var options = options
        options.readsOnly = true
        return try makeEngine(options)
    }
}

/// Why a command ends without having done its work.
package enum CommandError: Error {
    /// A flag is wrong: the message, the usage line, exit 125.
    case usage(String)
    /// Too many or too few arguments: exit 1.
    case arguments(String)
    /// One message and an exit code.
    case failed(String, code: Int32)
    /// Everything has been said.
    case exit(Int32)

    static func planned(_ subject: String) -> CommandError {
        .failed("\(subject): not supported yet (planned)", code: 125)
    }
}

/// One command: its flags read into `Draft`, then executed.
package protocol Command: SendableMetatype {
    associatedtype Draft: Sendable
    static var info: CommandInfo { get }
    static var flags: FlagTable<Draft> { get }
    static var interspersed: Bool { get }
    /// The exit code of plain failures: 125 for those that start containers, 1 otherwise.
    static var failureCode: Int32 { get }
    static func newDraft(_ context: CommandContext) throws(ValueError) -> Draft
    static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32
}

extension Command {
    package static var interspersed: Bool { true }
    package static var failureCode: Int32 { 1 }

    /// Its flags as data, by name.
    package static var flagInfos: [FlagInfo] { flags.all.map(\.info) }

    /// Parses, executes, and says what went wrong. `path` is how the user spelled the command.
    package static func main(_ arguments: ArraySlice<String>, path: String, _ context: CommandContext) -> Int32 {
        do {
            return try perform(arguments, path: path, context)
        } catch {
            return Failure.report(commandError(error), info, path: path, trailer: failureCode == 125, context)
        }
    }

    private static func commandError(_ error: any Error) -> CommandError {
        switch error {
        case let error as CommandError: error
        case let error as ValueError: Failure.plain(error, failureCode)
        // Of a list's format.
        case let error as TemplateError: .failed(error.listDescription, code: failureCode)
        default: .failed("\(error)", code: (error as? any ExitCodeError)?.exitCode ?? failureCode)
        }
    }

    private static func perform(
        _ arguments: ArraySlice<String>, path: String, _ context: CommandContext
    ) throws -> Int32 {
        let parser = FlagParser(flags, interspersed: interspersed)
        var draft: Draft
        let outcome: FlagParser<Draft>.Outcome
        do throws(ValueError) { draft = try newDraft(context) } catch { throw Failure.plain(error, failureCode) }
        do throws(ParseError) {
            outcome = try parser.parse(arguments, into: &draft)
        } catch {
            if error.showsUsage { throw CommandError.usage(Suggestion.added(to: error, flagInfos)) }
            throw CommandError.failed("\(error)", code: error.isPlanned ? 125 : failureCode)
        }
        for warning in outcome.warnings { context.errors.line(warning) }
        if outcome.help {
            context.output.write(
                HelpText.command(info, flagInfos, path: path, program: context.program, context.output.columns))
            return 0
        }
        try Failure.checkCount(outcome.positionals, info, "\(context.program) \(path)")
        return try execute(draft, outcome.positionals, context)
    }
}

extension ParseError {
    var isPlanned: Bool {
        if case .value(_, _, .planned) = self { true } else { false }
    }
}

/// How failures look.
enum Failure {
    static func plain(_ error: ValueError, _ code: Int32) -> CommandError {
        switch error {
        case .invalid(let text), .plain(let text): .failed(text, code: code)
        case .planned(let subject): .planned(subject)
        }
    }

    private static func plural(_ count: Int) -> String { count == 1 ? "1 argument" : "\(count) arguments" }

    static func checkCount(_ arguments: [String], atLeast count: Int, _ name: String) throws(CommandError) {
        if arguments.count < count { throw .arguments("'\(name)' requires at least \(plural(count))") }
    }

    static func checkCount(_ arguments: [String], _ info: CommandInfo, _ name: String) throws(CommandError) {
        switch info.arguments {
        case .none where !arguments.isEmpty: throw .arguments("'\(name)' accepts no arguments")
        case .atLeast(let count) where arguments.count < count:
            throw .arguments("'\(name)' requires at least \(plural(count))")
        case .atMost(let count) where arguments.count > count:
            throw .arguments("'\(name)' requires at most \(plural(count))")
        case .between(let least, let most) where !(least...most).contains(arguments.count):
            throw .arguments(
                "'\(name)' requires at least \(least) and at most \(plural(most))")
        case .exactly(let count) where arguments.count != count:
            throw .arguments("'\(name)' requires \(plural(count))")
        default: return
        }
    }

    /// Prints as docker does and returns the exit code.
    static func report(
        _ error: CommandError, _ info: CommandInfo, path: String, trailer: Bool, _ context: CommandContext
    ) -> Int32 {
        let name = path.isEmpty ? context.program : "\(context.program) \(path)"
        let usage = "Usage:  \(info.usage(name))\n\n"
        let hint = "Run '\(name) --help' for more information"
        switch error {
        case .usage(let message):
            context.errors.line("\(message)\n\n\(usage)\(hint)")
            return 125
        case .arguments(let message):
            context.errors.line("\(context.program): \(message)\n\n\(usage)\(hint)")
            return 1
        case .failed(let message, let code):
            context.errors.line("\(context.program): \(message)" + (trailer ? "\n\n\(hint)" : ""))
            return code
        case .exit(let code): return code
        }
    }
}
