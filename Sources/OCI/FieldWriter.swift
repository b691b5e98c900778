/// JSON of records, in the order of their lists of fields.
package struct FieldWriter: FieldCoder {
    package typealias Failure = Never

    package enum Layout: Sendable {
        /// One member a line, for people.
        case indented
        /// All on one line.
        case line
    }

    package private(set) var bytes: [UInt8] = []
    private let layout: Layout
    private var depth = 0
    /// Nothing stands yet in the object or list that was opened last.
    private var isFirst = true

    package init(_ layout: Layout) {
        self.layout = layout
        bytes.reserveCapacity(2048)
    }

    /// A record on one line.
    package static func line(_ record: some FieldRecord) -> [UInt8] {
        var writer = FieldWriter(.line)
        record.write(to: &writer)
        return writer.bytes
    }

    package func unsupported(_ key: String, _ reason: String) {}

    package mutating func field<Value: FieldValue>(_ key: String, _ value: inout Value, _ presence: FieldPresence) {
        if presence == .optional, value.saysNothing { return }
        self.key(key)
        value.write(to: &self)
    }

    package mutating func field<Value: FieldValue>(_ key: String, _ value: inout Value?) {
        guard let value else { return }
        self.key(key)
        value.write(to: &self)
    }

    package mutating func key(_ key: String) {
        item()
        string(key)
        literal(layout == .line ? ":" : ": ")
    }

    package mutating func object(_ members: (inout FieldWriter) -> Void) { container("{", "}", members) }

    package mutating func list<Element>(_ elements: [Element], _ write: (Element, inout FieldWriter) -> Void) {
        container("[", "]") { writer in
            for element in elements {
                writer.item()
                write(element, &writer)
            }
        }
    }

    package mutating func string(_ text: String) { JSONEditing.append(quoted: text, to: &bytes) }

    package mutating func literal(_ text: String) { bytes += text.utf8 }

    private mutating func container(_ open: String, _ close: String, _ body: (inout FieldWriter) -> Void) {
        literal(open)
        depth += 1
        isFirst = true
        body(&self)
        depth -= 1
        if !isFirst { lineBreak() }
        isFirst = false
        literal(close)
    }

    private mutating func item() {
        if !isFirst { literal(",") }
        isFirst = false
        lineBreak()
    }

    private mutating func lineBreak() {
        if layout == .line { return }
        bytes.append(UInt8(ascii: "\n"))
        bytes += repeatElement(UInt8(ascii: "\t"), count: depth)
    }
}
