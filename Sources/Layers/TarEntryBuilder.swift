internal import Sys

/// Puts one member together from its header and what preceded it, with the precedence that Go's archive/tar has:
/// GNU.sparse.name over GNU long names over PAX over the header's own fields.
struct TarEntryBuilder {
    private let header: TarHeader
    let records: PAXRecords
    private let kind: TarEntry.Kind
    private let name: [UInt8]
    private let linkName: [UInt8]
    private let user: UInt32
    private let group: UInt32
    private let modified: FileTime
    private let attributes: [TarEntry.Attribute]
    let sparseVersion: SparseMap.PAXVersion?
    /// Bytes of the member in the tar, map included.
    let storedSize: Int64
    /// Bytes of the file.
    private(set) var size: Int64
    var extents: [Extent]?

    init(
        _ header: TarHeader, _ records: PAXRecords, longName: [UInt8]?, longLink: [UInt8]?, limits: ExtractionLimits
    ) throws(MemberError) {
        self.header = header
        self.records = records
        sparseVersion = SparseMap.version(records)
        var name = records["path"] ?? header.name
        if let longName, !longName.isEmpty { name = longName }
        // The slash that makes a directory of an old file is looked for before the sparse map is.
        kind = try TarEntryBuilder.kind(header.type, name: name)
        if sparseVersion != nil, let sparseName = records["GNU.sparse.name"] { name = sparseName }
        self.name = name
        linkName = longLink.flatMap { $0.isEmpty ? nil : $0 } ?? records["linkpath"] ?? header.linkName
        user = try TarEntryBuilder.identity(try records.number("uid") ?? header.user, "user")
        group = try TarEntryBuilder.identity(try records.number("gid") ?? header.group, "group")
        modified = try TarEntryBuilder.time(records, header)
        attributes = try FileAttributes.collect(records, limits: limits)
        storedSize = try records.number("size") ?? header.size
        if storedSize < 0 { throw .malformed("negative size") }
        size = storedSize
        try applySparseSize()
    }

    var isOldGNUSparse: Bool { header.type == UInt8(ascii: "S") }
    var isSparse: Bool { isOldGNUSparse || sparseVersion != nil }
    /// As in Go, the size of anything but a file is not the length of data: the next header follows at once.
    var isHeaderOnly: Bool { kind != .regular }

    func entry(storedSize: UInt64) -> TarEntry {
        TarEntry(
            kind: kind, name: name, linkName: linkName, mode: UInt32(truncatingIfNeeded: header.mode) & 0o7777,
            user: user, group: group, modified: modified, size: isHeaderOnly ? 0 : UInt64(size),
            storedSize: storedSize, extents: extents, deviceMajor: header.deviceMajor,
            deviceMinor: header.deviceMinor, attributes: attributes)
    }

    private mutating func applySparseSize() throws(MemberError) {
        if isOldGNUSparse {
            guard header.format == .gnu, let real = header.realSize, real >= 0 else {
                throw .malformed("sparse member without GNU header")
            }
            size = real
        } else if sparseVersion != nil {
            if isHeaderOnly { throw .malformed("sparse map of what is no file") }
            let real = try records.number("GNU.sparse.realsize")
            size = try records.number("GNU.sparse.size") ?? real ?? size
            if size < 0 { throw .malformed("negative size") }
        }
    }

    private static func kind(_ type: UInt8, name: [UInt8]) throws(MemberError) -> TarEntry.Kind {
        switch type {
        case 0: return name.last == UInt8(ascii: "/") ? .directory : .regular
        case UInt8(ascii: "0"), UInt8(ascii: "S"): return .regular
        case UInt8(ascii: "1"): return .hardLink
        case UInt8(ascii: "2"): return .symbolicLink
        case UInt8(ascii: "3"): return .characterDevice
        case UInt8(ascii: "4"): return .blockDevice
        case UInt8(ascii: "5"): return .directory
        case UInt8(ascii: "6"): return .fifo
        default: throw .malformed("unknown member type \"\(PathBytes.printable([type]))\"")
        }
    }

    /// chown(2) takes 2^32-1 for "leave as it is": the file would stay root's, with its set-id bit.
    private static func identity(_ value: Int64, _ what: String) throws(MemberError) -> UInt32 {
        guard let id = UInt32(exactly: value), id != .max else {
            throw .malformed("\(what) id \(value) out of range 0 to 4294967294")
        }
        return id
    }

    private static func time(_ records: PAXRecords, _ header: TarHeader) throws(MemberError) -> FileTime {
        guard let text = records["mtime"] else { return FileTime(seconds: header.modified, nanoseconds: 0) }
        guard let time = PAXRecords.time(text) else { throw .malformed("PAX record mtime is not a time") }
        return time
    }
}
