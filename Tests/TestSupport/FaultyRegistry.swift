internal import CLinux
internal import Glibc
internal import Synchronization
internal import Sys

/// An HTTP/1.1 server on the loopback interface that does what a good registry never does: each answer is what the test
/// says, down to where the connection is cut. A TLS handshake is answered with plain 400, as plain servers do. Stops
/// when the value goes away.
package final class FaultyRegistry: Sendable {
    package struct Request: Sendable, CustomStringConvertible {
        package let method: String
        /// With the query.
        package let target: String
        package let fields: [(name: String, value: String)]
        package let body: [UInt8]
        /// Seconds on CLOCK_MONOTONIC when it was read.
        package let time: Double

        package var path: String { String(target.prefix { $0 != "?" }) }
        package var description: String { "\(method) \(target)" }

        package func header(_ name: String) -> String? {
            fields.first { $0.name.lowercased() == name.lowercased() }?.value
        }

        /// N of `Range: bytes=N-`.
        package var rangeStart: Int? {
            header("Range").flatMap {
                $0.hasPrefix("bytes=") && $0.hasSuffix("-") ? Int($0.dropFirst(6).dropLast()) : nil
            }
        }
    }

    package struct Response: Sendable {
        package var status: Int
        package var fields: [(name: String, value: String)]
        package var body: [UInt8]
        /// What Content-Length says; nil: nothing, and the end of the connection ends the body.
        package var length: Int?
        /// The connection is cut behind this many bytes of the body.
        package var cutAfter: Int?
        /// The body is repeated until the client goes.
        package var isEndless = false
        package var bytesPerSecond: Int?
        /// Seconds before the first byte.
        package var delay = 0.0
        /// The connection is cut instead of an answer.
        package var isSilent = false
        /// The status line and the fields come this slowly (0.1: a byte in ten seconds).
        package var headBytesPerSecond: Double?
        /// Header fields without end, until the client goes.
        package var hasEndlessFields = false
        /// Sent as it is instead of all else; then the connection is cut.
        package var raw: [UInt8]?

        package init(_ status: Int, _ fields: [(name: String, value: String)] = [], body: [UInt8] = []) {
            self.status = status
            self.fields = fields
            self.body = body
            length = body.count
        }

        package init(_ status: Int, _ fields: [(name: String, value: String)] = [], text: String) {
            self.init(status, fields, body: Array(text.utf8))
        }

        /// A blob or the part of it that the request's range starts at, as a good registry sends it.
        package static func blob(_ bytes: [UInt8], for request: Request) -> Response {
            guard let start = request.rangeStart else { return Response(200, body: bytes) }
            guard start < bytes.count else { return Response(416, [("Content-Range", "bytes */\(bytes.count)")]) }
            let range = "bytes \(start)-\(bytes.count - 1)/\(bytes.count)"
            return Response(206, [("Content-Range", range)], body: Array(bytes[start...]))
        }

        package static func redirect(_ location: String, status: Int = 307) -> Response {
            Response(status, [("Location", location)])
        }

        package static func error(_ status: Int, _ code: String, _ message: String) -> Response {
            Response(
                status, [("Content-Type", "application/json")],
                text: #"{"errors":[{"code":"\#(code)","message":"\#(message)"}]}"#)
        }
    }

    /// Answers a request; `count` says how many came to the same path before it.
    package typealias Handler = @Sendable (_ request: Request, _ count: Int) -> Response

    private let server: Server

    package init(_ handler: @escaping Handler) throws {
        server = try Server(handler)
    }

    deinit { server.stop() }

    package var port: UInt16 { server.port }
    /// `127.0.0.1:PORT`.
    package var host: String { "127.0.0.1:\(port)" }
    package var url: String { "http://\(host)" }

    /// All requests so far, in the order in which they were read.
    package var requests: [Request] { server.requests }

    package func requests(to path: String) -> [Request] { requests.filter { $0.path == path } }
}

/// The listening socket, its threads and what they have seen.
private final class Server: Sendable {
    let port: UInt16
    private let listener: Int32
    private let handler: FaultyRegistry.Handler
    private let state = Mutex(State())

    private struct State {
        var requests: [FaultyRegistry.Request] = []
        var connections: Set<Int32> = []
        var threads = 0
        var isStopping = false
    }

    var requests: [FaultyRegistry.Request] { state.withLock(\.requests) }

    init(_ handler: @escaping FaultyRegistry.Handler) throws {
        self.handler = handler
        let fd = OwnedFD(adopting: try check { socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0) })
        let number = fd.raw
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                try check { bind(number, .init(__sockaddr__: raw), size) }
                try check { listen(number, 64) }
                try check { getsockname(number, .init(__sockaddr__: raw), &size) }
            }
        }
        port = UInt16(bigEndian: address.sin_port)
        listener = fd.release()
        start { $0.accept() }
    }

    /// Wakes all threads up and waits for them.
    func stop() {
        state.withLock { state in
            state.isStopping = true
            for fd in state.connections { shutdown(fd, Int32(SHUT_RDWR)) }
        }
        shutdown(listener, Int32(SHUT_RDWR))
        while state.withLock({ $0.threads > 0 }) { usleep(2000) }
        close(listener)
    }

    private struct Work {
        let server: Server
        let body: @Sendable (Server) -> Void
    }

    private func start(_ body: @escaping @Sendable (Server) -> Void) {
        state.withLock { $0.threads += 1 }
        let work = UnsafeMutablePointer<Work>.allocate(capacity: 1)
        work.initialize(to: Work(server: self, body: body))
        var thread = pthread_t()
        let status = pthread_create(
            &thread, nil,
            { raw in
                guard let work = raw?.assumingMemoryBound(to: Work.self) else { return nil }
                let (server, body) = (work.pointee.server, work.pointee.body)
                body(server)
                work.deinitialize(count: 1)
                work.deallocate()
                server.state.withLock { $0.threads -= 1 }
                return nil
            }, work)
        precondition(status == 0, "pthread_create")
        pthread_detach(thread)
    }

    private func accept() {
        while true {
            let fd = accept4(listener, .init(__sockaddr__: nil), nil, Int32(SOCK_CLOEXEC.rawValue))
            if fd < 0 {
                if errno == EINTR || errno == ECONNABORTED { continue }
                return
            }
            let isWelcome = state.withLock { state in
                if !state.isStopping { state.connections.insert(fd) }
                return !state.isStopping
            }
            guard isWelcome else {
                close(fd)
                return
            }
            start { server in
                server.serve(fd)
                server.state.withLock { _ = $0.connections.remove(fd) }
                close(fd)
            }
        }
    }

    private func serve(_ fd: Int32) {
        var connection = FaultyConnection(fd: fd)
        while let request = connection.read() {
            let count = state.withLock { state in
                state.requests.append(request)
                return state.requests.count { $0.path == request.path } - 1
            }
            let response = handler(request, count)
            let pause: (Double) -> Void = { seconds in
                _ = Wait.until(seconds: seconds) { self.state.withLock(\.isStopping) }
            }
            pause(response.delay)
            guard connection.send(response, pause: pause) else { return }
        }
    }
}
