/// A way through the fields of a record. One list of fields serves both directions, so that what is written is what is
/// read: `FieldReader` fills the values in, `FieldWriter` takes them out. `Codable` would do the same: but the first use of
/// each type of keys in a process goes through all conformances of the program, and a warm `run` has thirty of them.
package protocol FieldCoder {
    associatedtype Failure: Error

    mutating func field<Value: FieldValue>(
        _ key: String, _ value: inout Value, _ presence: FieldPresence
    ) throws(Failure)

    /// A member that need not be there; nil is not written.
    mutating func field<Value: FieldValue>(_ key: String, _ value: inout Value?) throws(Failure)

    /// A member that says what is not supported: an error unless it is absent or empty.
    mutating func unsupported(_ key: String, _ reason: String) throws(Failure)
}

package enum FieldPresence {
    /// May be missing; not written when it says nothing.
    case optional
    /// May be missing; always written.
    case written
    /// An error when it is missing; always written.
    case required
}

extension FieldCoder {
    package mutating func field<Value: FieldValue>(_ key: String, _ value: inout Value) throws(Failure) {
        try field(key, &value, .optional)
    }

    /// Text of which an empty one says nothing, as Go's own writers leave it out.
    mutating func text(_ key: String, _ value: inout String?) throws(Failure) {
        if value?.isEmpty == true { value = nil }
        try field(key, &value)
        if value?.isEmpty == true { value = nil }
    }
}

/// What stands behind a key.
package protocol FieldValue {
    /// - Throws: with a path that is relative to this value.
    init(_ node: JSONValue) throws(FieldFault)

    func write(to writer: inout FieldWriter)

    /// Means the same as if it were not there.
    var saysNothing: Bool { get }
}

/// An object of known members. Unknown ones are passed over (config.md#extensibility).
package protocol FieldRecord: FieldValue, Hashable {
    /// What the members are before anything is read.
    static var blank: Self { get }

    mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure)
}

extension FieldRecord {
    package init(_ node: JSONValue) throws(FieldFault) {
        guard case .object(let members) = node else { throw FieldFault("\(node.shown) is not an object") }
        self = Self.blank
        var reader = FieldReader(members: members)
        try fields(&reader)
    }

    /// Reads a text of ours.
    package init(reading bytes: [UInt8]) throws(FieldFault) {
        try self.init(try JSONValue(record: bytes))
    }

    package func write(to writer: inout FieldWriter) {
        var copy = self
        writer.object { (writer: inout FieldWriter) in copy.fields(&writer) }
    }

    package var saysNothing: Bool { self == Self.blank }
}

/// Members of one object.
struct FieldReader: FieldCoder {
    typealias Failure = FieldFault

    let members: [String: JSONValue]

    func field<Value: FieldValue>(
        _ key: String, _ value: inout Value, _ presence: FieldPresence
    ) throws(FieldFault) {
        guard let node = members[key], !node.isNull else {
            if presence == .required { throw FieldFault(key, "is missing") }
            return
        }
        do throws(FieldFault) { value = try Value(node) } catch { throw error.inside(key) }
    }

    func field<Value: FieldValue>(_ key: String, _ value: inout Value?) throws(FieldFault) {
        guard let node = members[key], !node.isNull else { return }
        do throws(FieldFault) { value = try Value(node) } catch { throw error.inside(key) }
    }

    func unsupported(_ key: String, _ reason: String) throws(FieldFault) {
        switch members[key] {
        case nil, .null, .object([:]), .array([]): return
        default: throw FieldFault(key, reason)
        }
    }
}

extension JSONValue {
    /// A text of which fields are read.
    package init(record bytes: [UInt8]) throws(FieldFault) {
        do throws(JSONFault) { try self.init(parsing: bytes) } catch { throw FieldFault("\(error)") }
    }

    var isNull: Bool { if case .null = self { true } else { false } }

    /// For a message: what is there instead of what should be.
    var shown: String {
        switch self {
        case .null: "null"
        case .bool(let value): "\(value)"
        case .number(let text): text
        case .string(let text): "\"\(ForeignText(text, limit: 80))\""
        case .array: "a list"
        case .object: "an object"
        }
    }
}

extension Array: FieldValue where Element: FieldValue {
    package init(_ node: JSONValue) throws(FieldFault) {
        guard case .array(let nodes) = node else { throw FieldFault("\(node.shown) is not a list") }
        self = []
        reserveCapacity(nodes.count)
        for (index, node) in nodes.enumerated() {
            do throws(FieldFault) { append(try Element(node)) } catch { throw error.inside(index) }
        }
    }

    package func write(to writer: inout FieldWriter) {
        writer.list(self) { (element, writer) in element.write(to: &writer) }
    }

    package var saysNothing: Bool { isEmpty }
}

extension Dictionary: FieldValue where Key == String, Value: FieldValue {
    package init(_ node: JSONValue) throws(FieldFault) {
        guard case .object(let members) = node else { throw FieldFault("\(node.shown) is not an object") }
        self = Dictionary(minimumCapacity: members.count)
        for (key, node) in members {
            do throws(FieldFault) { self[key] = try Value(node) } catch { throw error.inside(key) }
        }
    }

    package func write(to writer: inout FieldWriter) {
        writer.object { writer in
            for (key, value) in sorted(by: { $0.key < $1.key }) {
                writer.key(key)
                value.write(to: &writer)
            }
        }
    }

    package var saysNothing: Bool { isEmpty }
}

extension String: FieldValue {
    package init(_ node: JSONValue) throws(FieldFault) {
        guard case .string(let text) = node else { throw FieldFault("\(node.shown) is not a string") }
        self = text
    }

    package func write(to writer: inout FieldWriter) { writer.string(self) }

    package var saysNothing: Bool { isEmpty }
}

extension Bool: FieldValue {
    package init(_ node: JSONValue) throws(FieldFault) {
        guard case .bool(let value) = node else { throw FieldFault("\(node.shown) is neither true nor false") }
        self = value
    }

    package func write(to writer: inout FieldWriter) { writer.literal(self ? "true" : "false") }

    package var saysNothing: Bool { !self }
}

extension FieldValue where Self: FixedWidthInteger {
    package init(_ node: JSONValue) throws(FieldFault) {
        guard case .number(let text) = node else { throw FieldFault("\(node.shown) is not a whole number") }
        if let value = Self(text) {
            self = value
            return
        }
        // `1e6` and `5.0` are whole, too; above 2^53 a float no longer tells which number was meant.
        guard let value = Double(text), value.rounded() == value else {
            throw FieldFault("\(text) is not a whole number")
        }
        guard value.magnitude <= 0x1p53, let value = Self(exactly: value) else {
            throw FieldFault("\(text) is not between \(Self.min) and \(Self.max)")
        }
        self = value
    }

    package func write(to writer: inout FieldWriter) { writer.literal(String(self)) }

    package var saysNothing: Bool { self == 0 }
}

extension Int: FieldValue {}
extension UInt8: FieldValue {}
extension Int32: FieldValue {}
extension Int64: FieldValue {}
extension UInt16: FieldValue {}
extension UInt32: FieldValue {}
extension UInt64: FieldValue {}

/// One of several words.
extension FieldValue where Self: RawRepresentable, RawValue == String {
    package init(_ node: JSONValue) throws(FieldFault) {
        guard let value = Self(rawValue: try String(node)) else {
            throw FieldFault("\(node.shown) is not known here")
        }
        self = value
    }

    package func write(to writer: inout FieldWriter) { writer.string(rawValue) }

    package var saysNothing: Bool { false }
}
