/// A request to one URL; redirects and authentication are the caller's.
struct HTTPRequest: Sendable {
    enum Method: String, Sendable {
        case get = "GET"
        case head = "HEAD"
        case post = "POST"
        case put = "PUT"
        case patch = "PATCH"

        /// Whether a redirect of any kind may repeat it.
        var isSafe: Bool { self == .get || self == .head }
    }

    var url: WebURL
    var method = Method.get
    var body: UploadSource?
    var headers: [(name: String, value: String)] = []
    /// Seconds without a byte that are put up with; nil: as many as usual.
    var patience: Int?
}

/// What a request brings along.
enum UploadSource: Sendable {
    case bytes([UInt8])
    /// A part of an open file, borrowed; `progress` hears how much of it was taken.
    case file(Int32, offset: Int64, length: Int64, progress: @Sendable (Int64) -> Void)

    var length: Int64 {
        switch self {
        case .bytes(let bytes): Int64(bytes.count)
        case .file(_, _, let length, _): length
        }
    }
}

/// Status and headers of a response.
struct ResponseHead: Sendable, Equatable {
    let status: Int
    private(set) var fields: [Field] = []

    struct Field: Sendable, Equatable {
        /// Lower case.
        let name: String
        let value: String
    }

    init(status: Int, fields: [Field] = []) {
        self.status = status
        self.fields = fields
    }

    /// `HTTP/1.1 206 Partial Content`
    init?(statusLine: String) {
        let parts = statusLine.split(separator: " ", maxSplits: 2)
        guard parts.count >= 2, parts[0].hasPrefix("HTTP/"), let status = Int(parts[1]), (100...999).contains(status)
        else { return nil }
        self.status = status
    }

    mutating func add(line: String) {
        guard let colon = line.firstIndex(of: ":") else { return }
        let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
        fields.append(Field(name: line[..<colon].lowercased(), value: String(value)))
    }

    func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

    func value(_ name: String) -> String? { fields.first { $0.name == name }?.value }

    var isSuccess: Bool { (200...299).contains(status) }

    /// nil when absent or not a number.
    var contentLength: Int64? { value("content-length").flatMap { Int64($0) }.flatMap { $0 < 0 ? nil : $0 } }

    /// Whether the response says itself where its body ends, so that a broken connection is told from the end.
    var isDelimited: Bool {
        contentLength != nil || values("transfer-encoding").contains { $0.lowercased().contains("chunked") }
    }

    var contentRange: ContentRange? { value("content-range").flatMap { ContentRange($0) } }
}

/// `bytes 100-199/200` (RFC 9110, 14.4).
struct ContentRange: Sendable, Equatable {
    let first: Int64
    let last: Int64
    /// nil for `*`.
    let total: Int64?

    init?(_ text: String) {
        let words = text.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 2, words[0].lowercased() == "bytes" else { return nil }
        let halves = words[1].split(separator: "/", omittingEmptySubsequences: false)
        guard halves.count == 2 else { return nil }
        let ends = halves[0].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = Int64(ends[0]), let last = Int64(ends[1]), first >= 0, last >= first else {
            return nil
        }
        if halves[1] == "*" {
            total = nil
        } else {
            guard let total = Int64(halves[1]), total > last else { return nil }
            self.total = total
        }
        self.first = first
        self.last = last
    }
}
