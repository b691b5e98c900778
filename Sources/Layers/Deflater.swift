internal import CInflate

/// gzip (RFC 1952) by ISA-L, some three times as fast as zlib's lowest level.
struct Deflater<Base: ByteSink>: ByteSink {
    private(set) var base: Base
    private let state: State
    private let buffer = RawBuffer(count: 256 << 10)

    private final class State {
        let raw: UnsafeMutablePointer<cinflate_deflate>

        init(_ raw: UnsafeMutablePointer<cinflate_deflate>) { self.raw = raw }

        deinit { cinflate_deflate_free(raw) }
    }

    init(_ base: Base) throws(LayerError) {
        guard let raw = cinflate_deflate_new() else { throw .damaged(.gzip, reason: "out of memory") }
        state = State(raw)
        self.base = base
    }

    mutating func write(_ bytes: UnsafeRawBufferPointer) throws(LayerError) {
        var rest = bytes
        while !rest.isEmpty { _ = try step(&rest, ends: false) }
    }

    mutating func finish() throws(LayerError) {
        var rest = UnsafeRawBufferPointer(start: nil, count: 0)
        while try !step(&rest, ends: true) {}
        try base.finish()
    }

    private mutating func step(_ rest: inout UnsafeRawBufferPointer, ends: Bool) throws(LayerError) -> Bool {
        var inputLeft = rest.count
        var outputLeft = buffer.bytes.count
        var finished: Int32 = 0
        let status = cinflate_deflate_step(
            state.raw, rest.baseAddress, &inputLeft, buffer.bytes.baseAddress, &outputLeft, ends ? 1 : 0, &finished)
        guard status >= 0 else { throw .damaged(.gzip, reason: "encoder status \(status)") }
        let produced = buffer.bytes.count - outputLeft
        rest = UnsafeRawBufferPointer(rebasing: rest[(rest.count - inputLeft)...])
        if produced > 0 { try base.write(UnsafeRawBufferPointer(rebasing: buffer.bytes[..<produced])) }
        return finished != 0
    }
}
