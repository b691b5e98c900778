package import Engine
internal import Glibc
internal import Sys

extension CommandContext {
    /// The context of this process.
    package static func process(
        makeEngine: @escaping (GlobalOptions) throws -> any EngineVerbs
    ) -> CommandContext {
        var context = CommandContext(
            program: DockerCLI.programName, output: DescriptorOutput(1), errors: DescriptorOutput(2),
            environment: { Environment[$0] }, now: { Int64(time(nil)) },
            standardInputIsTerminal: Terminal.isTerminal(0), makeEngine: makeEngine)
        context.readLine = { Swift.readLine() }
        context.readSecret = { Terminal.readHidden(0) }
        context.readInput = { limit in
            (try? File.readAll(Int32(0), limit: limit)).flatMap { String(validating: $0, as: UTF8.self) }
        }
        return context
    }
}

extension DockerCLI {
    /// The whole program: reads the process's arguments and returns its exit code.
    package static func main(makeEngine: @escaping (GlobalOptions) throws -> any EngineVerbs) -> Int32 {
        // A reader that has seen enough (`runimg images | head -1`) ends this process quietly, even where a parent ignores
        // the signal. While a container runs the supervisor sees to it instead.
        signal(SIGPIPE, SIG_DFL)
        let context = CommandContext.process(makeEngine: makeEngine)
        guard let arguments = ProcessArguments.all else {
            // Texts are kept as UTF-8 all the way to the container: other bytes would arrive changed.
            context.errors.line("\(programName): an argument is not valid UTF-8")
            return 125
        }
        return main(arguments, context)
    }

    /// What the engine has to say besides what was asked.
    package static func warn(_ text: String) { DescriptorOutput(2).line("WARNING: \(text)") }
}
