/// `--help`, in docker's layout.
package enum HelpText {
    package static func command(
        _ info: CommandInfo, _ flags: [FlagInfo], path: String, program: String, _ columns: Int
    ) -> String {
        var text = "Usage:  \(info.usage("\(program) \(path)"))\n\n\(info.summary)\n"
        if info.aliases.count > 1 {
            text += "\nAliases:\n  " + info.aliases.map { "\(program) \($0)" }.joined(separator: ", ") + "\n"
        }
        let shown = flags.filter { !$0.hidden }
        let usable = shown.filter { $0.availability == .supported || isIgnored($0) }
        if !usable.isEmpty { text += "\nOptions:\n" + options(usable, columns) }
        let planned = shown.filter { $0.availability == .planned }.map { "--\($0.name)" }
        if !planned.isEmpty {
            text += "\nPlanned (known, and refused until then):\n" + paragraph(planned, columns)
        }
        return text
    }

    private static func isIgnored(_ flag: FlagInfo) -> Bool {
        if case .ignored = flag.availability { true } else { false }
    }

    /// One flag a line, names and texts aligned, texts wrapped at `columns` (pflag's layout).
    package static func options(_ flags: [FlagInfo], _ columns: Int) -> String {
        let heads = flags.map(head)
        let width = heads.map(\.utf8.count).max() ?? 0
        var text = ""
        for (flag, head) in zip(flags, heads) {
            let body = flag.usage + (flag.defaultText.map { " (default \($0))" } ?? "")
            let padding = String(repeating: " ", count: width - head.utf8.count + 3)
            text += head + padding + wrap(body, indent: width + 3, columns: columns - 1) + "\n"
        }
        return text
    }

    private static func head(_ flag: FlagInfo) -> String {
        let name = flag.short.map { "  -\($0), --\(flag.name)" } ?? "      --\(flag.name)"
        guard case .value(let type) = flag.kind else { return name }
        return "\(name) \(type)"
    }

    /// Breaks at blanks; a last word may stand over by five columns rather than alone, as pflag does.
    package static func wrap(_ text: String, indent: Int, columns: Int) -> String {
        var indent = indent
        var prefix = ""
        if columns - indent < 24 {
            indent = 16
            prefix = "\n" + String(repeating: " ", count: indent)
        }
        let room = columns - indent
        guard room >= 24 else { return text }
        let slop = 5
        var lines: [String] = []
        var rest = Substring(text)
        while rest.count > room {
            let limit = rest.index(rest.startIndex, offsetBy: room - slop)
            guard let blank = rest[..<limit].lastIndex(of: " "), blank > rest.startIndex else { break }
            lines.append(String(rest[..<blank]))
            rest = rest[rest.index(after: blank)...]
        }
        lines.append(String(rest))
        return prefix + lines.joined(separator: "\n" + String(repeating: " ", count: indent))
    }

    /// Words with commas, as many a line as there is room for.
    package static func paragraph(_ words: [String], _ columns: Int) -> String {
        var lines: [String] = []
        var line = " "
        for (index, word) in words.enumerated() {
            let piece = index == words.count - 1 ? word : word + ","
            if line.count + 1 + piece.count >= columns, line.count > 1 {
                lines.append(line)
                line = " "
            }
            line += " " + piece
        }
        return (lines + [line]).joined(separator: "\n") + "\n"
    }

    /// A two-column list of commands.
    package static func list(_ rows: [(name: String, summary: String)]) -> String {
        let width = max(11, (rows.map(\.name.count).max() ?? 0) + 1)
        return rows.map { row in
            "  \(row.name)\(String(repeating: " ", count: width - row.name.count)) \(row.summary)\n"
        }.joined()
    }
}
