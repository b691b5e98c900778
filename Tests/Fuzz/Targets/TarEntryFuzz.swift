internal import Sys

@testable internal import Layers

/// Z1: tar → members → planned paths, without a disk. What is accepted must be what a second reader sees, however the
/// bytes arrive, and no path that is planned from it leaves the root.
package enum TarEntryFuzz {
    /// One member as it was read, with its data.
    struct Member {
        var entry: TarEntry
        var data: [UInt8]
    }

    package static func run(_ bytes: [UInt8]) throws(Finding) {
        let whole = read(bytes, chunk: .max)
        let pieces = read(bytes, chunk: 1 + bytes.reduce(0) { ($0 &* 31 &+ Int($1)) & 0x3ff })
        try checkSame(whole, pieces)
        guard case .success(let members) = whole else { return }
        guard let wanted = SecondTarReader.members(of: bytes) else {
            throw Finding("the second reader refuses what gave \(members.map(\.entry))")
        }
        try expect(members.count == wanted.count, "\(members.count) members, the second reader has \(wanted.count)")
        for (member, second) in zip(members, wanted) {
            try compare(member, second)
            try checkPlan(member.entry)
        }
    }

    /// Where the bytes are cut on their way changes nothing.
    private static func checkSame(
        _ whole: Result<[Member], LayerError>, _ pieces: Result<[Member], LayerError>
    ) throws(Finding) {
        switch (whole, pieces) {
        case (.failure(let one), .failure(let other)): try expect(one == other, "whole: \(one), in pieces: \(other)")
        case (.success(let one), .success(let other)):
            let equal = one.count == other.count && zip(one, other).allSatisfy { isSame($0, $1) }
            try expect(equal, "whole: \(one), in pieces: \(other)")
        default: throw Finding("whole: \(whole), in pieces: \(pieces)")
        }
    }

    private static func isSame(_ left: Member, _ right: Member) -> Bool {
        let (one, other) = (left.entry, right.entry)
        return left.data == right.data && one.kind == other.kind && one.name == other.name
            && one.linkName == other.linkName && one.mode == other.mode && one.user == other.user
            && one.group == other.group && one.modified == other.modified && one.size == other.size
            && one.storedSize == other.storedSize && one.extents == other.extents
            && one.deviceMajor == other.deviceMajor && one.deviceMinor == other.deviceMinor
            && one.attributes.map(\.name) == other.attributes.map(\.name)
            && one.attributes.map(\.value) == other.attributes.map(\.value)
    }

    /// Nothing is written, but the budget looks how much could be.
    private static let disk = (try? Directory.open("/").release()) ?? -1

    private static func read(_ bytes: [UInt8], chunk: Int) -> Result<[Member], LayerError> {
        var limits = ExtractionLimits()
        limits.extendedHeaderSize = 4096
        limits.sparseMapSize = 4096
        do throws(LayerError) {
            let chunks = BufferedChunks(MemorySource(bytes), size: min(chunk, 65536))
            let budget = ExpansionBudget(disk, limits: limits, compressedSize: Int64(bytes.count))
            let input = TarInput(chunks, budget: budget)
            var reader = TarReader(input, limits: limits)
            var members: [Member] = []
            while let entry = try reader.next() {
                var data: [UInt8] = []
                while true {
                    let piece = try reader.data()
                    if piece.isEmpty { break }
                    data.append(contentsOf: piece)
                }
                members.append(Member(entry: entry, data: data))
            }
            try reader.drain()
            return .success(members)
        } catch {
            return .failure(error)
        }
    }

    private static func compare(_ member: Member, _ second: SecondTarReader.Member) throws(Finding) {
        let entry = member.entry
        try expect(entry.name == second.name, "name \(entry.name), the second reader has \(second.name)")
        try expect(entry.linkName == second.linkName, "link \(entry.linkName), not \(second.linkName)")
        try expect(entry.kind.typeFlag == second.kind, "kind \(entry.kind), not \(second.kind)")
        try expect(Int64(entry.mode) == second.mode & 0o7777, "mode \(entry.mode), not \(second.mode)")
        try expect(Int64(entry.user) == second.user, "user \(entry.user), not \(second.user)")
        try expect(Int64(entry.group) == second.group, "group \(entry.group), not \(second.group)")
        try expect(entry.modified.seconds == second.seconds, "time \(entry.modified), not \(second.seconds)")
        try expect(entry.modified.nanoseconds == second.nanoseconds, "nanoseconds of \(entry.modified)")
        try expect(member.data == second.data, "data of \(entry)")
        if entry.kind == .regular {
            try expect(Int64(entry.size) == second.size, "size \(entry.size), not \(second.size)")
        } else {
            try expect(entry.size == 0 && entry.extents == nil, "data of what is no file: \(entry)")
        }
        if entry.kind == .characterDevice || entry.kind == .blockDevice {
            try expect(
                entry.deviceMajor == second.major && entry.deviceMinor == second.minor, "device numbers of \(entry)")
        }
        let extents = entry.extents?.map { [Int64($0.offset), Int64($0.length)] }
        try expect(extents == second.extents, "map \(extents ?? []), not \(second.extents ?? [])")
        for (name, value) in second.attributes {
            let found = entry.attributes.first { $0.name == name }
            try expect(found?.value == value, "attribute \(name) of \(entry)")
        }
    }

    // MARK: Planned paths

    private static func checkPlan(_ entry: TarEntry) throws(Finding) {
        try checkPath(entry.name)
        if entry.kind == .hardLink { try checkPath(entry.linkName) }
    }

    private static func checkPath(_ name: [UInt8]) throws(Finding) {
        // A refusal plans nothing.
        guard let path = try? EntryPath(name, limits: ExtractionLimits()) else { return }
        let whole = Array(path.whole.bytes)
        try expect(whole == lexical(name), "\(name) became \(path.whole)")
        let parts = whole.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        for part in parts where !whole.isEmpty {
            let isPlain = !part.isEmpty && !part.equals(".") && !part.equals("..") && !part.contains(0)
            try expect(isPlain, "component \(Array(part)) of \(path.whole)")
        }
        try expect(!path.base.bytes.contains(UInt8(ascii: "/")), "\(path.base) is more than one name")
        guard let marker = Marker(path.base), case .whiteout(let target) = marker else { return }
        let isName = !target.isEmpty && !target.bytes.contains(UInt8(ascii: "/"))
        try expect(isName && target != PathBytes(".") && target != PathBytes(".."), "whiteout of \(target)")
    }

    /// The path without its dots, nil where it would leave the root: by counting, not by a stack.
    private static func lexical(_ name: [UInt8]) -> [UInt8]? {
        let parts = name.split(separator: UInt8(ascii: "/")).filter { !$0.equals(".") }
        var depth = 0
        for part in parts {
            depth += part.equals("..") ? -1 : 1
            if depth < 0 { return nil }
        }
        var kept: [ArraySlice<UInt8>] = []
        var owed = 0
        for part in parts.reversed() {
            if part.equals("..") {
                owed += 1
            } else if owed > 0 {
                owed -= 1
            } else {
                kept.append(part)
            }
        }
        return Array(kept.reversed().joined(separator: [UInt8(ascii: "/")]))
    }
}

extension Sequence<UInt8> {
    func equals(_ text: StaticString) -> Bool { text.withUTF8Buffer { elementsEqual($0) } }
}
