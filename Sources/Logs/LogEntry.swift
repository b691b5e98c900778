internal import OCI

/// One entry of a container's log: a line, or a part of a line that is longer than 16 KiB.
package struct LogEntry: Sendable, Hashable {
    package enum Stream: String, Sendable, Hashable {
        case stdout, stderr
    }

    package var stream: Stream
    package var time: LogTime
    /// As the container wrote it; ends with a newline unless more of the line follows, or it was the stream's end.
    package var text: [UInt8]
    /// What `--log-opt labels`, `env` and `tag` add.
    package var attributes: [String: String]

    package init(stream: Stream, time: LogTime, text: [UInt8], attributes: [String: String] = [:]) {
        self.stream = stream
        self.time = time
        self.text = text
        self.attributes = attributes
    }

    package var endsLine: Bool { text.last == UInt8(ascii: "\n") }
}

extension LogEntry {
    /// One line of docker's json-file format, without its newline: `{"log":"text\n","stream":"stdout","time":"…"}`.
    /// Nil when it is none.
    package init?(json line: some Collection<UInt8>) {
        guard let value = try? JSONValue(parsing: Array(line)), case .object = value,
            let time = value["time"]?.string.flatMap({ LogTime(rfc3339: $0.utf8) }),
            let stream = Stream(rawValue: value["stream"]?.string ?? "stdout")
        else { return nil }
        let text = Array((value["log"]?.string ?? "").utf8)
        self.init(stream: stream, time: time, text: text, attributes: value["attrs"]?.stringMap ?? [:])
    }
}
