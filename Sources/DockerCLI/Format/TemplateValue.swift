/// What a template sees: JSON's values, and records whose fields are known.
package indirect enum TemplateValue: Sendable, Hashable {
    /// A pointer to nothing.
    case null
    /// What a map that lacks the key gives.
    case noValue
    /// A list or map that was never made: `null` in JSON, and empty for a template.
    case nullList, nullMap
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
    /// A field that wants an argument: `{{.Label "key"}}`.
    case method(TemplateMethod)

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

        /// One that JSON does not show.
        static func method(_ name: String, _ method: TemplateMethod) -> Field { Field(name, .method(method)) }

        var isShown: Bool {
            if case .method = value { return false }
            return !omitsEmpty || value.isTrue
        }
    }

    package static func strings(_ values: [String]) -> TemplateValue { .list(values.map { .string($0) }) }

    /// A field or a key; nil where a record has no such field.
    package func member(_ name: String) -> TemplateValue? {
        switch self {
        case .record(let fields), .row(let fields): fields.first { $0.name == name }?.value
        case .map(let entries): entries[name] ?? .noValue
        case .nullMap: .noValue
        default: nil
        }
    }

    /// Why docker's `inspect`, which goes through plain JSON where its types don't have a field, can't go on to it.
    func obstacle(to name: String, isLast: Bool) -> String? {
        let missing = "map has no entry for key \(GoValue.quoted(name))"
        switch self {
        case .record(let fields), .row(let fields):
            guard let field = fields.first(where: { $0.name == name }) else { return missing }
            return !isLast && !field.isShown && field.value == .null ? missing : nil
        case .map(let entries): return isLast || entries[name] != nil ? nil : missing
        case .nullMap: return isLast ? nil : missing
        default: return "can't evaluate field \(name) in type interface {}"
        }
    }

    /// Go's notion of true: neither zero nor empty.
    package var isTrue: Bool {
        switch self {
        case .null, .noValue, .nullList, .nullMap: false
        case .method: true
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
        case .null: "<nil>"
        case .noValue: "<no value>"
        case .nullList: "[]"
        case .nullMap: "map[]"
        case .method: "<method>"
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

    /// As Go's json.Indent prints it with four blanks.
    package var indentedJSON: String { indented("") }

    private func indented(_ margin: String) -> String {
        let inner = margin + "    "
        func block(_ open: String, _ lines: [String], _ close: String) -> String {
            if lines.isEmpty { return open + close }
            return open + "\n" + lines.map { inner + $0 }.joined(separator: ",\n") + "\n" + margin + close
        }
        func object(_ members: [(String, TemplateValue)]) -> String {
            let lines = members.map { TemplateValue.string($0.0).json + ": " + $0.1.indented(inner) }
            return block("{", lines, "}")
        }
        switch self {
        case .list(let values): return block("[", values.map { $0.indented(inner) }, "]")
        case .record(let fields), .row(let fields):
            return object(fields.filter(\.isShown).map { ($0.key, $0.value) })
        case .map(let entries): return object(entries.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        default: return json
        }
    }

    private func json(escaping: Bool) -> String {
        func quote(_ text: String) -> String { GoQuotation.json(html: escaping).quote(text) }
        func object(_ members: [(String, TemplateValue)]) -> String {
            "{" + members.map { quote($0.0) + ":" + $0.1.json(escaping: escaping) }.joined(separator: ",") + "}"
        }
        switch self {
        case .null, .noValue, .nullList, .nullMap, .method: return "null"
        case .bool(let value): return "\(value)"
        case .int(let value): return "\(value)"
        case .string(let value): return quote(value)
        case .list(let values): return "[" + values.map { $0.json(escaping: escaping) }.joined(separator: ",") + "]"
        case .record(let fields):
            return object(fields.filter(\.isShown).map { ($0.key, $0.value) })
        case .row(let fields): return TemplateValue.record(fields).json(escaping: true)
        case .map(let entries): return object(entries.sorted { $0.key < $1.key }.map { ($0.key, $0.value) })
        }
    }
}

/// What a field does with its argument.
package enum TemplateMethod: Sendable, Hashable {
    /// The value of a label; empty without it.
    case label([String: String])
    /// The header of such a column: the key's last part, as words.
    case labelHeader

    func call(_ argument: String) -> TemplateValue {
        switch self {
        case .label(let labels): return .string(labels[argument] ?? "")
        case .labelHeader:
            let word = argument.pieces(".").last ?? ""
            return .string(String(word.map { $0 == "-" || $0 == "_" ? " " : $0 }))
        }
    }
}
