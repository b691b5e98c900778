extension JSONValue {
    /// JSON on one line, members in the order of their names.
    package var text: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let text): text
        case .string(let text): String(decoding: JSONEditing.quoted(text), as: UTF8.self)
        case .array(let values): "[" + values.map(\.text).joined(separator: ",") + "]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map { "\(JSONValue.string($0.key).text):\($0.value.text)" }
                .joined(separator: ",") + "}"
        }
    }

    /// The same for people: one member a line.
    package var indentedText: String { JSONIndentation.indented(Array(text.utf8), by: "  ") }

    package static func number(_ value: some FixedWidthInteger) -> JSONValue { .number("\(value)") }

    /// An object of the members that are there.
    package static func members(_ members: [String: JSONValue?]) -> JSONValue {
        .object(members.compactMapValues { $0 })
    }
}
