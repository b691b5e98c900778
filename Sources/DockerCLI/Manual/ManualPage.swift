/// One page of the manual: a file name and what is in the file, man(7).
struct ManualPage: Sendable {
    /// `runimg-run`, without the section.
    let name: String
    private(set) var text: String
    /// Other names to find it by.
    var aliases: [String] = []

    static let section = "1"

    /// `date` is `YYYY-MM-DD`.
    init(_ name: String, _ summary: String, version: String, date: String) {
        self.name = name
        text = ".TH \(Roff.argument(name.uppercased())) \(Self.section) \(date) "
        text += "\(Roff.argument("runimg \(version)")) \(Roff.argument("runimg manual"))\n"
        // No hyphens where words are for typing, and lines that end where they do.
        text += ".nh\n.ad l\n.SH NAME\n\(Roff.text(name)) \\- \(Roff.text(Self.uncapitalized(summary)))\n"
    }

    var file: String { "\(name).\(Self.section)" }

    private static func uncapitalized(_ summary: String) -> String {
        summary.prefix(1).lowercased() + summary.dropFirst()
    }

    mutating func heading(_ words: String) { text += ".SH \(Roff.argument(words))\n" }

    /// Each form of a command on a line of its own.
    mutating func synopsis(_ command: String, _ forms: String) {
        heading("SYNOPSIS")
        let lines = forms.split(separator: "\n", omittingEmptySubsequences: false).map { form in
            "\(Roff.bold(command))\(form.isEmpty ? "" : " " + Roff.synopsis(String(form)))"
        }
        text += lines.joined(separator: "\n.br\n") + "\n"
    }

    mutating func paragraph(_ words: String, isFirst: Bool = false) {
        text += (isFirst ? "" : ".PP\n") + Roff.text(words) + "\n"
    }

    /// A term and what it means; both are roff.
    mutating func item(_ term: String, _ body: String) { text += ".TP\n\(term)\n\(body)\n" }

    mutating func options(_ flags: [FlagInfo]) {
        for flag in flags {
            var term = flag.short.map { "\(Roff.bold("-\($0)")), " } ?? ""
            term += Roff.bold("--\(flag.name)")
            if case .value(let type) = flag.kind { term += " \(Roff.italic(type))" }
            var body = "\(flag.usage)."
            if let text = flag.defaultText { body += " The default is \(text)." }
            item(term, Roff.text(body))
        }
    }

    /// Command lines as they are typed, each below what it is for.
    mutating func examples(_ examples: [CommandManual.Example]) {
        heading("EXAMPLES")
        for (index, example) in examples.enumerated() {
            paragraph(example.purpose, isFirst: index == 0)
            text += ".PP\n.RS 4\n.nf\n"
            for line in example.lines.split(separator: "\n") { text += Roff.text(String(line)) + "\n" }
            text += ".fi\n.RE\n"
        }
    }

    mutating func seeAlso(_ names: [String]) {
        heading("SEE ALSO")
        text += names.map { "\(Roff.bold($0))(\(Self.section))" }.joined(separator: ",\n") + "\n"
    }
}
