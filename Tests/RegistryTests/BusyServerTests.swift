import OCI
import Registry
import TestSupport
import Testing

/// Servers that are busy, slow or silent, and a user who has waited enough.
@Suite struct BusyServerTests {
    typealias Response = FaultyRegistry.Response

    @Test(arguments: [429, 500, 502, 503, 504, 408]) func passingStatusIsTriedAgain(_ status: Int) throws {
        let blob = Blob(1000)
        let fixture = try Fixture { request, count in
            count < 3 ? Response(status) : .blob(blob.bytes, for: request)
        }
        #expect(try fixture.download(blob.descriptor) == blob.bytes)
        #expect(fixture.server.requests.count == 4)
        #expect(fixture.log.retries.first?.reason == "HTTP status \(status)")
    }

    @Test func pausesGrow() throws {
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

    @Test func retryAfterIsWaitedForWithinItsCap() throws {
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

    @Test func silentServerIsTriedAgain() throws {
        let blob = Blob(10)
        let fixture = try Fixture { request, count in
            var response = Response.blob(blob.bytes, for: request)
            response.isSilent = count < 2
            return response
        }
        #expect(try fixture.download(blob.descriptor) == blob.bytes)
    }

    @Test func slowTransferIsGivenUpAndGoneOnWith() throws {
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

    @Test func interruptionEndsWithinASecond() throws {
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

    @Test func interruptionEndsAWaitForAnAnswer() throws {
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
