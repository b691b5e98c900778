internal import Images
internal import OCI

/// The rows and the layout of `search`.
struct SearchTable {
    private let format: ListFormat
    private let truncate: Bool
    /// docker's JSON has words where its table has a mark or nothing.
    private let isJSON: Bool
    private static let descriptionLength = 45

    init(_ draft: SearchCommand.Draft) throws(TemplateError) {
        truncate = draft.truncate
        isJSON = draft.format == "json" || draft.format.contains("json .")
        format = try ListFormat(
            draft.format, standard: "{{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}")
    }

    func render(_ found: [FoundRepository]) throws(TemplateError) -> String {
        try format.render(header: Self.header, found.map(row))
    }

    private static let header = TemplateValue.record(
        [
            ("Description", "DESCRIPTION"), ("IsAutomated", "AUTOMATED"), ("IsOfficial", "OFFICIAL"), ("Name", "NAME"),
            ("StarCount", "STARS"),
        ].map { TemplateValue.Field($0.0, .string($0.1)) })

    private func row(_ found: FoundRepository) -> TemplateValue {
        func mark(_ on: Bool) -> String { isJSON ? "\(on)" : on ? "[OK]" : "" }
        let description = truncate ? found.description.ellipsized(Self.descriptionLength) : found.description
        return .row(
            [
                ("Description", description), ("IsAutomated", mark(found.isAutomated)),
                ("IsOfficial", mark(found.isOfficial)), ("Name", found.name), ("StarCount", "\(found.stars)"),
            ].map { TemplateValue.Field($0.0, .string($0.1)) })
    }
}
