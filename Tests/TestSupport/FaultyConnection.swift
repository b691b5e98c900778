internal import Glibc
internal import Sys

/// One connection's bytes.
struct FaultyConnection {
    let fd: Int32
    private var buffer: [UInt8] = []

    init(fd: Int32) { self.fd = fd }

    /// The next request, or nil at the end of the connection or of good manners.
    mutating func read() -> FaultyRegistry.Request? {
        let end = Array("\r\n\r\n".utf8)
        while true {
            if buffer.first == 0x16 {
                _ = write(Array("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\nplain HTTP here".utf8))
                return nil
            }
            if let headEnd = buffer.firstRange(of: end) {
                let head = String(decoding: buffer[..<headEnd.lowerBound], as: UTF8.self)
                buffer.removeSubrange(..<headEnd.upperBound)
                return request(head)
            }
            guard buffer.count < 1 << 20, fill() else { return nil }
        }
    }

    private mutating func request(_ head: String) -> FaultyRegistry.Request? {
        let lines = head.split(separator: "\r\n")
        let words = (lines.first ?? "").split(separator: " ")
        guard words.count == 3 else { return nil }
        let fields = lines.dropFirst().map { line in
            let colon = line.firstIndex(of: ":") ?? line.endIndex
            return (name: String(line[..<colon]), value: String(line[colon...].dropFirst().drop { $0 == " " }))
        }
        let length = fields.first { $0.name.lowercased() == "content-length" }.flatMap { Int($0.value) } ?? 0
        while buffer.count < length { guard fill() else { return nil } }
        let body = Array(buffer.prefix(length))
        buffer.removeFirst(body.count)
        return FaultyRegistry.Request(
            method: String(words[0]), target: String(words[1]), fields: fields, body: body, time: Wait.now)
    }

    private mutating func fill() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 16384)
        let count = recv(fd, &chunk, chunk.count, 0)
        if count > 0 { buffer.append(contentsOf: chunk[..<count]) }
        return count > 0
    }

    /// Whether the connection can go on. `pause` ends early when the server stops.
    func send(_ response: FaultyRegistry.Response, pause: (Double) -> Void) -> Bool {
        if response.isSilent { return false }
        if let raw = response.raw {
            _ = write(raw)
            return false
        }
        guard sendHead(response, pause: pause) else { return false }
        if response.isEndless {
            while write(response.body) {}
            return false
        }
        let part = response.body.prefix(response.cutAfter ?? response.body.count)
        guard write(part, rate: response.bytesPerSecond.map(Double.init), pause: pause) else { return false }
        return response.cutAfter == nil && response.length == response.body.count
    }

    private func sendHead(_ response: FaultyRegistry.Response, pause: (Double) -> Void) -> Bool {
        var head = "HTTP/1.1 \(response.status) Status\r\n"
        for (name, value) in response.fields { head += "\(name): \(value)\r\n" }
        if let length = response.length, !response.isEndless { head += "Content-Length: \(length)\r\n" }
        if response.hasEndlessFields {
            let filler = String(repeating: "a", count: 1000)
            guard write(Array(head.utf8)) else { return false }
            var number = 0
            while write(Array("X-Field-\(number): \(filler)\r\n".utf8)) { number += 1 }
            return false
        }
        return write(Array((head + "\r\n").utf8)[...], rate: response.headBytesPerSecond, pause: pause)
    }

    private func write(_ bytes: ArraySlice<UInt8>, rate: Double?, pause: (Double) -> Void) -> Bool {
        guard let rate else { return write(Array(bytes)) }
        let portion = max(1, Int(rate / 20))
        var rest = bytes
        while !rest.isEmpty {
            guard write(Array(rest.prefix(portion))) else { return false }
            rest = rest.dropFirst(portion)
            pause(Double(portion) / rate)
        }
        return true
    }

    private func write(_ bytes: [UInt8]) -> Bool {
        var start = 0
        while start < bytes.count {
            let count = bytes.withUnsafeBytes { raw in
                Glibc.send(fd, raw.baseAddress.map { $0 + start }, raw.count - start, Int32(MSG_NOSIGNAL))
            }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { return false }
            start += count
        }
        return true
    }
}
