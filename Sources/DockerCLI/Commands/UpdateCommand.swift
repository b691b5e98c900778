package import Engine

/// `update [OPTIONS] CONTAINER [CONTAINER...]`.
package enum UpdateCommand: Command {
    package typealias Draft = UpdateRequest

    package static let info = CommandInfo(
        path: "update", synopsis: "[OPTIONS] CONTAINER [CONTAINER...]",
        summary: "Update configuration of one or more containers", aliases: ["container update", "update"],
        arguments: .atLeast(1), operands: [.container(.any)])

    package static let flags = FlagTable<UpdateRequest>([
        { ResourceFlags.table(at: \UpdateRequest.resources) },
        {
            [
                .value(
                    "restart", takes: Restart.values,
                    "When to start the container again: no, on-failure[:N], always, unless-stopped"
                ) {
                    (draft, text) throws(ValueError) in
                    draft.restart = text.isEmpty ? nil : try Restart.parse(text)
                },
                .planned("blkio-weight-device", type: "list", "Weight of block I/O on a device").hidden(),
                .planned("device-read-bps", type: "list", "Bytes a second read from a device").hidden(),
                .planned("device-read-iops", type: "list", "Reads a second from a device").hidden(),
                .planned("device-write-bps", type: "list", "Bytes a second written to a device").hidden(),
                .planned("device-write-iops", type: "list", "Writes a second to a device").hidden(),
                .planned("cpu-rt-period", type: "int", "Period of the real-time quota in microseconds", neutral: "0"),
                .planned("cpu-rt-runtime", type: "int", "Real-time CPU time a period in microseconds", neutral: "0"),
            ]
        },
    ])

    package static func newDraft(_ context: CommandContext) -> UpdateRequest { UpdateRequest() }

    /// All are tried; the exit code tells whether one failed.
    package static func execute(
        _ draft: UpdateRequest, _ arguments: [String], _ context: CommandContext
    ) throws -> Int32 {
        var request = draft
        // docker's "not given": here no container may have had its limit by 0.
        if request.resources.pidsLimit == 0 { request.resources.pidsLimit = nil }
        guard request != UpdateRequest() else {
            throw CommandError.failed("you must provide one or more flags when using this command", code: 1)
        }
        let engine = try context.engine()
        var code: Int32 = 0
        for name in arguments {
            do {
                try engine.update(name, request)
                context.output.line(name)
            } catch {
                context.errors.line("\(context.program): \(error)")
                code = 1
            }
        }
        return code
    }
}
