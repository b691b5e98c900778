import DockerCLI
import Testing

/// What scripts for shells and manual pages are made from must be in the table, and there only.
@Suite struct TableTests {
    private static var commands: [(entry: CommandTable.Entry, command: any Command.Type)] {
        CommandTable.entries.compactMap { entry in entry.command.map { (entry, $0) } }
    }

    @Test func aCommandThatWorksHasOneAndAnotherHasNone() {
        for entry in CommandTable.entries {
            #expect((entry.state == .ready) == (entry.command != nil), "\(entry.path)")
        }
        #expect(Self.commands.count > 40)
    }

    @Test func allSpellingsOfACommandAreItsOwn() {
        for (entry, command) in Self.commands {
            #expect(command.info.aliases.contains(entry.path), "\(entry.path)")
            #expect(!entry.summary.isEmpty && !entry.summary.hasSuffix("."), "\(entry.path)")
        }
    }

    /// Where this fails: `.value("name", takes: …)` with what the value may be, `.text` where nothing can be offered.
    @Test func everyFlagSaysWhatItTakes() {
        let tables = Self.commands.map { ($0.entry.path, $0.command.flagInfos) } + [("", GlobalFlags.flags.map(\.info))]
        for (path, flags) in tables {
            for flag in flags where flag.availability == .supported && flag.kind != .bool {
                #expect(flag.takes != nil, "\(path) --\(flag.name)")
            }
        }
    }

    /// Where this fails: `operands:` of the command's `info`.
    @Test func everyArgumentSaysWhatItIs() {
        for (entry, command) in Self.commands {
            #expect((command.info.arguments == .none) == command.info.operands.isEmpty, "\(entry.path)")
        }
    }
}
