internal import CLinux
internal import Glibc
internal import Sys

/// Takes the body of a response with a 2xx status; other bodies are error texts and never get here.
protocol BodySink: AnyObject {
    /// Before the first byte of each response.
    func begin(_ head: ResponseHead) throws(Fault)
    func write(_ bytes: UnsafeRawBufferPointer) throws(Fault)
}

/// No body: what Content-Length says in answer to HEAD is about another request.
final class NoBody: BodySink {
    func begin(_ head: ResponseHead) throws(Fault) {}
    func write(_ bytes: UnsafeRawBufferPointer) throws(Fault) {}
}

/// A bounded body in memory.
final class MemorySink: BodySink {
    private(set) var bytes: [UInt8] = []
    private let limit: Int
    private let what: String

    /// `what` is named in the message when there are more bytes than `limit`.
    init(limit: Int, what: String) {
        self.limit = limit
        self.what = what
    }

    func begin(_ head: ResponseHead) throws(Fault) {
        bytes = []
        if let length = head.contentLength, length > Int64(limit) { throw tooLong }
    }

    func write(_ part: UnsafeRawBufferPointer) throws(Fault) {
        guard part.count <= limit - bytes.count else { throw tooLong }
        bytes.append(contentsOf: part)
    }

    private var tooLong: Fault { .refused("\(what) has more than \(limit) bytes, the limit") }
}

/// Tells a body that was cut, which is worth another try, from one that is too short: a server that ends at the same
/// byte twice, and says itself that the end is there, has no more.
struct Shortage {
    private var last: (endpoint: String, offset: Int64)?

    mutating func judge(_ offset: Int64, of size: Int64, _ head: ResponseHead, _ endpoint: String) -> Fault {
        let words = "the blob ended after \(offset) of \(size) bytes"
        let isRepeated = last?.endpoint == endpoint && last?.offset == offset
        last = head.isDelimited ? (endpoint, offset) : nil
        return isRepeated && head.isDelimited ? .refused("\(words), and again when it was asked anew") : .broken(words)
    }
}

/// A blob on its way into a file, at the place where the last response ended. What a response says about its place is
/// checked before a byte of it is written: pieces of different answers are never joined on trust.
final class FileSink: BodySink {
    private let file: Int32
    let size: Int64
    private let progress: (Int64) -> Void
    /// How many bytes of the blob the file holds.
    private(set) var offset: Int64
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
        self.progress = progress
        if offset > 0 { givers = [DownloadRecord.unknown] }
    }

    var isComplete: Bool { offset == size }

    /// Where the next request starts; nil asks for the whole.
    var resumeOffset: Int64? { offset > 0 && !wantsWhole ? offset : nil }

    func begin(_ head: ResponseHead) throws(Fault) {
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
        offset = 0
        givers = []
        isSpoiled = false
        progress(0)
    }

    func write(_ part: UnsafeRawBufferPointer) throws(Fault) {
        guard Int64(part.count) <= size - offset else { throw spoiled() }
        givers.insert(giver)
        var rest = part
        while !rest.isEmpty {
            let (fd, at, now) = (file, offset, rest)
            do throws(Errno) {
                let count = try Sys.check { pwrite(fd, now.baseAddress, now.count, off_t(at)) }
                offset += Int64(count)
                rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(count))
            } catch {
                throw .file(operation: "write", error)
            }
        }
        furthest = max(furthest, offset)
        progress(offset)
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
