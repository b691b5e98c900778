/// The bytes between the two processes: a length of four bytes, then a verb and its fields. Numbers are little-endian;
/// lists and texts have their length in front. The reader takes nothing on trust.
package struct WireWriter {
    package private(set) var bytes: [UInt8] = []

    package init(verb: UInt8) { bytes = [0, 0, 0, 0, verb] }

    package mutating func put<N: FixedWidthInteger>(_ number: N) {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
    }

    package mutating func put(_ content: [UInt8]) {
        put(UInt32(clamping: content.count))
        bytes.append(contentsOf: content)
    }

    package mutating func put(_ text: String) { put(Array(text.utf8)) }

    /// The whole frame.
    package var frame: [UInt8] {
        var result = bytes
        withUnsafeBytes(of: UInt32(clamping: bytes.count - 4).littleEndian) { length in
            for index in 0..<4 { result[index] = length[index] }
        }
        return result
    }
}

/// A frame that is none.
package struct WireFault: Error, CustomStringConvertible {
    package let description: String
}

struct WireReader {
    private var rest: ArraySlice<UInt8>

    /// `content` is a frame without its length.
    init(_ content: [UInt8]) { rest = content[...] }

    mutating func number<N: FixedWidthInteger>(_ type: N.Type = N.self) throws(WireFault) -> N {
        let size = N.bitWidth / 8
        guard rest.count >= size else { throw WireFault(description: "a frame that ends early") }
        var result: N = 0
        for byte in rest.prefix(size).reversed() { result = result << 8 | N(truncatingIfNeeded: byte) }
        rest = rest.dropFirst(size)
        return result
    }

    mutating func content(limit: Int) throws(WireFault) -> [UInt8] {
        let count = Int(try number(UInt32.self))
        guard count <= limit, count <= rest.count else { throw WireFault(description: "a field of \(count) bytes") }
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    mutating func text(limit: Int) throws(WireFault) -> String {
        guard let text = String(validating: try content(limit: limit), as: UTF8.self) else {
            throw WireFault(description: "a text that is no UTF-8")
        }
        return text
    }

    mutating func list<Element>(
        limit: Int, _ element: (inout WireReader) throws(WireFault) -> Element
    ) throws(WireFault) -> [Element] {
        let count = Int(try number(UInt32.self))
        guard count <= limit else { throw WireFault(description: "a list of \(count)") }
        var result: [Element] = []
        for _ in 0..<count { result.append(try element(&self)) }
        return result
    }

    func finish() throws(WireFault) {
        if !rest.isEmpty { throw WireFault(description: "\(rest.count) bytes behind a frame's last field") }
    }
}

/// Cuts a stream of bytes into frames.
struct FrameBuffer {
    /// The longest content that is taken.
    let limit: Int
    private var bytes: [UInt8] = []

    init(limit: Int) { self.limit = limit }

    mutating func append(_ more: [UInt8]) { bytes += more }

    /// The next frame's content; nil until all of it is there.
    mutating func next() throws(WireFault) -> [UInt8]? {
        guard bytes.count >= 4 else { return nil }
        let length = bytes.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
        guard length > 0, length <= limit else { throw WireFault(description: "a frame of \(length) bytes") }
        guard bytes.count >= 4 + length else { return nil }
        defer { bytes.removeFirst(4 + length) }
        return Array(bytes[4..<4 + length])
    }
}
