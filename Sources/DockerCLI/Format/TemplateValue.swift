/// What a template sees: JSON's values, and records whose fields are known.
package indirect enum TemplateValue: Sendable, Hashable {
    case null
    case bool(Bool)
    case int(Int64)
    case string(String)
    case list([TemplateValue])
    /// Fields in their order; a name that is none of them is an error, as with a Go struct.
    case record([Field])
    /// A record that is a line of a list: docker's lists escape `<`, `>` and `&` in its JSON, and only there.
    case row([Field])
    /// Any keys; a missing one is no value, as with a Go map.
    case map([String: TemplateValue])

    package struct Field: Sendable, Hashable {
        package let name: String
        package let value: TemplateValue
        /// Fields whose zero value Go leaves out of JSON.
        package let omitsEmpty: Bool
        /// The key in JSON, where that is another one.
        package let key: String

        package init(_ name: String, _ value: TemplateValue, omitsEmpty: Bool = false, key: String? = nil) {
            self.name = name
            self.value = value
            self.omitsEmpty = omitsEmpty
            self.key = key ?? name
        }
    }

    package static func strings(_ values: [String]) -> TemplateValue { .list(values.map { .string($0) }) }

    /// A field or a key; nil where a record has no such field.
    package func member(_ name: String) -> TemplateValue? {
        switch self {
        case .record(let fields), .row(let fields): fields.first { $0.name == name }?.value
        case .map(let entries): entries[name] ?? .null
        default: nil
        }
    }

    /// Go's notion of true: neither zero nor empty.
    package var isTrue: Bool {
        switch self {
        case .null: false
        case .bool(let value): value
        case .int(let value): value != 0
        case .string(let value): !value.isEmpty
        case .list(let values): !values.isEmpty
        case .record, .row: true
        case .map(let entries): !entries.isEmpty
        }
    }

    /// As Go's `%v` prints it.
    package var text: String {
        switch self {
        case .null: "<no value>"
        case .bool(let value): "\(value)"
        case .int(let value): "\(value)"
        case .string(let value): value
        case .list(let values): "[" + values.map(\.text).joined(separator: " ") + "]"
        case .record(let fields), .row(let fields): "{" + fields.map(\.value.text).joined(separator: " ") + "}"
        case .map(let entries):
            "map[" + entries.sorted { $0.key < $1.key }.map { "\($0.key):\($0.value.text)" }.joined(separator: " ")
                + "]"
        }
    }

    /// As Go's encoding/json prints it: compact, keys of maps sorted.
    package var json: String { json(escaping: false) }

    private func json(escaping: Bool) -> String {
        func quote(_ text: String) -> String { GoQuotation.json(html: escaping).quote(text) }
        func object(_ members: [(String, TemplateValue)]) -> String {
            "{" + members.map { quote($0.0) + ":" + $0.1.json(escaping: escaping) }.joined(separator: ",") + "}"
        }
        switch self {
        case .null: return "null"
        case .bool(let value): return "\(value)"
        case .int(let value): return "\(value)"
        case .string(let value): return quote(value)
        case .list(let values): return "[" + values.map { $0.json(escaping: escaping) }.joined(separator: ",") + "]"
        case .record(let fields):
            return object(fields.filter { !$0.omitsEmpty || $0.value.isTrue }.map { ($0.key, $0.value) })
        case .row(let fields): return TemplateValue.record(fields).json(escaping: true)
        case .map(let entries): return object(entries.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        }
    }
}
