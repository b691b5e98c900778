/// Values as bytes, little-endian (D-Bus specification, "Marshaling").
struct DBusEncoder {
    private(set) var bytes: [UInt8] = []

    mutating func align(_ divisor: Int) {
        while bytes.count % divisor != 0 { bytes.append(0) }
    }

    mutating func add(_ value: DBusValue) {
        switch value {
        case .byte(let value): bytes.append(value)
        case .boolean(let value): number(UInt32(value ? 1 : 0))
        case .int16(let value): number(UInt16(bitPattern: value))
        case .uint16(let value): number(value)
        case .int32(let value): number(UInt32(bitPattern: value))
        case .uint32(let value): number(value)
        case .int64(let value): number(UInt64(bitPattern: value))
        case .uint64(let value): number(value)
        case .double(let value): number(value.bitPattern)
        case .string(let text), .objectPath(let text): self.text(text)
        case .signature(let text): signature(text)
        case .array(let element, let values): array(element, values)
        case .structure(let fields):
            align(8)
            for field in fields { add(field) }
        case .entry(let key, let value):
            align(8)
            add(key)
            add(value)
        case .variant(let value):
            signature(value.signature)
            add(value)
        }
    }

    mutating func append(_ more: [UInt8]) { bytes += more }

    private mutating func number<Number: FixedWidthInteger>(_ value: Number) {
        align(MemoryLayout<Number>.size)
        withUnsafeBytes(of: value.littleEndian) { bytes += $0 }
    }

    private mutating func text(_ text: String) {
        number(UInt32(clamping: text.utf8.count))
        bytes += text.utf8
        bytes.append(0)
    }

    private mutating func signature(_ text: String) {
        bytes.append(UInt8(clamping: text.utf8.count))
        bytes += text.utf8
        bytes.append(0)
    }

    /// Its length is that of the elements, without what aligns the first one.
    private mutating func array(_ element: String, _ values: [DBusValue]) {
        number(UInt32(0))
        let place = bytes.count - 4
        align(DBusSignature.alignment(element.utf8.first ?? 0))
        let start = bytes.count
        for value in values { add(value) }
        withUnsafeBytes(of: UInt32(clamping: bytes.count - start).littleEndian) { length in
            bytes.replaceSubrange(place..<place + 4, with: length)
        }
    }
}
