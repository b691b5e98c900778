package import OCI

/// JSON documents that tests write down as Swift literals.
extension JSONValue: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral, ExpressibleByBooleanLiteral,
    ExpressibleByArrayLiteral, ExpressibleByDictionaryLiteral, ExpressibleByStringInterpolation
{
    package init(stringLiteral value: String) { self = .string(value) }
    package init(integerLiteral value: Int64) { self = .number(String(value)) }
    package init(booleanLiteral value: Bool) { self = .bool(value) }
    package init(arrayLiteral elements: JSONValue...) { self = .array(elements) }
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements) { $1 })
    }

    package init(_ strings: [String]) { self = .array(strings.map { .string($0) }) }
    package init(_ number: some BinaryInteger) { self = .number(String(number)) }

    /// The document, keys in order, on one line.
    package var written: String {
        switch self {
        case .null: "null"
        case .bool(let value): value ? "true" : "false"
        case .number(let text): text
        case .string(let text): JSONValue.quoted(text)
        case .array(let values): "[" + values.map(\.written).joined(separator: ",") + "]"
        case .object(let members):
            "{"
                + members.sorted { $0.key < $1.key }.map { JSONValue.quoted($0.key) + ":" + $0.value.written }
                .joined(separator: ",") + "}"
        }
    }

    /// The value at a path of keys with dots between them; missing objects are made, and nil takes the member away.
    package subscript(path path: String) -> JSONValue? {
        get { path.split(separator: ".").reduce(self) { $0?[String($1)] } }
        set {
            let keys = path.split(separator: ".").map(String.init)
            self = JSONValue.replaced(self, keys[...], newValue)
        }
    }

    private static func replaced(_ value: JSONValue?, _ keys: ArraySlice<String>, _ new: JSONValue?) -> JSONValue {
        guard let key = keys.first else { return new ?? .null }
        var members = value?.object ?? [:]
        members[key] = keys.count == 1 ? new : replaced(members[key], keys.dropFirst(), new)
        return .object(members)
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result += "\\" + String(scalar)
            case _ where scalar.value < 0x20:
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
