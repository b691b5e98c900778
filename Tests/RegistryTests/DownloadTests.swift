import OCI
import Registry
import Synchronization
import TestSupport
import Testing

/// Downloads from a registry that breaks off, and lies about ranges and lengths.
@Suite struct DownloadTests {
    typealias Response = FaultyRegistry.Response

    @Test func wholeBlob() throws {
        let blob = Blob(300_000)
        let fixture = try Fixture { request, _ in .blob(blob.bytes, for: request) }
        #expect(try fixture.download(blob.descriptor) == blob.bytes)
        #expect(fixture.server.requests.map(\.path) == [blob.path])
        #expect(fixture.server.requests[0].header("Range") == nil)
        #expect(fixture.server.requests[0].header("User-Agent") == "runimg")
    }

    @Test func bytesGoIntoTheFileByTheBuffer() throws {
        let blob = Blob(16 << 20)
        let fixture = try Fixture { request, _ in .blob(blob.bytes, for: request) }
        let told = Mutex<[Int64]>([])
        let bytes = try fixture.download(blob.descriptor) { count in told.withLock { $0.append(count) } }
        #expect(bytes == blob.bytes)
        let counts = told.withLock { $0 }
        // libcurl gives 16 KiB at a time: 1024 pieces.
        #expect(counts.count < 300 && counts.last == 16 << 20 && counts == counts.sorted(), "\(counts.count)")
    }

    /// What comes slowly is there for who reads behind.
    @Test func slowBytesAreNotHeldBack() throws {
        let blob = Blob(200_000)
        let fixture = try Fixture(configure: { $0.bytesPerSecond = 100_000 }) { request, _ in
            .blob(blob.bytes, for: request)
        }
        let told = Mutex<[Int64]>([])
        let bytes = try fixture.download(blob.descriptor) { count in told.withLock { $0.append(count) } }
        #expect(bytes == blob.bytes)
        // Two seconds, and less than one buffer.
        #expect(told.withLock { $0.count } > 5)
    }

    @Test func resumesFromWhatIsThere() throws {
        let blob = Blob(300_000)
        let fixture = try Fixture { request, _ in .blob(blob.bytes, for: request) }
        #expect(try fixture.download(blob.descriptor, start: Array(blob.bytes.prefix(123_456))) == blob.bytes)
        #expect(fixture.server.requests.map { $0.header("Range") } == ["bytes=123456-"])
    }

    @Test func nothingIsAskedForAWholeFile() throws {
        let blob = Blob(1000)
        let fixture = try Fixture { request, _ in .blob(blob.bytes, for: request) }
        #expect(try fixture.download(blob.descriptor, start: blob.bytes) == blob.bytes)
        #expect(fixture.server.requests.isEmpty)
    }

    @Test func tooLongLeftoverStartsAnew() throws {
        let blob = Blob(1000)
        let fixture = try Fixture { request, _ in .blob(blob.bytes, for: request) }
        #expect(try fixture.download(blob.descriptor, start: blob.bytes + [1]) == blob.bytes)
        #expect(fixture.server.requests.map { $0.header("Range") } == [nil])
    }

    /// Cut in each of the first four answers, at a different place each time.
    @Test("F9: a download that is cut goes on from there") func resumesAfterCuts() throws {
        let blob = Blob(400_000)
        let fixture = try Fixture { request, count in
            var response = Response.blob(blob.bytes, for: request)
            if count < 4 { response.cutAfter = 50_000 + count }
            return response
        }
        #expect(try fixture.download(blob.descriptor) == blob.bytes)
        let starts = fixture.server.requests.map { $0.rangeStart ?? 0 }
        #expect(starts.count == 5)
        #expect(starts == [0, 50_000, 100_001, 150_003, 200_006])
        #expect(fixture.log.retries.map(\.retry) == [1, 2, 3, 4])
        #expect(fixture.log.retries.allSatisfy { $0.digest == blob.descriptor.digest })
    }

    /// Somewhere in each of twenty answers.
    @Test("F9: a download that is cut twenty times anywhere is the blob") func resumesAfterTwentyCuts() throws {
        let blob = Blob(500_000)
        let fixture = try Fixture(configure: { $0.retry.progressThatCounts = 1 }) { request, count in
            var response = Response.blob(blob.bytes, for: request)
            if count < 20 { response.cutAfter = Int.random(in: 1..<20_000) }
            return response
        }
        #expect(try Digest.of(fixture.download(blob.descriptor)) == blob.descriptor.digest)
        #expect(fixture.server.requests.count == 21)
    }

    @Test func givesUpAfterItsRetries() throws {
        let blob = Blob(400_000)
        let fixture = try Fixture { request, _ in
            var response = Response.blob(blob.bytes, for: request)
            response.cutAfter = 10
            return response
        }
        let (error, file) = try fixture.downloadError(blob.descriptor)
        #expect(error.contains("the connection ended before the body did"), "\(error)")
        #expect(error.contains(fixture.server.host))
        // What came is kept, and is the blob's.
        #expect(file == Array(blob.bytes.prefix(60)))
        #expect(fixture.server.requests.count == 6)
    }

    /// As long as it gets somewhere, it goes on.
    @Test func progressGivesNewRetries() throws {
        let blob = Blob(200_000)
        let fixture = try Fixture(configure: { $0.retry.progressThatCounts = 5000 }) { request, _ in
            var response = Response.blob(blob.bytes, for: request)
            response.cutAfter = 10_000
            return response
        }
        #expect(try fixture.download(blob.descriptor) == blob.bytes)
        #expect(fixture.server.requests.count == 20)
        #expect(fixture.log.retries.allSatisfy { $0.retry == 1 })
    }

    /// 200 in answer to a range: the file is emptied, never joined.
    @Test("F9: the whole in answer to a range is never joined") func ignoredRangeStartsAnew() throws {
        let blob = Blob(100_000)
        let fixture = try Fixture { _, _ in Response(200, body: blob.bytes) }
        let steps = Counter()
        let wrong = [UInt8](repeating: 7, count: 60_000)
        #expect(try fixture.download(blob.descriptor, start: wrong) { steps.add($0) } == blob.bytes)
        #expect(steps.values.first == 0)
        #expect(steps.values.last == 100_000)
    }

    static let ranges: [(String?, String)] = [
        ("bytes 0-99999/100000", "from the start although the middle was asked for"),
        ("bytes 60001-99999/100000", "one byte late"), ("bytes 59999-99999/100000", "one byte early"),
        ("bytes 60000-99999/100001", "of a longer blob"), ("bytes 60000-100000/*", "beyond its end"),
        ("items 60000-99999/100000", "of something else"), ("", "of nothing"), (nil, "without saying of what"),
    ]

    @Test("F9: a wrong Content-Range is not used", arguments: ranges.indices) func wrongContentRangeIsNotUsed(
        _ row: Int
    ) throws {
        let blob = Blob(100_000)
        let range = DownloadTests.ranges[row].0
        let fixture = try Fixture { request, _ in
            guard request.rangeStart != nil else { return Response(200, body: blob.bytes) }
            let fields = range.map { [(name: "Content-Range", value: $0)] } ?? []
            return Response(206, fields, body: [UInt8](repeating: 9, count: 40_000))
        }
        #expect(try fixture.download(blob.descriptor, start: Array(blob.bytes.prefix(60_000))) == blob.bytes)
        #expect(fixture.server.requests.map { $0.header("Range") } == ["bytes=60000-", nil])
    }

    @Test("F9: a range that there is not starts anew") func unsatisfiableRangeStartsAnew() throws {
        let blob = Blob(100_000)
        let fixture = try Fixture { request, _ in
            request.rangeStart == nil ? Response(200, body: blob.bytes) : Response(416)
        }
        #expect(try fixture.download(blob.descriptor, start: [1, 2, 3]) == blob.bytes)
        #expect(fixture.server.requests.count == 2)
        #expect(fixture.log.retries.isEmpty)
    }

    // MARK: Lengths

    @Test("P8: an endless blob stops at its size") func endlessBodyStopsAtTheSize() throws {
        let blob = Blob(100_000)
        let fixture = try Fixture { _, _ in
            var response = Response(200, body: blob.bytes)
            response.isEndless = true
            return response
        }
        let written = Counter()
        let (error, file) = try fixture.downloadError(blob.descriptor) { written.add($0) }
        #expect(written.values.allSatisfy { $0 <= 100_000 })
        #expect(error.contains("refused"), "\(error)")
        #expect(error.contains("more than the 100000 bytes"), "\(error)")
        #expect(file.isEmpty)
        #expect(fixture.server.requests.count == 1)
    }

    @Test("F12: a Content-Length beyond the size is refused before a byte")
    func longerContentLengthIsRefusedBeforeAByte() throws {
        let blob = Blob(1000)
        let fixture = try Fixture { _, _ in Response(200, body: blob.bytes + [0]) }
        let written = Counter()
        let (error, _) = try fixture.downloadError(blob.descriptor) { written.add($0) }
        #expect(error.contains("more than the 1000 bytes"), "\(error)")
        #expect(written.values.allSatisfy { $0 == 0 })
    }

    @Test("F12: a Content-Length below the size is gone on with") func shorterContentLengthThanTheBlobIsGoneOnWith()
        throws
    {
        let blob = Blob(100_000)
        let fixture = try Fixture { request, count in
            if count == 0 { return Response(200, body: Array(blob.bytes.prefix(40_000))) }
            return .blob(blob.bytes, for: request)
        }
        #expect(try fixture.download(blob.descriptor) == blob.bytes)
        #expect(fixture.server.requests.map { $0.rangeStart ?? 0 } == [0, 40_000])
    }

    @Test("F12: a blob that stays short is refused at its second end") func blobThatStaysShortIsRefusedInTheEnd() throws
    {
        let blob = Blob(100_000)
        let short = Array(blob.bytes.prefix(50_000))
        let fixture = try Fixture { request, _ in .blob(short, for: request) }
        let (error, _) = try fixture.downloadError(blob.descriptor)
        #expect(error.contains("the blob ended after 50000 of 100000 bytes, and again when it was asked"), "\(error)")
        // The whole, a range that there is not, and the whole again.
        #expect(fixture.server.requests.map { $0.rangeStart ?? 0 } == [0, 50_000, 0])
        #expect(fixture.log.retries.count == 1)
    }

    /// Where the connection's end is the body's, a fault of the network looks the same: all tries are made.
    @Test("F12: a blob that ends with its connection is tried as often as a broken one")
    func blobWithoutLengthIsTriedOn() throws {
        let blob = Blob(100_000)
        let fixture = try Fixture { request, count in
            var response = Response.blob(blob.bytes, for: request)
            if count < 3 {
                response = Response(200, body: Array(blob.bytes.prefix(50_000)))
                response.length = nil
            }
            return response
        }
        #expect(try fixture.download(blob.descriptor) == blob.bytes)
    }

    @Test("F12: a blob that is too short is fetched anew from the next mirror") func nextMirrorHasTheWhole() throws {
        let blob = Blob(100_000)
        // Short, and wrong in what there is of it.
        let first = try FaultyRegistry { request, _ in .blob([UInt8](repeating: 7, count: 50_000), for: request) }
        let second = try FaultyRegistry { request, _ in .blob(blob.bytes, for: request) }
        let client = try DocumentFetchTests.hub([first, second])
        let scratch = try Scratch()
        try client.download(blob.descriptor, toFile: scratch.file("blob", ""))
        #expect(Digest.of(contents(scratch("blob"))) == blob.descriptor.digest)
        #expect(second.requests.map { $0.header("Range") } == [nil])
    }

    @Test("F12: of three mirrors each is asked once for a blob that was wrong") func everyMirrorIsAskedOnce() throws {
        let blob = Blob(1000)
        let wrong: FaultyRegistry.Handler = { _, _ in Response(200, body: [UInt8](repeating: 7, count: 1000)) }
        let (first, second) = (try FaultyRegistry(wrong), try FaultyRegistry(wrong))
        let third = try FaultyRegistry { request, _ in .blob(blob.bytes, for: request) }
        let client = try DocumentFetchTests.hub([first, second, third])
        let scratch = try Scratch()
        for number in 1...3 {
            try client.download(blob.descriptor, toFile: scratch.file("\(number)", ""))
            if number < 3 { #expect(client.distrust(blob.descriptor.digest)) }
        }
        #expect(Digest.of(contents(scratch("3"))) == blob.descriptor.digest)
        #expect(first.requests.count == 1 && second.requests.count == 1)
    }

    /// Bytes that were packed on the way, though they were asked for as they are: the digest is of what arrives.
    @Test("F12: a blob under another Content-Encoding has the wrong length") func packedBlobIsRefused() throws {
        let blob = Blob(100_000)
        let packed = try OCILayout.compress([UInt8](repeating: 0, count: 100_000), .gzip)
        let fixture = try Fixture { _, _ in Response(200, [("Content-Encoding", "gzip")], body: packed) }
        let (error, _) = try fixture.downloadError(blob.descriptor)
        #expect(error.contains("the blob ended after \(packed.count) of 100000 bytes"), "\(error)")
        #expect(fixture.server.requests[0].header("Accept-Encoding") == "identity")
    }

    // MARK: Several at once

    @Test func parallelDownloadsShareAClient() throws {
        let blobs = (1...6).map { Blob(200_000 + $0) }
        let fixture = try Fixture { request, _ in
            guard let blob = blobs.first(where: { $0.path == request.path }) else { return Response(404) }
            return .blob(blob.bytes, for: request)
        }
        let threads = blobs.map { blob in
            Background { () -> Bool in
                guard let scratch = try? Scratch(), let path = try? scratch.file("x", "") else { return false }
                let error = message { () throws(RegistryError) in
                    try fixture.client.download(blob.descriptor, toFile: path)
                }
                return error.isEmpty && contents(path) == blob.bytes
            }
        }
        for thread in threads { #expect(thread.value) }
        #expect(fixture.server.requests.count == 6)
    }

    @Test func fullDiskIsAFileError() throws {
        let fixture = try Fixture { request, _ in .blob(Blob(100).bytes, for: request) }
        let error = message { () throws(RegistryError) in
            try fixture.client.download(Blob(100).descriptor, toFile: "/dev/full")
        }
        #expect(error.contains("ENOSPC") || error.contains("ESPIPE"), "\(error)")
    }
}
