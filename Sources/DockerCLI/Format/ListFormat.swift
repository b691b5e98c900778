/// `--format` of lists: `table`, `table TEMPLATE`, `json`, or a template that is applied to each row.
package struct ListFormat: Sendable {
    private let template: Template
    let isTable: Bool

    /// `standard` is the template of the plain table.
    package init(_ text: String, standard: String) throws(TemplateError) {
        var body = text
        isTable = text.isEmpty || text == "table" || text.hasPrefix("table ") || text.hasPrefix("table\\t")
        if text.isEmpty || text == "table" {
            body = standard
        } else if isTable {
            body = ListFormat.trimmed(String(text.dropFirst("table".count)))
        } else if text == "json" {
            body = "{{json .}}"
        }
        template = try Template(ListFormat.unescaped(body))
    }

    /// Whether the template has a field of this name.
    func mentions(_ field: String) -> Bool { template.fields.contains(field) }

    /// A shell hands `\t` on as it is, so docker turns it into what it stands for.
    private static func unescaped(_ text: String) -> String {
        var result = String.UnicodeScalarView()
        var rest = text.unicodeScalars[...]
        while let scalar = rest.popFirst() {
            if scalar == "\\", let next = rest.first, next == "t" || next == "n" {
                result.append(next == "t" ? "\t" : "\n")
                rest.removeFirst()
            } else {
                result.append(scalar)
            }
        }
        return String(result)
    }

    private static func trimmed(_ text: String) -> String {
        let blanks: Set<Unicode.Scalar> = [" ", "\t"]
        let front = text.unicodeScalars.drop { blanks.contains($0) }
        return String(front.reversed().drop { blanks.contains($0) }.reversed().map(Character.init))
    }

    /// For one value with lists in it. As docker: the text as it comes, without a line's end behind it, nor a table's columns.
    func render(_ value: TemplateValue) throws(TemplateError) -> String { try template.render(value) }

    package func render(header: TemplateValue, _ rows: [TemplateValue]) throws(TemplateError) -> String {
        var lines: [String] = []
        if isTable { lines.append(try template.render(header, mode: .header)) }
        for row in rows { lines.append(try template.render(row)) }
        return isTable ? Table.render(lines) : lines.map { $0 + "\n" }.joined()
    }
}
