/// The tar as blocks and runs of data; counts every byte against the limits.
struct TarInput<Source: ChunkSource> {
    private(set) var source: Source
    private var rest = UnsafeRawBufferPointer(start: nil, count: 0)
    private var ended = false
    /// Bytes taken by the reader: the offset for messages.
    private(set) var offset: UInt64 = 0
    private let budget: ExpansionBudget

    static var blockSize: Int { 512 }

    /// `budget` is asked for every byte that comes from the source.
    init(_ source: Source, budget: ExpansionBudget) {
        self.source = source
        self.budget = budget
    }

    private mutating func refill() throws(LayerError) {
        while rest.isEmpty, !ended {
            guard let chunk = try source.next() else {
                ended = true
                return
            }
            rest = chunk
            try budget.spend(UInt64(chunk.count))
        }
    }

    /// Up to `limit` bytes in one piece, valid until the next call of any method; empty only at the end.
    mutating func take(upTo limit: UInt64) throws(LayerError) -> UnsafeRawBufferPointer {
        try refill()
        let count = Int(min(UInt64(rest.count), limit))
        let piece = UnsafeRawBufferPointer(rebasing: rest[..<count])
        rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        offset += UInt64(count)
        return piece
    }

    /// The next block into `block`; false at the end, which only counts between blocks.
    mutating func readBlock(into block: inout [UInt8]) throws(LayerError) -> Bool {
        var filled = 0
        while filled < TarInput.blockSize {
            let piece = try take(upTo: UInt64(TarInput.blockSize - filled))
            if piece.isEmpty {
                if filled == 0 { return false }
                throw cut()
            }
            block.withUnsafeMutableBytes { bytes in
                UnsafeMutableRawBufferPointer(rebasing: bytes[filled...]).copyMemory(from: piece)
            }
            filled += piece.count
        }
        return true
    }

    /// Exactly `count` bytes; the caller has bounded it.
    mutating func read(_ count: Int) throws(LayerError) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(count)
        while result.count < count {
            let piece = try take(upTo: UInt64(count - result.count))
            if piece.isEmpty { throw cut() }
            result.append(contentsOf: piece)
        }
        return result
    }

    mutating func skip(_ count: UInt64) throws(LayerError) {
        var left = count
        while left > 0 {
            let piece = try take(upTo: left)
            if piece.isEmpty { throw cut() }
            left -= UInt64(piece.count)
        }
    }

    /// Reads to the end of the source: the diff ID covers what follows the end marker too.
    mutating func drain() throws(LayerError) {
        while !(try take(upTo: .max)).isEmpty {}
    }

    func cut() -> LayerError { .malformed(offset: offset, reason: "unexpected end of data") }
}
