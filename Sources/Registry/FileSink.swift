internal import CLinux
internal import Glibc
internal import Sys

/// Small pieces of a stream made large ones.
private struct PieceBuffer {
    private static let capacity = 256 << 10
    /// Nanoseconds that a piece waits for others at most, as long as others come.
    private static let patience: Int64 = 50_000_000

    private let bytes = Block(capacity)
    private var start = 0
    private var end = 0
    private var since: Int64 = 0

    /// Freed with its last owner.
    private final class Block {
        let bytes: UnsafeMutableRawBufferPointer

        init(_ count: Int) { bytes = .allocate(byteCount: count, alignment: 64) }

        deinit { bytes.deallocate() }
    }

    var count: Int { end - start }
    var isFull: Bool { end == PieceBuffer.capacity }
    var isOld: Bool { count > 0 && Clock.monotonicNanoseconds - since >= PieceBuffer.patience }
    /// Valid until the next change.
    var held: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes.bytes[start..<end]) }

    /// Returns how many bytes there was room for.
    mutating func take(_ part: UnsafeRawBufferPointer) -> Int {
        if count == 0 { since = Clock.monotonicNanoseconds }
        let taken = min(part.count, PieceBuffer.capacity - end)
        UnsafeMutableRawBufferPointer(rebasing: bytes.bytes[end...])
            .copyMemory(from: UnsafeRawBufferPointer(rebasing: part[..<taken]))
        end += taken
        return taken
    }

    /// Forgets the first of them.
    mutating func drop(_ number: Int) {
        start += number
        if start == end { (start, end) = (0, 0) }
    }

    mutating func drop() { (start, end) = (0, 0) }
}

/// A blob on its way into a file, at the place where the last response ended. What a response says about its place is
/// checked before a byte of it is written: pieces of different answers are never joined on trust.
final class FileSink: BodySink {
    /// Bytes by which the disk is behind at least, so that it has whole extents to write.
    private static let writeBehind: Int64 = 8 << 20

    private let file: Int32
    let size: Int64
    private let progress: (Int64) -> Void
    private var pieces: PieceBuffer
    /// How many bytes of the blob the file holds.
    private(set) var offset: Int64
    /// What the disk was asked to begin with, up to here.
    private var begun: Int64
    /// The furthest that it ever got.
    private(set) var furthest: Int64
    /// Set when a server answered a range wrongly: from then on the whole is asked for.
    private(set) var wantsWhole = false
    /// Set when a server had more bytes than the blob has: none of them can be trusted to be its.
    private(set) var isSpoiled = false
    private var shortage = Shortage()
    /// Whose turn it is.
    var giver = DownloadRecord.unknown
    /// Whose bytes the file holds.
    private(set) var givers: Set<Int> = []

    init(file: Int32, size: Int64, offset: Int64, progress: @escaping (Int64) -> Void) {
        self.file = file
        self.size = size
        self.offset = offset
        self.furthest = offset
        begun = offset
        pieces = PieceBuffer()
        self.progress = progress
        if offset > 0 { givers = [DownloadRecord.unknown] }
    }

    var isComplete: Bool { offset == size }

    /// Where the next request starts; nil asks for the whole.
    var resumeOffset: Int64? { offset > 0 && !wantsWhole ? offset : nil }

    func begin(_ head: ResponseHead) throws(Fault) {
        try flush()
        switch head.status {
        case 206: try check(range: head)
        case 200: if offset > 0 { try restart() }
        default: throw .refused("HTTP status \(head.status) for a blob")
        }
        if let length = head.contentLength, length > size - offset { throw spoiled() }
    }

    private func check(range head: ResponseHead) throws(Fault) {
        guard let range = head.contentRange, range.first == offset, range.last < size,
            range.total == nil || range.total == size
        else {
            wantsWhole = true
            throw .broken("wrong Content-Range in answer to a request from byte \(offset)")
        }
    }

    /// Empties the file: what it holds can't be continued.
    func restart() throws(Fault) {
        let fd = file
        do throws(Errno) {
            try Sys.check { ftruncate(fd, 0) }
        } catch {
            throw .file(operation: "truncate", error)
        }
        pieces.drop()
        offset = 0
        begun = 0
        givers = []
        isSpoiled = false
        progress(0)
    }

    /// libcurl hands over 16 KiB at a time, whatever it received: they go into the file, and are told of, by the buffer, but
    /// none waits long for others.
    func write(_ part: UnsafeRawBufferPointer) throws(Fault) {
        guard Int64(part.count) <= size - offset - Int64(pieces.count) else { throw spoiled() }
        givers.insert(giver)
        var rest = part
        while !rest.isEmpty {
            rest = UnsafeRawBufferPointer(rebasing: rest[pieces.take(rest)...])
            if pieces.isFull { try flush() }
        }
        if pieces.isOld || offset + Int64(pieces.count) == size { try flush() }
    }

    /// Writes what is held back. To be called behind each response, good or not: the next one begins where the file ends.
    func flush() throws(Fault) {
        while pieces.count > 0 {
            let (fd, at, now) = (file, offset, pieces.held)
            do throws(Errno) {
                let count = try Sys.check { pwrite(fd, now.baseAddress, now.count, off_t(at)) }
                offset += Int64(count)
                pieces.drop(count)
            } catch {
                throw .file(operation: "write", error)
            }
            furthest = max(furthest, offset)
            progress(offset)
        }
        if offset - begun >= FileSink.writeBehind {
            File.beginWriting(file, at: begun, count: offset - begun)
            begun = offset
        }
    }

    /// Why a good response did not complete the blob.
    func shortage(_ head: ResponseHead, endpoint: String) -> Fault {
        let fault = shortage.judge(offset, of: size, head, endpoint)
        if case .refused = fault { isSpoiled = true }
        return fault
    }

    private func spoiled() -> Fault {
        isSpoiled = true
        return .refused("the blob has more than the \(size) bytes that its descriptor says")
    }
}
