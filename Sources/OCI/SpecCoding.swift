/// A way through the fields of a record. One list of fields serves both directions, so that what is written is what is
/// read: `SpecReader` fills the values in, `SpecWriter` takes them out.
protocol SpecCoder {
    associatedtype Failure: Error

    mutating func field<Value: SpecValue>(
        _ key: String, _ value: inout Value, _ presence: SpecPresence
    ) throws(Failure)

    /// A member that says what is not supported: an error unless it is absent or empty.
    mutating func unsupported(_ key: String, _ reason: String) throws(Failure)
}

enum SpecPresence {
    /// May be missing; not written when it says nothing.
    case optional
    /// May be missing; always written.
    case written
    /// An error when it is missing; always written.
    case required
}

extension SpecCoder {
    mutating func field<Value: SpecValue>(_ key: String, _ value: inout Value) throws(Failure) {
        try field(key, &value, .optional)
    }

    /// Text of which an empty one says nothing, as Go's own writers leave it out.
    mutating func text(_ key: String, _ value: inout String?) throws(Failure) {
        if value?.isEmpty == true { value = nil }
        try field(key, &value, .optional)
        if value?.isEmpty == true { value = nil }
    }
}

/// What stands behind a key.
protocol SpecValue {
    /// - Throws: with a path that is relative to this value.
    init(_ node: JSONValue) throws(SpecFault)

    func write(to writer: inout SpecWriter)

    /// Means the same as if it were not there.
    var saysNothing: Bool { get }
}

/// An object of known members. Unknown ones are passed over (config.md#extensibility).
protocol SpecRecord: SpecValue, Hashable {
    /// What the members are before anything is read.
    static var blank: Self { get }

    mutating func fields<Coder: SpecCoder>(_ coder: inout Coder) throws(Coder.Failure)
}

extension SpecRecord {
    init(_ node: JSONValue) throws(SpecFault) {
        guard case .object(let members) = node else { throw SpecFault("\(node.shown) is not an object") }
        self = Self.blank
        var reader = SpecReader(members: members)
        try fields(&reader)
    }

    func write(to writer: inout SpecWriter) {
        writer.object { (writer: inout SpecWriter) in
            var copy = self
            copy.fields(&writer)
        }
    }

    var saysNothing: Bool { self == Self.blank }
}

/// Members of one object.
struct SpecReader: SpecCoder {
    typealias Failure = SpecFault

    let members: [String: JSONValue]

    func field<Value: SpecValue>(
        _ key: String, _ value: inout Value, _ presence: SpecPresence
    ) throws(SpecFault) {
        guard let node = members[key], !node.isNull else {
            if presence == .required { throw SpecFault(key, "is missing") }
            return
        }
        do throws(SpecFault) { value = try Value(node) } catch { throw error.inside(key) }
    }

    func unsupported(_ key: String, _ reason: String) throws(SpecFault) {
        switch members[key] {
        case nil, .null, .object([:]), .array([]): return
        default: throw SpecFault(key, reason)
        }
    }
}

extension JSONValue {
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

extension Optional: SpecValue where Wrapped: SpecValue {
    init(_ node: JSONValue) throws(SpecFault) { self = .some(try Wrapped(node)) }

    func write(to writer: inout SpecWriter) { self?.write(to: &writer) }

    var saysNothing: Bool { self == nil }
}

extension Array: SpecValue where Element: SpecValue {
    init(_ node: JSONValue) throws(SpecFault) {
        guard case .array(let nodes) = node else { throw SpecFault("\(node.shown) is not a list") }
        self = []
        reserveCapacity(nodes.count)
        for (index, node) in nodes.enumerated() {
            do throws(SpecFault) { append(try Element(node)) } catch { throw error.inside(index) }
        }
    }

    func write(to writer: inout SpecWriter) {
        writer.list(self) { (element, writer) in element.write(to: &writer) }
    }

    var saysNothing: Bool { isEmpty }
}

extension Dictionary: SpecValue where Key == String, Value: SpecValue {
    init(_ node: JSONValue) throws(SpecFault) {
        guard case .object(let members) = node else { throw SpecFault("\(node.shown) is not an object") }
        self = Dictionary(minimumCapacity: members.count)
        for (key, node) in members {
            if key.isEmpty { throw SpecFault("has an empty key") }
            if key.utf8.contains(0) { throw SpecFault("the key \(JSONValue.string(key).shown) has a NUL in it") }
            do throws(SpecFault) { self[key] = try Value(node) } catch { throw error.inside(key) }
        }
    }

    func write(to writer: inout SpecWriter) {
        writer.object { writer in
            for (key, value) in sorted(by: { $0.key < $1.key }) {
                writer.key(key)
                value.write(to: &writer)
            }
        }
    }

    var saysNothing: Bool { isEmpty }
}

extension String: SpecValue {
    init(_ node: JSONValue) throws(SpecFault) {
        guard case .string(let text) = node else { throw SpecFault("\(node.shown) is not a string") }
        // The kernel's strings end there: it would read another one than whoever checked this.
        if text.utf8.contains(0) { throw SpecFault("\(node.shown) has a NUL in it") }
        self = text
    }

    func write(to writer: inout SpecWriter) { writer.string(self) }

    var saysNothing: Bool { isEmpty }
}

extension Bool: SpecValue {
    init(_ node: JSONValue) throws(SpecFault) {
        guard case .bool(let value) = node else { throw SpecFault("\(node.shown) is neither true nor false") }
        self = value
    }

    func write(to writer: inout SpecWriter) { writer.literal(self ? "true" : "false") }

    var saysNothing: Bool { !self }
}

extension SpecValue where Self: FixedWidthInteger {
    init(_ node: JSONValue) throws(SpecFault) {
        guard case .number(let text) = node else { throw SpecFault("\(node.shown) is not a whole number") }
        if let value = Self(text) {
            self = value
            return
        }
        // `1e6` and `5.0` are whole, too; above 2^53 a float no longer tells which number was meant.
        guard let value = Double(text), value.rounded() == value else {
            throw SpecFault("\(text) is not a whole number")
        }
        guard value.magnitude <= 0x1p53, let value = Self(exactly: value) else {
            throw SpecFault("\(text) is not between \(Self.min) and \(Self.max)")
        }
        self = value
    }

    func write(to writer: inout SpecWriter) { writer.literal(String(self)) }

    var saysNothing: Bool { self == 0 }
}

extension Int: SpecValue {}
extension Int32: SpecValue {}
extension Int64: SpecValue {}
extension UInt16: SpecValue {}
extension UInt32: SpecValue {}
extension UInt64: SpecValue {}

extension Spec.Namespace.Kind: SpecValue {
    init(_ node: JSONValue) throws(SpecFault) {
        let text = try String(node)
        guard let kind = Self(rawValue: text) else {
            let known = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw SpecFault("\(node.shown) is no kind of namespace; there are \(known)")
        }
        self = kind
    }

    func write(to writer: inout SpecWriter) { writer.string(rawValue) }

    var saysNothing: Bool { false }
}
