/// JSON of the specification's values, one member a line, in the order of their lists of fields.
struct SpecWriter: SpecCoder {
    typealias Failure = Never

    private(set) var bytes: [UInt8] = []
    private var depth = 0
    /// Nothing stands yet in the object or list that was opened last.
    private var isFirst = true

    func unsupported(_ key: String, _ reason: String) {}

    mutating func field<Value: SpecValue>(_ key: String, _ value: inout Value, _ presence: SpecPresence) {
        if presence == .optional, value.saysNothing { return }
        self.key(key)
        value.write(to: &self)
    }

    mutating func key(_ key: String) {
        item()
        string(key)
        literal(": ")
    }

    mutating func object(_ members: (inout SpecWriter) -> Void) { container("{", "}", members) }

    mutating func list<Element>(_ elements: [Element], _ write: (Element, inout SpecWriter) -> Void) {
        container("[", "]") { writer in
            for element in elements {
                writer.item()
                write(element, &writer)
            }
        }
    }

    mutating func string(_ text: String) { bytes += JSONEditing.quoted(text) }

    mutating func literal(_ text: String) { bytes += text.utf8 }

    private mutating func container(_ open: String, _ close: String, _ body: (inout SpecWriter) -> Void) {
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
        bytes.append(UInt8(ascii: "\n"))
        bytes += repeatElement(UInt8(ascii: "\t"), count: depth)
    }
}
