/// Writes `Encodable` records of ours as JSON on one line. Foundation's encoder first asks of each value whether it is one
/// of its special types, and the first such question about a type goes through all conformances of the program.
package enum RecordEncoder {
    /// - Throws: what `value` throws; a number that JSON does not have is an `EncodingError`.
    package static func encode<Value: Encodable>(_ value: Value) throws -> [UInt8] {
        let output = RecordOutput()
        try output.write(value, codingPath: [])
        return output.bytes
    }
}

/// The text so far. `Encodable` does not say where an object or a list ends: what is open is closed when something is
/// written further out, or when the value that opened it has been written.
private final class RecordOutput {
    private(set) var bytes: [UInt8] = []
    /// The closing brackets of what is open.
    private var open: [UInt8] = []
    /// Nothing stands yet in the object or list that was opened last.
    private var isFirst = true

    init() { bytes.reserveCapacity(2048) }

    func write<Value: Encodable>(_ value: Value, codingPath: [any CodingKey]) throws {
        let (depth, start) = (open.count, bytes.count)
        try value.encode(to: RecordStep(output: self, codingPath: codingPath))
        close(to: depth)
        // One that encodes nothing.
        if bytes.count == start { bytes += "{}".utf8 }
    }

    /// Returns how deep what stands in it is.
    func begin(_ bracket: UInt8, _ closing: UInt8) -> Int {
        bytes.append(bracket)
        open.append(closing)
        isFirst = true
        return open.count
    }

    /// What follows is an element at `depth`.
    func element(at depth: Int) {
        close(to: depth)
        if !isFirst { bytes.append(UInt8(ascii: ",")) }
        isFirst = false
    }

    func member(_ key: some CodingKey, at depth: Int) {
        element(at: depth)
        string(key.stringValue)
        bytes.append(UInt8(ascii: ":"))
    }

    func string(_ text: String) { JSONEditing.append(quoted: text, to: &bytes) }

    func word(_ text: String) { bytes += text.utf8 }

    func number(_ value: some BinaryFloatingPoint & CustomStringConvertible, _ codingPath: [any CodingKey]) throws {
        guard value.isFinite else {
            throw EncodingError.invalidValue(
                value, EncodingError.Context(codingPath: codingPath, debugDescription: "JSON has no such number"))
        }
        word(value.description)
    }

    private func close(to depth: Int) {
        while open.count > depth {
            bytes.append(open.removeLast())
            isFirst = false
        }
    }
}

/// The encoder of one value; a single value is written by itself.
private struct RecordStep: Encoder, SingleValueEncodingContainer {
    let output: RecordOutput
    let codingPath: [any CodingKey]

    var userInfo: [CodingUserInfoKey: Any] { [:] }

    func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
        KeyedEncodingContainer(RecordMembers<Key>(output, codingPath))
    }

    func unkeyedContainer() -> any UnkeyedEncodingContainer { RecordElements(output, codingPath) }

    func singleValueContainer() -> any SingleValueEncodingContainer { self }

    func encodeNil() { output.word("null") }
    func encode(_ value: Bool) { output.word(value ? "true" : "false") }
    func encode(_ value: String) { output.string(value) }
    func encode(_ value: Double) throws { try output.number(value, codingPath) }
    func encode(_ value: Float) throws { try output.number(value, codingPath) }
    func encode(_ value: Int) { output.word(value.description) }
    func encode(_ value: Int8) { output.word(value.description) }
    func encode(_ value: Int16) { output.word(value.description) }
    func encode(_ value: Int32) { output.word(value.description) }
    func encode(_ value: Int64) { output.word(value.description) }
    func encode(_ value: UInt) { output.word(value.description) }
    func encode(_ value: UInt8) { output.word(value.description) }
    func encode(_ value: UInt16) { output.word(value.description) }
    func encode(_ value: UInt32) { output.word(value.description) }
    func encode(_ value: UInt64) { output.word(value.description) }
    func encode<Value: Encodable>(_ value: Value) throws { try output.write(value, codingPath: codingPath) }
}

private struct RecordMembers<Key: CodingKey>: KeyedEncodingContainerProtocol {
    private let output: RecordOutput
    let codingPath: [any CodingKey]
    private let depth: Int

    init(_ output: RecordOutput, _ codingPath: [any CodingKey]) {
        self.output = output
        self.codingPath = codingPath
        depth = output.begin(UInt8(ascii: "{"), UInt8(ascii: "}"))
    }

    /// What writes the value of `key`.
    private func step(_ key: some CodingKey) -> RecordStep {
        output.member(key, at: depth)
        return RecordStep(output: output, codingPath: codingPath)
    }

    func encodeNil(forKey key: Key) { step(key).encodeNil() }
    func encode(_ value: Bool, forKey key: Key) { step(key).encode(value) }
    func encode(_ value: String, forKey key: Key) { step(key).encode(value) }
    func encode(_ value: Int, forKey key: Key) { step(key).encode(value) }
    func encode(_ value: Int32, forKey key: Key) { step(key).encode(value) }
    func encode(_ value: Int64, forKey key: Key) { step(key).encode(value) }
    func encode(_ value: UInt32, forKey key: Key) { step(key).encode(value) }
    func encode(_ value: UInt64, forKey key: Key) { step(key).encode(value) }

    func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
        output.member(key, at: depth)
        try output.write(value, codingPath: codingPath + [key])
    }

    func nestedContainer<Nested: CodingKey>(
        keyedBy type: Nested.Type, forKey key: Key
    ) -> KeyedEncodingContainer<Nested> {
        step(key).container(keyedBy: type)
    }

    func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer { step(key).unkeyedContainer() }

    func superEncoder() -> any Encoder { step(SuperKey.super) }

    func superEncoder(forKey key: Key) -> any Encoder { step(key) }
}

private enum SuperKey: String, CodingKey { case `super` }

private struct RecordElements: UnkeyedEncodingContainer {
    private let output: RecordOutput
    let codingPath: [any CodingKey]
    private let depth: Int
    private(set) var count = 0

    init(_ output: RecordOutput, _ codingPath: [any CodingKey]) {
        self.output = output
        self.codingPath = codingPath
        depth = output.begin(UInt8(ascii: "["), UInt8(ascii: "]"))
    }

    /// What writes the next element.
    private mutating func step() -> RecordStep {
        output.element(at: depth)
        count += 1
        return RecordStep(output: output, codingPath: codingPath)
    }

    mutating func encodeNil() { step().encodeNil() }
    mutating func encode(_ value: String) { step().encode(value) }

    mutating func encode<Value: Encodable>(_ value: Value) throws { try step().encode(value) }

    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) -> KeyedEncodingContainer<Nested> {
        step().container(keyedBy: type)
    }

    mutating func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer { step().unkeyedContainer() }

    mutating func superEncoder() -> any Encoder { step() }
}
