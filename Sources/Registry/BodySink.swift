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
