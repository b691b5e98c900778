/// A value of a TOML document (toml.io, 1.0), with the line where it stands. Numbers are integers: the files that we read
/// have no others.
struct TOMLValue: Sendable, Hashable {
    enum Kind: Sendable, Hashable {
        case string(String)
        case integer(Int64)
        case boolean(Bool)
        case array([TOMLValue])
        case table(TOMLTable)
    }

    var kind: Kind
    var line: Int

    var string: String? { if case .string(let text) = kind { text } else { nil } }
    var boolean: Bool? { if case .boolean(let value) = kind { value } else { nil } }
    var array: [TOMLValue]? { if case .array(let values) = kind { values } else { nil } }
    var table: TOMLTable? { if case .table(let table) = kind { table } else { nil } }
}

/// Keys and values in the order in which they stand.
struct TOMLTable: Sendable, Hashable {
    var entries: [(key: String, value: TOMLValue)] = []
    /// Whether a header of its own began it: a second one is an error.
    var isDefined = false
    /// Written as one value: nothing can be added to it.
    var isClosed = false

    subscript(key: String) -> TOMLValue? { entries.first { $0.key == key }?.value }

    static func == (left: TOMLTable, right: TOMLTable) -> Bool {
        left.entries.elementsEqual(right.entries) { $0.key == $1.key && $0.value == $1.value }
    }

    func hash(into hasher: inout Hasher) { for entry in entries { hasher.combine(entry.key) } }
}

/// What is wrong with a document, and where.
struct TOMLFault: Error, Hashable, CustomStringConvertible {
    var line: Int
    var column: Int
    var reason: String

    var description: String { "line \(line), column \(column): \(reason)" }
}
