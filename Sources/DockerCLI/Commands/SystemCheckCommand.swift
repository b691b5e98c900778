internal import Engine

/// `system check [OPTIONS]`.
package enum SystemCheckCommand: Command {
    package struct Draft: Sendable {
        var registry = RegistryFlags()
        package var quiet = false
        package var repairs = false
    }

    package static let info = CommandInfo(
        path: "system check", synopsis: "[OPTIONS]",
        summary: "Hold all images' records and files against what they were made of", aliases: ["system check"],
        arguments: .none)

    package static let flags = FlagTable<Draft>(
        [
            .bool("quiet", short: "q", "Print what is wrong only") { $0.quiet = $1 },
            .bool("repair", short: "r", "Make what is damaged anew, and remove what belongs to nobody") {
                $0.repairs = $1
            },
        ] + RegistryFlags.flags(\Draft.registry))

    package static func newDraft(_ context: CommandContext) throws(ValueError) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        let asked = try draft.registry.request("")
        let check = try context.engine().checkStore(repairs: draft.repairs, asked) { context.output.line($0) }
        if !draft.quiet {
            var line = "Checked \(count(check.images, "image")) with \(count(check.layers, "layer")): "
            line += check.faults.isEmpty ? "no damage" : count(check.faults.count, "fault")
            if check.repaired > 0 { line += ", \(check.repaired) repaired" }
            context.output.line(line)
        }
        if check.faults.count > check.repaired, !draft.repairs, !draft.quiet {
            context.errors.line("'system check --repair' mends what can be mended")
        }
        return check.faults.count == check.repaired ? 0 : 1
    }

    private static func count(_ number: Int, _ what: String) -> String { "\(number) \(what)\(number == 1 ? "" : "s")" }
}
