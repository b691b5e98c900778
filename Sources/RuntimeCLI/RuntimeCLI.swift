internal import Glibc
internal import OCIRuntime
internal import Sys

/// The command line of an OCI runtime, as runc and crun have it, since callers pass exactly that.
package enum RuntimeCLI {
    /// The name under which the executable has this face.
    package static let programName = "runimg-oci"

    private static let globals: [Option] = [
        Option("root", value: "DIR", "directory of the containers' state"),
        Option("log", value: "FILE", "where errors are written, besides standard error"),
        Option("log-format", value: "text|json", "how they are written there"),
        Option("systemd-cgroup", "systemd keeps the cgroups: the same as --cgroup-manager systemd"),
        Option("cgroup-manager", value: "cgroupfs|systemd|disabled", "who keeps the cgroups"),
        Option("rootless", value: "true|false|auto", "accepted; what may be done is found out"),
        Option("debug", "accepted"),
        Option("version", short: "v", "print the version"),
    ]

    /// The whole program: reads the process's arguments and returns its exit code.
    package static func main() -> Int32 {
        signal(SIGPIPE, SIG_DFL)
        var log = RuntimeLog()
        guard let arguments = ProcessArguments.all else {
            log.error("an argument is not valid UTF-8")
            return 1
        }
        do throws(CommandFault) {
            let line = try ParsedLine(arguments, globals, stops: true)
            log = try RuntimeLog(line)
            return try dispatch(line, log)
        } catch {
            log.error(error.message)
            return 1
        }
    }

    private static func dispatch(_ line: ParsedLine, _ log: RuntimeLog) throws(CommandFault) -> Int32 {
        let output: @Sendable (String) -> Void = { text in try? File.write(STDOUT_FILENO, text) }
        if try line.isOn("version") {
            output("\(programName) version \(Version.number)\ncommit: \(Version.commit)\nspec: \(SpecVersion.newest)\n")
            return 0
        }
        guard let word = line.positionals.first, word != "help", !line.asksForHelp else {
            output(HelpText.program(globals))
            return 0
        }
        guard let command = Command.all.first(where: { $0.name == word }) else {
            throw .usage("unknown command: \(word)")
        }
        let parsed = try ParsedLine(line.positionals.dropFirst(), command.options, stops: command.stops)
        if parsed.asksForHelp {
            output(HelpText.command(command))
            return 0
        }
        guard command.count.contains(parsed.positionals.count) else {
            let given = parsed.positionals.count
            throw .usage("\(command.name) takes \(HelpText.arguments(command)), and \(given) are given")
        }
        let session = Session(runtime: try runtime(line, log), output: output)
        do throws(CommandFault) {
            return try command.run(parsed, session)
        } catch {
            log.error(error.message)
            return command.failureCode
        }
    }

    private static func runtime(_ line: ParsedLine, _ log: RuntimeLog) throws(CommandFault) -> ContainerRuntime {
        let standard = try line.isOn("systemd-cgroup") ? "systemd" : "cgroupfs"
        let asked = line["cgroup-manager"] ?? standard
        guard let driver = ContainerRuntime.CgroupDriver(rawValue: asked) else {
            throw .usage("--cgroup-manager \(asked): neither cgroupfs, systemd nor disabled")
        }
        if let text = line["rootless"], !["true", "false", "auto"].contains(text) {
            throw .usage("--rootless \(text): neither true, false nor auto")
        }
        return ContainerRuntime(root: line["root"].map(Path.absolute), driver: driver) { log.warning($0) }
    }
}
