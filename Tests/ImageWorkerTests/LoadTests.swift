import Images
import OCI
import Sys
import TestSupport
import Testing

@Suite(.enabled(if: Conditions.isRoot, "owners need root"), .serialized) struct LoadTests {
    /// Pulls, removals and readers of one image at once: everything ends as if they had come one after the other.
    @Test func pullsAndRemovalsAtOnce() throws {
        var sample = try SampleImage()
        for name in ["one", "two"] { try sample.addLayer(name, size: 20_000) }
        try sample.finish(as: "app:1")
        let fixture = try PullFixture()
        let id = try #require(try fixture.pull(sample.source).image)
        let deadline = Wait.now + 4
        let failures = Monitor<[String]>([])
        let source = sample.source
        func loop(_ body: @escaping @Sendable () throws -> Void) throws -> JoinableThread {
            try JoinableThread {
                while Wait.now < deadline {
                    do {
                        try body()
                    } catch {
                        failures.update { $0.append("\(error)") }
                    }
                }
            }
        }
        let pull: @Sendable () throws -> Void = {
            let outcome = try fixture.pull(source)
            if outcome.status != 0 { failures.update { $0.append("\(outcome)") } }
        }
        let first = try loop(pull)
        let second = try loop(pull)
        let removing = try loop {
            do throws(StoreError) {
                try fixture.store.remove("\(id)", force: true, uses: { () throws(StoreError) in ImageUses() }) { _ in }
            } catch .noSuchImage {
                return
            }
        }
        let reading = try loop {
            let listing = try fixture.store.list()
            if !listing.problems.isEmpty { failures.update { $0.append("\(listing.problems)") } }
            for image in listing.images where image.layers.count != 2 { failures.update { $0.append("half an image") } }
        }
        first.join()
        second.join()
        removing.join()
        reading.join()
        #expect(failures.read(\.self) == [])
        #expect(try fixture.pull(source).status == 0)
        #expect(try fixture.trees("app:1").count == 2)
        #expect(try Directory.entries("\(fixture.dataRoot)/overlay2").count == 3)
        #expect(try Directory.entries("\(fixture.dataRoot)/tmp").map(\.name) == ["blobs"])
    }

    /// Two layers of 150 MB at once, one of them 1:150, in less memory than one of them has.
    @Test(.enabled(if: Conditions.has("time"), "needs GNU time")) func memoryDoesNotGrowWithTheLayers() throws {
        var sample = try SampleImage()
        let zeros = try Tool.check(
            "sh", ["-c", "mkdir tree && truncate -s 150M tree/zeros && tar -C tree -c . | gzip -1"],
            directory: sample.scratch.path)
        let tar = try Tool.check("gzip", ["-dc"], input: zeros.stdoutBytes)
        let descriptor = try sample.layout.blob(zeros.stdoutBytes, mediaType: MediaType.ociLayer + "+gzip")
        let layer = OCILayout.Layer(descriptor: descriptor, diffID: Digest.of(tar.stdoutBytes))
        try sample.addLayer("random", size: 8 << 20, .none)
        try sample.finish(layers: [layer] + sample.layers + [layer])
        let fixture = try PullFixture()
        let report = fixture.scratch("time")
        let outcome = try fixture.pull(sample.source, prefix: ["time", "-f", "%M", "-o", report])
        #expect(outcome.status == 0, "\(outcome)")
        let kilobytes = try #require(
            Int(String(decoding: try File.readAll(report), as: UTF8.self).split(separator: "\n").last ?? ""))
        #expect(kilobytes < 100 << 10)
    }
}
