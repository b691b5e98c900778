/// Maps of sparse files: old GNU, and GNU's PAX formats 0.0, 0.1 and 1.0 (GNU tar manual, "Storing Sparse Files").
enum SparseMap {
    enum PAXVersion { case inRecords, inData }

    /// Which of the PAX formats the records speak of; nil when it is no sparse file, or of a version nobody knows.
    static func version(_ records: PAXRecords) -> PAXVersion? {
        let major = records["GNU.sparse.major"].map { String(decoding: $0, as: UTF8.self) }
        let minor = records["GNU.sparse.minor"].map { String(decoding: $0, as: UTF8.self) }
        switch (major, minor) {
        case ("0", "0"), ("0", "1"): return .inRecords
        case ("1", "0"): return .inData
        case (nil, nil):
            return records["GNU.sparse.map"] != nil || !records.sparsePairs.isEmpty ? .inRecords : nil
        default: return nil
        }
    }

    /// Formats 0.0 (pairs of records) and 0.1 (one list).
    static func extents(_ records: PAXRecords) -> [Extent]? {
        var texts = records.sparsePairs.map { $0[...] }
        if texts.isEmpty, let list = records["GNU.sparse.map"] {
            texts = list.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        }
        guard let count = records["GNU.sparse.numblocks"].flatMap({ PAXRecords.decimal($0[...]) }),
            count >= 0, count <= texts.count, texts.count == 2 * Int(count)
        else { return nil }
        return pair(texts.map { PAXRecords.decimal($0) })
    }

    /// The extents of an old GNU header or of one of its extension blocks: `count` pairs from byte `start` on.
    /// The second value tells whether the list goes on in another block.
    static func gnuExtents(_ block: [UInt8], from start: Int, count: Int, flag: Int) -> (extents: [Extent], more: Bool)?
    {
        var numbers: [Int64?] = []
        for index in 0..<count {
            let at = start + 24 * index
            if block[at] == 0 { break }
            numbers.append(TarHeader.number(block[at..<at + 12]))
            numbers.append(TarHeader.number(block[at + 12..<at + 24]))
        }
        guard let extents = pair(numbers) else { return nil }
        return (extents, block[flag] != 0)
    }

    /// Pairs of numbers; nil when one is missing, negative or no number.
    static func pair(_ numbers: [Int64?]) -> [Extent]? {
        var result: [Extent] = []
        result.reserveCapacity(numbers.count / 2)
        for index in stride(from: 0, to: numbers.count - 1, by: 2) {
            guard let offset = numbers[index], let length = numbers[index + 1], offset >= 0, length >= 0 else {
                return nil
            }
            result.append(Extent(offset: UInt64(offset), length: UInt64(length)))
        }
        return result
    }

    /// In order, without overlap, within the file, and as many bytes as are stored.
    static func isValid(_ extents: [Extent], size: UInt64, stored: UInt64) -> Bool {
        var end: UInt64 = 0
        var sum: UInt64 = 0
        for extent in extents {
            // Both are below 2^63, so neither sum overflows.
            if extent.offset < end || extent.offset + extent.length > size { return false }
            end = extent.offset + extent.length
            sum += extent.length
        }
        return sum == stored
    }
}
