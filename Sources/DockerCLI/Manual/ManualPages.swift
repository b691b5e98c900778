internal import Engine
internal import Glibc
internal import Sys

/// All pages of the manual, made from the tables of commands and flags.
enum ManualPages {
    static let name = "__man"

    /// `__man DIR`: writes the pages into a directory, which is made where it is missing.
    static func main(_ arguments: ArraySlice<String>, _ context: CommandContext) -> Int32 {
        guard let directory = arguments.first, arguments.count == 1 else {
            context.errors.line("usage: \(context.program) \(name) DIRECTORY")
            return 1
        }
        do {
            let version = try context.readingEngine().version()
            // So that the same sources can make the same pages.
            let epoch = context.environment("SOURCE_DATE_EPOCH").flatMap { Int64($0) }
            let time = version.buildTime.isEmpty ? Human.timestamp(epoch ?? context.now()) : version.buildTime
            try Directory.makePath(directory, mode: 0o755)
            for page in all(version: version.version, date: String(time.prefix(10))) {
                try write(page, into: directory)
            }
            return 0
        } catch {
            context.errors.line("\(context.program): \(error)")
            return 1
        }
    }

    private static func write(_ page: ManualPage, into directory: String) throws(SystemFailure) {
        do throws(Errno) {
            let file = try File.open("\(directory)/\(page.file)", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
            try File.write(file.raw, page.text)
            for alias in page.aliases {
                let path = "\(directory)/\(alias).\(ManualPage.section)"
                do throws(Errno) { try File.unlink(path) } catch { if error != .noEntry { throw error } }
                try File.symlink(page.file, path)
            }
        } catch {
            throw SystemFailure("write", "\(directory)/\(page.file)", error)
        }
    }

    static func all(version: String, date: String) -> [ManualPage] {
        var pages = [program(version, date)]
        for group in CommandTable.readyGroups { pages.append(self.group(group.name, group.summary, version, date)) }
        for entry in CommandTable.entries {
            guard let command = entry.command else { continue }
            pages.append(page(entry, command, version, date))
        }
        return pages
    }

    private static func pageName(_ path: String) -> String {
        "runimg-" + path.split(separator: " ").joined(separator: "-")
    }

    // MARK: A command

    private static func page(
        _ entry: CommandTable.Entry, _ command: any Command.Type, _ version: String, _ date: String
    ) -> ManualPage {
        let manual = CommandManual.table[entry.path] ?? CommandManual()
        var page = ManualPage(pageName(entry.path), entry.summary, version: version, date: date)
        page.synopsis("runimg \(entry.path)", command.info.synopsis)
        if !entry.aliases.isEmpty {
            page.paragraph("Also: " + entry.aliases.map { "runimg \($0)" }.joined(separator: ", "))
        }
        page.heading("DESCRIPTION")
        page.paragraph("\(entry.summary).", isFirst: true)
        for text in manual.description { page.paragraph(text) }
        options(of: command, &page)
        page.heading("EXIT STATUS")
        page.item(Roff.bold("0"), Roff.text("Everything was done."))
        for exit in manual.exits { page.item(Roff.bold(exit.code), Roff.text(exit.meaning)) }
        if manual.exits.isEmpty { commonExits(command.failureCode, &page) }
        if !manual.examples.isEmpty { page.examples(manual.examples) }
        let group = entry.path.split(separator: " ").first.map(String.init) ?? ""
        let siblings = CommandTable.readyGroups.contains { $0.name == group } ? [pageName(group)] : []
        page.seeAlso(["runimg"] + siblings + manual.related.map(pageName))
        page.aliases = entry.aliases.map(pageName)
        return page
    }

    private static func options(of command: any Command.Type, _ page: inout ManualPage) {
        let shown = command.flagInfos.filter { !$0.hidden }
        page.heading("OPTIONS")
        page.options(shown.filter(\.isUsable))
        page.item(Roff.bold("--help"), Roff.text("Show what the command can do, and end."))
        let planned = shown.filter { $0.availability == .planned }.map { "--\($0.name)" }
        if planned.isEmpty { return }
        page.paragraph("Known, and refused until they are built: \(planned.joined(separator: ", ")).")
    }

    private static func commonExits(_ failure: Int32, _ page: inout ManualPage) {
        if failure != 125 {
            page.item(
                Roff.bold("1"), Roff.text("Something failed. Where several things were named, the rest was done."))
        }
        page.item(
            Roff.bold("125"),
            Roff.text(failure == 125 ? "Something failed, or a flag is wrong." : "A flag is wrong."))
    }

    // MARK: A group

    private static func group(_ name: String, _ summary: String, _ version: String, _ date: String) -> ManualPage {
        var page = ManualPage(pageName(name), summary, version: version, date: date)
        page.synopsis("runimg \(name)", "COMMAND")
        page.heading("COMMANDS")
        for member in CommandTable.words(of: name) where member.entry.state == .ready {
            page.item(
                "\(Roff.bold(member.word))",
                Roff.text("\(member.entry.summary): ") + "\(Roff.bold(pageName(member.entry.path)))(1).")
        }
        page.seeAlso(["runimg"])
        return page
    }

    // MARK: The program

    private static func program(_ version: String, _ date: String) -> ManualPage {
        var page = ManualPage("runimg", DockerCLI.info.summary, version: version, date: date)
        page.synopsis("runimg", DockerCLI.info.synopsis)
        page.heading("DESCRIPTION")
        for (index, text) in CommandManual.program.enumerated() { page.paragraph(text, isFirst: index == 0) }
        page.heading("COMMANDS")
        for entry in CommandTable.entries where entry.state == .ready {
            page.item("\(Roff.bold(pageName(entry.path)))(1)", Roff.text("\(entry.summary)."))
        }
        page.heading("OPTIONS")
        page.paragraph("These stand before the command.", isFirst: true)
        page.options(GlobalFlags.flags.map(\.info).filter { !$0.hidden && $0.isUsable })
        for (title, rows) in [("ENVIRONMENT", CommandManual.variables), ("FILES", CommandManual.files)] {
            page.heading(title)
            for row in rows { page.item(Roff.bold(row.name), Roff.text(row.meaning)) }
        }
        page.heading("EXIT STATUS")
        page.item(Roff.bold("0"), Roff.text("Everything was done."))
        commonExits(1, &page)
        page.paragraph("What runs a command in a container ends with that command's own exit status.")
        page.seeAlso(
            CommandTable.entries.filter {
                $0.state == .ready && CommandManual.table[$0.path]?.examples.isEmpty == false
            }
            .map { pageName($0.path) })
        return page
    }
}

extension FlagInfo {
    /// Does what it says, or nothing that anybody would miss.
    var isUsable: Bool {
        if case .ignored = availability { return true }
        return availability == .supported
    }
}
