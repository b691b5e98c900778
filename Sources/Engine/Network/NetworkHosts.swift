internal import Glibc
internal import OCI
internal import Sys

/// Names of other containers in the hosts(5) of one that runs. The file is the container's as well, mounted as its
/// /etc/hosts: it is never replaced, its root may write whatever into it, and whoever reads it sees whole lines. One
/// change of a file at a time: with the lock of networks.
package enum NetworkHosts {
    /// What is larger was not made by us, and is left alone.
    static let limit = 1 << 20
    /// Bytes of lines that are dead at which they are removed.
    static let deadLimit = 64 << 10

    /// Adds a container, or gives it another address.
    package static func add(_ line: PeerLine, to path: String) throws(EngineError) {
        try edit(path) { file, bytes throws(Errno) in
            let text = HostsLines(bytes)
            let mark = PeerLine.mark(container: line.container, network: line.network)
            let wanted = Array(line.text.utf8.dropLast())
            // One of the other version is another address of it.
            var old = text.living(mark).filter { text.isVersion6($0) == line.address.isVersion6 }
            if let same = old.first(where: { text.content($0).elementsEqual(wanted) }) {
                old.removeAll { $0 == same }
            } else {
                // Before the old one dies: the name is always there.
                try append(
                    wanted, to: file, of: bytes.count, isEnded: bytes.last.map { $0 == HostsLines.newline } ?? true)
            }
            for line in old { try kill(line, file) }
        }
    }

    /// Takes a container's lines of a network out.
    package static func remove(container: String, network: String, from path: String) throws(EngineError) {
        try edit(path) { file, bytes throws(Errno) in
            let text = HostsLines(bytes)
            for line in text.living(PeerLine.mark(container: container, network: network)) { try kill(line, file) }
        }
    }

    private static func edit(
        _ path: String, _ body: (Int32, [UInt8]) throws(Errno) -> Void
    ) throws(EngineError) {
        try call("edit", path) { () throws(Errno) in
            let file = try File.open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY)
            let status = try File.status(file.raw)
            guard status.isRegular, status.size <= limit else { return }
            let bytes = try File.readAll(file.raw, limit: 2 * limit)
            try body(file.raw, bytes)
            try compact(file.raw)
        }
    }

    /// By one write into one page: a reader sees the line whole or not at all, since the kernel moves a file's end by what
    /// it has copied into each page (generic_perform_write of mm/filemap.c).
    private static func append(
        _ line: [UInt8], to file: Int32, of size: Int, isEnded: Bool
    ) throws(Errno) {
        let text = (isEnded ? [] : [HostsLines.newline]) + line + [HostsLines.newline]
        let gap = HostsLines.gap(at: size, for: text.count)
        if gap == 0 { return try write(file, text, at: size) }
        try write(file, [UInt8](repeating: HostsLines.newline, count: gap), at: size)
        try write(file, line + [HostsLines.newline], at: size + gap)
    }

    /// Makes a comment of the line: one byte, so that no reader sees half of it.
    private static func kill(_ line: Range<Int>, _ file: Int32) throws(Errno) {
        try write(file, [HostsLines.comment], at: line.lowerBound)
    }

    /// Removes dead lines where there are many. Only here a reader can meet a line in two places.
    private static func compact(_ file: Int32) throws(Errno) {
        guard try File.status(file).size > deadLimit else { return }
        _ = try check { lseek(file, 0, SEEK_SET) }
        let bytes = try File.readAll(file, limit: 2 * limit)
        let text = HostsLines(bytes)
        guard text.deadBytes > deadLimit else { return }
        let living = text.withoutDead
        // Empty lines first: what is behind the new end is nothing already when the file is cut there.
        let padding = [UInt8](repeating: HostsLines.newline, count: bytes.count - living.count)
        try write(file, living + padding, at: 0)
        try check { ftruncate(file, off_t(living.count)) }
    }

    private static func write(_ file: Int32, _ bytes: [UInt8], at offset: Int) throws(Errno) {
        var done = 0
        while done < bytes.count {
            done += try check {
                bytes[done...].withUnsafeBytes { pwrite(file, $0.baseAddress, $0.count, off_t(offset + done)) }
            }
        }
    }
}

/// The lines of a hosts(5): of any content, as bytes.
struct HostsLines {
    static let newline = UInt8(ascii: "\n")
    static let comment = UInt8(ascii: "#")
    private static let anyMark = Array(" # runimg ".utf8)

    private let bytes: [UInt8]
    /// Without their ends.
    let lines: [Range<Int>]

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        var lines: [Range<Int>] = []
        var start = 0
        for (index, byte) in bytes.enumerated() where byte == HostsLines.newline {
            lines.append(start..<index)
            start = index + 1
        }
        if start < bytes.count { lines.append(start..<bytes.count) }
        self.lines = lines
    }

    /// The smallest of any machine's.
    private static let pageSize = 4096

    /// How many bytes lie before the next page, where so many would not fit into this one.
    static func gap(at offset: Int, for count: Int) -> Int {
        let rest = pageSize - offset % pageSize
        return count <= rest ? 0 : rest
    }

    func content(_ line: Range<Int>) -> ArraySlice<UInt8> { bytes[line] }

    /// The lines with this mark at their end that are no comments.
    func living(_ mark: String) -> [Range<Int>] {
        let mark = Array(mark.utf8)
        return lines.filter { line in
            line.count > mark.count && bytes[line.lowerBound] != HostsLines.comment
                && bytes[line].suffix(mark.count).elementsEqual(mark)
        }
    }

    func isVersion6(_ line: Range<Int>) -> Bool {
        bytes[line].prefix { $0 != UInt8(ascii: "\t") }.contains(UInt8(ascii: ":"))
    }

    /// Whether it was a line of ours: a comment that ends with a mark of ours.
    private func isDead(_ line: Range<Int>) -> Bool {
        // IDs of twelve digits with a stroke between.
        let length = HostsLines.anyMark.count + 25
        guard line.count > length, bytes[line.lowerBound] == HostsLines.comment else { return false }
        let tail = bytes[line].suffix(length)
        let ids = tail.dropFirst(HostsLines.anyMark.count)
        return tail.starts(with: HostsLines.anyMark) && ids[ids.startIndex + 12] == UInt8(ascii: "/")
            && ids.enumerated().allSatisfy { index, byte in index == 12 || "0123456789abcdef".utf8.contains(byte) }
    }

    var deadBytes: Int { lines.filter(isDead).reduce(0) { $0 + $1.count + 1 } }

    var withoutDead: [UInt8] {
        lines.filter { !isDead($0) }.flatMap { line in
            // A last line without an end stays without.
            Array(bytes[line.lowerBound..<min(line.upperBound + 1, bytes.count)])
        }
    }
}
