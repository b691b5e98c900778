import OCI
import Registry
import Synchronization
import Sys
import TestSupport
import Testing

/// Several endpoints, of which some are slow, broken or lying in the middle of a blob.
@Suite struct FailoverTests {
    typealias Response = FaultyRegistry.Response

    private static func client(
        _ mirrors: [FaultyRegistry], health: EndpointHealth = EndpointHealth(), log: Fixture.Log = Fixture.Log()
    ) throws -> RegistryClient {
        var configuration = RegistryConfiguration()
        configuration.rules = .hubMirrors(mirrors.map(\.url))
        configuration.retry = Fixture.fastRetries
        configuration.timeouts.slowBesideBytesPerSecond = 80_000
        configuration.timeouts.slowBesidePeriod = 1
        configuration.health = health
        // docker.io itself is not there.
        configuration.environment = ["HTTPS_PROXY": "http://127.0.0.1:1"]
        return try RegistryClient(
            reference: Reference(parsing: "test/image"), configuration: configuration, observer: log.observer)
    }

    private static func serving(_ blob: Blob, rate: Int? = nil) throws -> FaultyRegistry {
        try FaultyRegistry { request, _ in
            var response = Response.blob(blob.bytes, for: request)
            response.bytesPerSecond = rate
            return response
        }
    }

    @Test("F13: a slow mirror is left in the middle of a blob, and the next gives the rest")
    func slowMirrorIsLeft() throws {
        let blob = Blob(400_000)
        let (slow, quick) = (try Self.serving(blob, rate: 20_000), try Self.serving(blob))
        let client = try Self.client([slow, quick])
        let scratch = try Scratch()
        try client.download(blob.descriptor, toFile: scratch.file("blob", ""))
        #expect(Digest.of(contents(scratch("blob"))) == blob.descriptor.digest)
        #expect(slow.requests.count == 1)
        #expect(quick.requests.count == 1 && (quick.requests[0].rangeStart ?? 0) > 0)
    }

    @Test("F13: where all places are slow the patient turn goes on") func slowIsBetterThanNothing() throws {
        let blob = Blob(150_000)
        let first = try Self.serving(blob, rate: 30_000)
        let second = try Self.serving(blob, rate: 30_000)
        let client = try Self.client([first, second])
        let scratch = try Scratch()
        try client.download(blob.descriptor, toFile: scratch.file("blob", ""))
        #expect(Digest.of(contents(scratch("blob"))) == blob.descriptor.digest)
        #expect(first.requests.count == 2 && second.requests.count == 1)
        #expect((first.requests[1].rangeStart ?? 0) > (second.requests[0].rangeStart ?? 0))
    }

    @Test("F11: a mirror that is busy is not waited for while there is another") func busyMirrorIsNotWaitedFor() throws
    {
        let blob = Blob(1000)
        let busy = try FaultyRegistry { _, _ in Response(503, [("Retry-After", "50")]) }
        let good = try Self.serving(blob)
        let log = Fixture.Log()
        let client = try Self.client([busy, good], log: log)
        let scratch = try Scratch()
        try client.download(blob.descriptor, toFile: scratch.file("blob", ""))
        #expect(busy.requests.count == 1 && good.requests.count == 1)
        #expect(log.retries.isEmpty)
    }

    @Test("F11: a mirror that failed has its retries when the others have failed") func patienceComesLast() throws {
        let blob = Blob(1000)
        let busy = try FaultyRegistry { request, count in
            count < 4 ? Response(503) : .blob(blob.bytes, for: request)
        }
        let lacking = try FaultyRegistry { _, _ in .error(404, "BLOB_UNKNOWN", "blob unknown") }
        let client = try Self.client([busy, lacking])
        let scratch = try Scratch()
        try client.download(blob.descriptor, toFile: scratch.file("blob", ""))
        #expect(Digest.of(contents(scratch("blob"))) == blob.descriptor.digest)
        #expect(busy.requests.count == 5 && lacking.requests.count == 1)
    }

    // MARK: Wrong bytes

    /// Its bytes are wrong, and it breaks off in the middle: what the next one adds makes a blob of two.
    @Test("F12: a blob of two places whose digest is wrong comes anew from one") func mixedBlobComesAnew() throws {
        let blob = Blob(100_000)
        let liar = try FaultyRegistry { request, _ in
            var response = Response.blob([UInt8](repeating: 7, count: 100_000), for: request)
            response.cutAfter = request.rangeStart == nil ? 40_000 : 0
            return response
        }
        let good = try Self.serving(blob)
        let health = EndpointHealth()
        let client = try Self.client([liar, good], health: health)
        let scratch = try Scratch()
        try client.download(blob.descriptor, toFile: scratch.file("1", ""))
        #expect(Digest.of(contents(scratch("1"))) != blob.descriptor.digest)
        #expect(client.distrust(blob.descriptor.digest))
        try client.download(blob.descriptor, toFile: scratch.file("2", ""))
        #expect(Digest.of(contents(scratch("2"))) == blob.descriptor.digest)
        #expect(good.requests.map { $0.header("Range") } == ["bytes=40000-", nil])
        #expect(health.illness(of: good.host) == nil)
    }

    /// The one that breaks off comes first once more: nothing of it is gone on with.
    @Test("F12: a doubted blob is not put together from several places") func doubtedBlobIsWhole() throws {
        let blob = Blob(100_000)
        let first = try FaultyRegistry { request, _ in
            var response = Response.blob([UInt8](repeating: 7, count: 100_000), for: request)
            response.cutAfter = request.rangeStart == nil ? 60_000 : 0
            return response
        }
        let second = try Self.serving(blob)
        let client = try Self.client([first, second])
        let scratch = try Scratch()
        // As if an earlier pull had begun it.
        _ = client.distrust(blob.descriptor.digest)
        try client.download(blob.descriptor, toFile: scratch.file("blob", ""))
        #expect(Digest.of(contents(scratch("blob"))) == blob.descriptor.digest)
        #expect(second.requests.map { $0.header("Range") } == [nil])
    }

    @Test("F12: of places that all lie each is asked for the whole once") func everyoneLies() throws {
        let wrong: FaultyRegistry.Handler = { _, _ in Response(200, body: [UInt8](repeating: 7, count: 1000)) }
        let (first, second) = (try FaultyRegistry(wrong), try FaultyRegistry(wrong))
        let health = EndpointHealth()
        let client = try Self.client([first, second], health: health)
        let scratch = try Scratch()
        let blob = Blob(1000)
        for number in 1...2 {
            try client.download(blob.descriptor, toFile: scratch.file("\(number)", ""))
            #expect(client.distrust(blob.descriptor.digest))
        }
        // docker.io is left, which is not there.
        let error = message { () throws(RegistryError) in
            try client.download(blob.descriptor, toFile: scratch("2"))
        }
        #expect(error.contains("\(first.host) (the bytes that it gave were wrong)"), "\(error)")
        #expect(first.requests.count == 1 && second.requests.count == 1)
        #expect(health.illness(of: first.host) != nil && health.illness(of: second.host) != nil)
    }

    // MARK: Illness

    @Test func whoWasIllIsAskedLast() throws {
        let blob = Blob(1000)
        let (first, second) = (try Self.serving(blob), try Self.serving(blob))
        let now = Clock.bootNanoseconds
        func asked(_ until: Int64) throws -> Bool {
            let health = EndpointHealth([first.host: .init(until: until, reason: "it was dead")])
            let scratch = try Scratch()
            let before = first.requests.count
            try Self.client([first, second], health: health)
                .download(blob.descriptor, toFile: scratch.file("blob", ""))
            return first.requests.count > before
        }
        #expect(try !asked(now + EndpointHealth.lifetime / 2))
        // Over, or of another boot.
        #expect(try asked(now - 1))
        #expect(try asked(now + 2 * EndpointHealth.lifetime))
    }

    @Test func whoIsIllIsReportedOnce() throws {
        let blob = Blob(1000)
        let reported = Mutex<[String]>([])
        let health = EndpointHealth { endpoint, _ in reported.withLock { $0.append(endpoint) } }
        let dead = try FaultyRegistry { _, _ in
            var response = Response(200)
            response.isSilent = true
            return response
        }
        let good = try Self.serving(blob)
        for number in 1...3 {
            let scratch = try Scratch()
            try Self.client([dead, good], health: health)
                .download(blob.descriptor, toFile: scratch.file("\(number)", ""))
        }
        #expect(reported.withLock { $0 } == [dead.host])
        // Its first turn and one repetition.
        #expect(dead.requests.count == 2)
        // Alone it is asked whatever is known of it, and nobody is told.
        let alone = try RegistryClient(
            reference: Reference(parsing: "\(good.host)/test/image"), configuration: RegistryConfiguration())
        let scratch = try Scratch()
        try alone.download(blob.descriptor, toFile: scratch.file("x", ""))
        #expect(reported.withLock { $0.count } == 1)
    }
}
