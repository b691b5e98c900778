/// What `--help` prints.
enum HelpText {
    static func program(_ globals: [Option]) -> String {
        let width = (Command.all.map(\.name.count).max() ?? 0) + 3
        let commands = Command.all.map { "  \(padded($0.name, width))\($0.summary)\n" }.joined()
        return """
            Usage: \(RuntimeCLI.programName) [OPTIONS] COMMAND [ARG...]

            An OCI runtime: makes and runs containers of bundles

            Options:
            \(list(globals))
            Commands:
            \(commands)
            """
    }

    static func command(_ command: Command) -> String {
        let options = command.options.isEmpty ? "" : "\nOptions:\n\(list(command.options))"
        return """
            Usage: \(RuntimeCLI.programName) \(command.name)\(command.options.isEmpty ? "" : " [OPTIONS]") \(command.arguments)

            \(command.summary)
            \(options)
            """
    }

    static func arguments(_ command: Command) -> String {
        command.arguments.isEmpty ? "no arguments" : command.arguments
    }

    private static func list(_ options: [Option]) -> String {
        let left = options.map { option in
            (option.short.map { "-\($0), " } ?? "    ") + "--\(option.name)" + (option.value.map { " \($0)" } ?? "")
        }
        let width = (left.map(\.count).max() ?? 0) + 3
        return zip(left, options).map { "  \(padded($0, width))\($1.summary)\n" }.joined()
    }

    private static func padded(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: max(1, width - text.count))
    }
}
