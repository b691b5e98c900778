/// A value of D-Bus (D-Bus specification, "Type System"); descriptors are not passed.
package indirect enum DBusValue: Sendable, Hashable {
    case byte(UInt8)
    case boolean(Bool)
    case int16(Int16)
    case uint16(UInt16)
    case int32(Int32)
    case uint32(UInt32)
    case int64(Int64)
    case uint64(UInt64)
    case double(Double)
    case string(String)
    case objectPath(String)
    case signature(String)
    /// With the signature of its elements, which an empty one has as well.
    case array(of: String, [DBusValue])
    case structure([DBusValue])
    case entry(key: DBusValue, value: DBusValue)
    case variant(DBusValue)

    package var signature: String {
        switch self {
        case .byte: "y"
        case .boolean: "b"
        case .int16: "n"
        case .uint16: "q"
        case .int32: "i"
        case .uint32: "u"
        case .int64: "x"
        case .uint64: "t"
        case .double: "d"
        case .string: "s"
        case .objectPath: "o"
        case .signature: "g"
        case .array(let element, _): "a\(element)"
        case .structure(let fields): "(\(fields.map(\.signature).joined()))"
        case .entry(let key, let value): "{\(key.signature)\(value.signature)}"
        case .variant: "v"
        }
    }

    /// Of a string or an object path.
    package var text: String? {
        switch self {
        case .string(let text), .objectPath(let text): text
        default: nil
        }
    }

    package var unsigned: UInt64? {
        switch self {
        case .byte(let value): UInt64(value)
        case .uint16(let value): UInt64(value)
        case .uint32(let value): UInt64(value)
        case .uint64(let value): value
        default: nil
        }
    }

    /// A text ends with a NUL, so that it has no other; a signature has a length of eight bits.
    var isSendable: Bool {
        switch self {
        case .string(let text), .objectPath(let text): !text.utf8.contains(0)
        case .signature(let text): DBusSignature.types(text) != nil
        case .array(_, let values), .structure(let values): values.allSatisfy(\.isSendable)
        case .entry(let key, let value): key.isSendable && value.isSendable
        case .variant(let value): DBusSignature.types(value.signature) != nil && value.isSendable
        default: true
        }
    }

    package static func strings(_ texts: [String]) -> DBusValue { .array(of: "s", texts.map { .string($0) }) }
    package static func bytes(_ bytes: [UInt8]) -> DBusValue { .array(of: "y", bytes.map { .byte($0) }) }
}
