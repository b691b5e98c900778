internal import Sys

/// Members of a tar, one after the other, as Go's archive/tar yields them; what is ambiguous is an error.
struct TarReader<Source: ChunkSource> {
    private(set) var input: TarInput<Source>
    private let limits: ExtractionLimits
    private var block = [UInt8](repeating: 0, count: 512)
    /// Bytes of the current member's data not yet read, and of the padding after them.
    private var dataLeft: UInt64 = 0
    private var padding: UInt64 = 0
    /// Headers of any kind, for the limit on entries.
    private(set) var headers: UInt64 = 0

    init(_ input: TarInput<Source>, limits: ExtractionLimits) {
        self.input = input
        self.limits = limits
    }

    /// What precedes a member and describes it.
    private struct Pending {
        var records: PAXRecords?
        var longName: [UInt8]?
        var longLink: [UInt8]?

        var isEmpty: Bool { records == nil && longName == nil && longLink == nil }
    }

    /// The next member, or nil at the end marker or the end of the data. Unread data of the last one is skipped.
    mutating func next() throws(LayerError) -> TarEntry? {
        var pending = Pending()
        while true {
            try skipData()
            let start = input.offset
            guard let header = try readHeader() else {
                if pending.isEmpty { return nil }
                throw .malformed(offset: start, reason: "extended header without a member")
            }
            switch header.type {
            case UInt8(ascii: "x"):
                pending.records = try readRecords(header, at: start)
            case UInt8(ascii: "g"):
                // Global records change nothing for docker and Go; between an "x" and its member Go forgets the "x".
                if !pending.isEmpty { throw .malformed(offset: start, reason: "global header inside a member") }
                _ = try readRecords(header, at: start)
            case UInt8(ascii: "L"):
                pending.longName = TarHeader.text(try readSpecial(header)[...])
            case UInt8(ascii: "K"):
                pending.longLink = TarHeader.text(try readSpecial(header)[...])
            default:
                return try member(header, pending, at: start)
            }
        }
    }

    /// A piece of the current member's stored data, valid until the next call; empty when there is no more.
    mutating func data(upTo limit: UInt64 = .max) throws(LayerError) -> UnsafeRawBufferPointer {
        if dataLeft == 0 { return UnsafeRawBufferPointer(start: nil, count: 0) }
        let piece = try input.take(upTo: min(limit, dataLeft))
        if piece.isEmpty { throw input.cut() }
        dataLeft -= UInt64(piece.count)
        return piece
    }

    /// Reads to the end of the source. An image of a disc without a boot sector looks like an empty tar until then.
    mutating func drain() throws(LayerError) {
        if headers == 0, try isISO9660() { throw .unsupported(ForeignFormat.isoName) }
        try input.drain()
    }

    private mutating func skipData() throws(LayerError) {
        try input.skip(dataLeft)
        dataLeft = 0
        try skipPadding()
    }

    /// Go needs the padding of the last member as little as the end marker.
    private mutating func skipPadding() throws(LayerError) {
        try input.skip(padding)
        padding = 0
    }

    /// Nil at the end marker, two blocks of zeros, or when the data ends between members, as some writers leave it.
    private mutating func readHeader() throws(LayerError) -> TarHeader? {
        let start = input.offset
        guard try readBlock() else { return nil }
        if isZero(block) {
            guard try input.readBlock(into: &block) else { return nil }
            if isZero(block) { return nil }
            throw .malformed(offset: start, reason: "single zero block between members")
        }
        headers += 1
        if headers > limits.entries { throw .limit(.entries, entry: nil, allowed: limits.entries) }
        do throws(MemberError) {
            return try TarHeader.parse(block)
        } catch .malformed(let reason) {
            if start == 0 { throw .unsupported(try foreignName() ?? "not a tar archive (\(reason))") }
            throw .malformed(offset: start, reason: reason)
        } catch {
            throw located(error, name: [], at: start)
        }
    }

    private mutating func readBlock() throws(LayerError) -> Bool {
        let start = input.offset
        do throws(LayerError) {
            return try input.readBlock(into: &block)
        } catch {
            if start == 0, case .malformed = error, let name = ForeignFormat.name(of: block) {
                throw .unsupported(name)
            }
            throw error
        }
    }

    /// What the stream is whose first block is no header.
    private mutating func foreignName() throws(LayerError) -> String? {
        if let name = ForeignFormat.name(of: block) { return name }
        return try isISO9660() ? ForeignFormat.isoName : nil
    }

    /// Goes on to the place of the mark; the caller wants no member any more.
    private mutating func isISO9660() throws(LayerError) -> Bool {
        while input.offset < ForeignFormat.isoOffset {
            if try input.take(upTo: ForeignFormat.isoOffset - input.offset).isEmpty { return false }
        }
        var found: [UInt8] = []
        while found.count < ForeignFormat.isoMark.count {
            let piece = try input.take(upTo: UInt64(ForeignFormat.isoMark.count - found.count))
            if piece.isEmpty { return false }
            found += piece
        }
        return found == ForeignFormat.isoMark
    }

    private func isZero(_ block: [UInt8]) -> Bool { block.allSatisfy { $0 == 0 } }

    private mutating func setData(_ size: Int64) {
        dataLeft = UInt64(size)
        padding = (512 - dataLeft % 512) % 512
    }

    private mutating func readSpecial(_ header: TarHeader) throws(LayerError) -> [UInt8] {
        guard UInt64(header.size) <= limits.extendedHeaderSize else {
            throw .limit(
                .extendedHeaderSize, entry: PathBytes.printable(header.name), allowed: limits.extendedHeaderSize)
        }
        setData(header.size)
        let text = try input.read(Int(header.size))
        dataLeft = 0
        return text
    }

    private mutating func readRecords(_ header: TarHeader, at start: UInt64) throws(LayerError) -> PAXRecords {
        guard let records = PAXRecords(parsing: try readSpecial(header)) else {
            throw .malformed(offset: start, reason: "invalid PAX record")
        }
        return records
    }

    private mutating func member(
        _ header: TarHeader, _ pending: Pending, at start: UInt64
    ) throws(LayerError) -> TarEntry {
        do throws(MemberError) {
            var builder = try TarEntryBuilder(
                header, pending.records ?? PAXRecords(), longName: pending.longName, longLink: pending.longLink,
                limits: limits)
            setData(builder.isHeaderOnly ? 0 : builder.storedSize)
            if builder.isSparse { try attachMap(&builder) }
            return builder.entry(storedSize: dataLeft)
        } catch {
            throw located(error, name: pending.longName ?? header.name, at: start)
        }
    }

    private func located(_ error: MemberError, name: [UInt8], at start: UInt64) -> LayerError {
        let name = PathBytes.printable(name)
        switch error {
        case .malformed(let reason): return .malformed(offset: start, reason: "\(reason) in member \"\(name)\"")
        case .limit(let kind, let allowed): return .limit(kind, entry: name, allowed: allowed)
        case .input(let error): return error
        }
    }

    private mutating func attachMap(_ builder: inout TarEntryBuilder) throws(MemberError) {
        var extents: [Extent]?
        if builder.isOldGNUSparse {
            extents = try readOldGNUMap()
        } else if builder.sparseVersion == .inData {
            extents = try readMapInData()
        } else {
            extents = SparseMap.extents(builder.records)
        }
        guard let extents, builder.size >= 0,
            SparseMap.isValid(extents, size: UInt64(builder.size), stored: dataLeft)
        else { throw .malformed("invalid sparse map") }
        builder.extents = extents
    }

    private func checkMapSize(_ bytes: Int) throws(MemberError) {
        if bytes > limits.sparseMapSize {
            throw .limit(.sparseMapSize, allowed: UInt64(limits.sparseMapSize))
        }
    }

    /// Four extents in the header, 21 in each block that follows it, before the data and not counted in its size.
    private mutating func readOldGNUMap() throws(MemberError) -> [Extent]? {
        guard var (extents, more) = SparseMap.gnuExtents(block, from: 386, count: 4, flag: 482) else { return nil }
        while more {
            try checkMapSize(24 * extents.count + 512)
            do throws(LayerError) {
                guard try input.readBlock(into: &block) else { throw input.cut() }
            } catch {
                throw .input(error)
            }
            guard let part = SparseMap.gnuExtents(block, from: 0, count: 21, flag: 504) else { return nil }
            extents += part.extents
            more = part.more
        }
        return extents
    }

    /// Format 1.0: decimal numbers, one a line, in the first blocks of the data.
    private mutating func readMapInData() throws(MemberError) -> [Extent]? {
        var text: [UInt8] = []
        var position = 0
        var numbers: [Int64?] = []
        var wanted: Int?
        while wanted.map({ numbers.count < 2 * $0 }) ?? true {
            guard let end = text[position...].firstIndex(of: 0x0a) else {
                try checkMapSize(text.count + 512)
                // No number is this long; and the search for the line's end stays linear.
                guard dataLeft >= 512, text.count - position < 64 else { return nil }
                do throws(LayerError) {
                    text += try input.read(512)
                } catch {
                    throw .input(error)
                }
                dataLeft -= 512
                continue
            }
            let number = PAXRecords.decimal(text[position..<end])
            position = end + 1
            if wanted == nil {
                guard let number, number >= 0, number <= limits.sparseMapSize else { return nil }
                wanted = Int(number)
            } else {
                numbers.append(number)
            }
        }
        return SparseMap.pair(numbers)
    }
}
