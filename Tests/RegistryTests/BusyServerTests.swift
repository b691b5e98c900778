import Glibc
import OCI
import Registry
import Sys
import TestSupport
import Testing

/// Servers that are busy, slow or silent, and a user who has waited enough.
@Suite struct BusyServerTests {
    typealias Response = FaultyRegistry.Response

    @Test("F10: a status that passes is tried again", arguments: [429, 500, 502, 503, 504, 408])
    func passingStatusIsTriedAgain(_ status: Int) throws {
        let blob = Blob(1000)
        let fixture = try Fixture { request, count in
            count < 3 ? Response(status) : .blob(blob.bytes, for: request)
        }
        #expect(try fixture.download(blob.descriptor) == blob.bytes)
        #expect(fixture.server.requests.count == 4)
        #expect(fixture.log.retries.first?.reason == "HTTP status \(status)")
    }

    @Test("F10: pauses grow, and there is an end") func pausesGrow() throws {
        let blob = Blob(1000)
        let fixture = try Fixture(configure: { $0.retry.basePause = 0.04 }) { _, _ in Response(503) }
        let (error, _) = try fixture.downloadError(blob.descriptor)
        #expect(error.contains("HTTP status 503"), "\(error)")
        let pauses = fixture.log.retries.map(\.seconds)
        #expect(pauses.count == 5)
        for (index, pause) in pauses.enumerated() {
            let base = 0.04 * Double(1 << index)
            #expect(pause >= base * 0.5 && pause <= base * 1.5)
        }
        let times = fixture.server.requests.map(\.time)
        for index in 1..<times.count { #expect(times[index] - times[index - 1] >= pauses[index - 1] * 0.95) }
    }

    @Test("F10: Retry-After is waited for, within its cap") func retryAfterIsWaitedForWithinItsCap() throws {
        let blob = Blob(1000)
        let fixture = try Fixture { request, count in
            switch count {
            case 0: Response(429, [("Retry-After", "1")])
            case 1: Response(503, [("Retry-After", "86400")])
            default: .blob(blob.bytes, for: request)
            }
        }
        #expect(try fixture.download(blob.descriptor) == blob.bytes)
        #expect(fixture.log.retries.map(\.seconds) == [1, 1.5])
        let times = fixture.server.requests.map(\.time)
        #expect(times[1] - times[0] >= 1)
        #expect(times[2] - times[1] >= 1.5)
    }

    @Test(arguments: [400, 405, 410, 451]) func lastingStatusIsNotTriedAgain(_ status: Int) throws {
        let blob = Blob(10)
        let fixture = try Fixture { _, _ in Response(status) }
        let (error, _) = try fixture.downloadError(blob.descriptor)
        #expect(error.contains("HTTP status \(status)"), "\(error)")
        #expect(fixture.server.requests.count == 1)
    }

    @Test("F13: a server that hangs up without a word is tried again") func silentServerIsTriedAgain() throws {
        let blob = Blob(10)
        let fixture = try Fixture { request, count in
            var response = Response.blob(blob.bytes, for: request)
            response.isSilent = count < 2
            return response
        }
        #expect(try fixture.download(blob.descriptor) == blob.bytes)
    }

    @Test("F13: a slow transfer is given up and gone on with") func slowTransferIsGivenUpAndGoneOnWith() throws {
        let blob = Blob(50_000)
        let configure: (inout RegistryConfiguration) -> Void = {
            $0.timeouts.slowBytesPerSecond = 20_000
            $0.timeouts.slowPeriod = 1
        }
        let fixture = try Fixture(configure: configure) { request, count in
            var response = Response.blob(blob.bytes, for: request)
            if count == 0 { response.bytesPerSecond = 2000 }
            return response
        }
        #expect(try fixture.download(blob.descriptor) == blob.bytes)
        #expect(fixture.log.retries.first?.reason.contains("less than 20000 bytes/s for 1 s") ?? false)
    }

    private static func impatient(_ configuration: inout RegistryConfiguration) {
        configuration.timeouts.connect = 1
        configuration.timeouts.slowPeriod = 1
        configuration.retry.retries = 1
    }

    @Test("F13: headers that come a byte at a time are given up") func drippedHeadersAreGivenUp() throws {
        let fixture = try Fixture(configure: BusyServerTests.impatient) { request, _ in
            var response = Response.blob(Blob(10).bytes, for: request)
            response.headBytesPerSecond = 10
            return response
        }
        let (error, _) = try fixture.downloadError(Blob(10).descriptor)
        #expect(error.contains("\(fixture.server.host): less than 1024 bytes/s for 1 s"), "\(error)")
        #expect(fixture.server.requests.count == 2)
    }

    @Test("F13: a body that comes a byte at a time is given up") func drippedBodyIsGivenUp() throws {
        let blob = Blob(1000)
        let fixture = try Fixture(configure: BusyServerTests.impatient) { request, _ in
            var response = Response.blob(blob.bytes, for: request)
            response.bytesPerSecond = 10
            return response
        }
        let (error, file) = try fixture.downloadError(blob.descriptor)
        #expect(error.contains("less than 1024 bytes/s for 1 s"), "\(error)")
        #expect(!file.isEmpty && file == Array(blob.bytes.prefix(file.count)))
        // What dripped in is kept, and not asked for again.
        #expect((fixture.server.requests.last?.rangeStart ?? 0) > 0)
    }

    @Test("F13: a server that says nothing is given up") func silenceIsGivenUp() throws {
        let fixture = try Fixture(configure: BusyServerTests.impatient) { _, _ in
            var response = Response(200)
            response.delay = 60
            return response
        }
        let (error, _) = try fixture.downloadError(Blob(10).descriptor)
        #expect(error.contains("less than 1024 bytes/s for 1 s"), "\(error)")
        #expect(fixture.server.requests.count == 2)
    }

    /// A listening socket whose owner never answers: the kernel makes the connection, and TLS waits.
    @Test("F13: a socket that says nothing is given up, and an interruption ends the wait") func silentSocket() throws {
        let listener = OwnedFD(adopting: try check { socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0) })
        let number = listener.raw
        try check { listen(number, 8) }
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        try withUnsafeMutablePointer(to: &address) { pointer in
            _ = try pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
                try check { getsockname(number, .init(__sockaddr__: raw), &size) }
            }
        }
        let host = "127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        let log = Fixture.Log()
        var configuration = RegistryConfiguration()
        func fetch() -> String {
            message { () throws(RegistryError) in
                let name = Reference(domain: host, path: "a", tag: nil, digest: nil)
                _ = try RegistryClient(reference: name, configuration: configuration, observer: log.observer)
                    .manifest(.tag("latest"))
            }
        }
        BusyServerTests.impatient(&configuration)
        let error = fetch()
        #expect(error.contains("\(host): no connection within 1 s"), "\(error)")

        configuration.timeouts = Timeouts()
        let thread = Background { () -> String in
            Wait.sleep(0.3)
            log.interrupt()
            return ""
        }
        #expect(fetch() == "interrupted")
        _ = thread.value
    }

    @Test("F13: an interruption ends a download") func interruptionEndsWithinASecond() throws {
        let blob = Blob(1_000_000)
        let fixture = try Fixture { request, _ in
            var response = Response.blob(blob.bytes, for: request)
            response.bytesPerSecond = 100_000
            return response
        }
        let start = Wait.now
        let (error, _) = try fixture.downloadError(blob.descriptor) { held in
            if held > 10_000 { fixture.log.interrupt() }
        }
        #expect(error == "interrupted")
        #expect(Wait.now - start < 2)
    }

    @Test func interruptionEndsAPauseAndAStall() throws {
        let fixture = try Fixture(configure: { $0.retry.longestPause = 60 }) { _, count in
            Response(503, [("Retry-After", "50")])
        }
        let thread = Background { () -> String in
            Wait.sleep(0.3)
            fixture.log.interrupt()
            return ""
        }
        let start = Wait.now
        let (error, _) = try fixture.downloadError(Blob(10).descriptor)
        #expect(error == "interrupted")
        #expect(Wait.now - start < 2)
        _ = thread.value
    }

    @Test("F13: an interruption ends the wait for an answer") func interruptionEndsAWaitForAnAnswer() throws {
        let blob = Blob(10)
        let fixture = try Fixture { request, _ in
            var response = Response.blob(blob.bytes, for: request)
            response.delay = 20
            return response
        }
        let thread = Background { () -> Double in
            Wait.sleep(0.3)
            fixture.log.interrupt()
            return Wait.now
        }
        let (error, _) = try fixture.downloadError(blob.descriptor)
        #expect(error == "interrupted")
        #expect(Wait.now - thread.value < 2)
    }
}
