internal import Engine
internal import OCI

/// The rows and the layout of `history`.
struct HistoryTable {
    private let draft: HistoryCommand.Draft
    private let now: Int64
    private let format: ListFormat
    private static let commandLength = 45

    init(_ draft: HistoryCommand.Draft, now: Int64) throws(TemplateError) {
        self.draft = draft
        self.now = now
        let time = draft.human ? "{{if .CreatedSince}}{{.CreatedSince}}{{else}}N/A{{end}}" : "{{.CreatedAt}}"
        let isTable = draft.format.isEmpty || draft.format == "table"
        format = try ListFormat(
            draft.quiet && isTable ? "{{.ID}}" : draft.format,
            standard: "{{.ID}}\t\(time)\t{{.CreatedBy}}\t{{.Size}}\t{{.Comment}}")
    }

    func render(_ steps: [ImageStep]) throws(TemplateError) -> String {
        try format.render(header: Self.header, steps.map(row))
    }

    private static let header = TemplateValue.record(
        [
            ("Comment", "COMMENT"), ("CreatedAt", "CREATED AT"), ("CreatedBy", "CREATED BY"),
            ("CreatedSince", "CREATED"), ("ID", "IMAGE"), ("Size", "SIZE"),
        ].map { TemplateValue.Field($0.0, .string($0.1)) })

    private func row(_ step: ImageStep) -> TemplateValue {
        let at = step.created.map(Human.localTime) ?? ""
        let since = step.created.map { "\(Human.duration(seconds: now - $0)) ago" } ?? ""
        let command = Self.oneLine(step.createdBy)
        // What was made on the way to an image is none itself.
        let id = step.id.map { draft.truncate ? $0.short : "\($0)" } ?? "<missing>"
        return .row(
            [
                ("Comment", Self.oneLine(step.comment)), ("CreatedAt", at),
                ("CreatedBy", draft.truncate ? command.ellipsized(Self.commandLength) : command),
                ("CreatedSince", draft.human ? since : at), ("ID", id),
                ("Size", draft.human ? Human.size(step.size, digits: 3) : "\(step.size)"),
            ].map { TemplateValue.Field($0.0, .string($0.1)) })
    }

    /// A stranger wrote it: nothing in it begins another cell or row, or is an order to a terminal.
    static func oneLine(_ text: String) -> String {
        guard text.hasControlCharacters else { return text }
        return text.unicodeScalars.map { scalar in
            if ["\t", "\n", "\r"].contains(scalar) { return " " }
            return "\(scalar)".hasControlCharacters ? ForeignText.name(of: scalar) : "\(scalar)"
        }.joined()
    }
}
