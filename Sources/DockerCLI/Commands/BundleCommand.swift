internal import Engine

/// `bundle [OPTIONS] IMAGE DIRECTORY [COMMAND] [ARG...]`.
package enum BundleCommand: Command {
    package static let info = CommandInfo(
        path: "bundle", synopsis: "[OPTIONS] IMAGE DIRECTORY [COMMAND] [ARG...]",
        summary: "Make an OCI bundle of an image, for runc, crun and the like", aliases: ["image bundle", "bundle"],
        arguments: .atLeast(2), operands: [.image, .directory, .text])

    /// Those of `run` that the configuration alone can carry out.
    package static var flags: FlagTable<RunDraft> {
        FlagTable(
            RunFlags.some(
                RegistryFlags.names.union([
                    "tty", "env", "env-file", "entrypoint", "workdir", "user", "group-add", "ulimit", "hostname",
                    "domainname", "pull", "platform", "quiet", "tmpfs", "read-only", "shm-size",
                    "device", "network", "memory", "memory-reservation", "memory-swap", "cpus", "cpu-period",
                    "cpu-quota",
                    "cpu-shares", "cpuset-cpus", "cpuset-mems", "pids-limit", "privileged", "cap-add", "cap-drop",
                    "cap-profile", "security-opt", "sysctl", "pid", "ipc", "uts",
                ])))
    }

    package static var interspersed: Bool { false }

    package static func newDraft(_ context: CommandContext) throws(ValueError) -> RunDraft {
        try RunCommand.newDraft(context)
    }

    package static func execute(_ draft: RunDraft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let command = Array(arguments.dropFirst(2))
        let (request, warnings) = try RunCommand.request(draft, [arguments[0]] + command)
        for warning in warnings { context.errors.line("WARNING: \(warning)") }
        let screen = PullScreen(context.errors, quiet: request.quiet, context)
        defer { screen.finish() }
        try context.engine().bundle(request, into: arguments[1]) { screen.show($0) }
        return 0
    }
}
