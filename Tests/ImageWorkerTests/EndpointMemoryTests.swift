import Images
import OCI
import Sys
import TestSupport
import Testing

/// Endpoints that failed one command are asked last by the next.
@Suite(.enabled(if: Conditions.isRoot, "owners need root")) struct EndpointMemoryTests {
    private func sample() throws -> SampleImage {
        var sample = try SampleImage()
        try sample.addLayer("one", size: 100_000)
        try sample.finish()
        return sample
    }

    private func dead() throws -> FaultyRegistry {
        try FaultyRegistry { _, _ in
            var response = FaultyRegistry.Response(200)
            response.isSilent = true
            return response
        }
    }

    private func pull(_ name: String, _ mirrors: [FaultyRegistry], _ fixture: PullFixture) throws
        -> PullFixture.Outcome
    {
        let outcome = try fixture.pull(name) { $0.registryRules = .hubMirrors(mirrors.map(\.url)) }
        #expect(outcome.status == 0, "\(outcome)")
        return outcome
    }

    @Test("F11: a mirror that was dead is asked last by the next command") func theNextCommandKnows() throws {
        let (sample, dead) = (try sample(), try dead())
        let good = try FaultyServerTests.serve(sample)
        let fixture = try PullFixture()
        _ = try pull("app", [dead, good], fixture)
        let asked = dead.requests.count
        #expect(asked > 0)
        _ = try pull("app2", [dead, good], fixture)
        #expect(dead.requests.count == asked)
        // Last, and not never.
        let lacking = try FaultyRegistry { _, _ in .error(404, "MANIFEST_UNKNOWN", "manifest unknown") }
        let outcome = try fixture.pull("app3") { $0.registryRules = .hubMirrors([dead.url, lacking.url]) }
        #expect(outcome.status == 1 && dead.requests.count > asked, "\(outcome)")
    }

    @Test("F12: a mirror that lied is asked last by the next command") func whoLiedIsKnown() throws {
        let sample = try sample()
        let blob = sample.layers[0].descriptor.digest
        let liar = try FaultyServerTests.serve(sample) { request, _, bytes in
            request.path.hasSuffix("/blobs/\(blob)") ? .init(200, body: bytes.map { ~$0 }) : nil
        }
        let good = try FaultyServerTests.serve(sample)
        let fixture = try PullFixture()
        _ = try pull("app", [liar, good], fixture)
        let asked = liar.requests.count
        _ = try pull("app2", [liar, good], fixture)
        #expect(liar.requests.count == asked)
        #expect(try File.readAll(fixture.store.layout.endpoints).isEmpty == false)
    }

    @Test(
        "F11: a memory of endpoints that is damaged or can't be written harms no pull",
        arguments: ["", "{", "[]", #"{"x":{"until":"soon"}}"#, "directory", "link"])
    func aDamagedMemory(kind: String) throws {
        let (sample, dead) = (try sample(), try dead())
        let good = try FaultyServerTests.serve(sample)
        let fixture = try PullFixture()
        try fixture.store.prepare()
        let path = fixture.store.layout.endpoints
        let outside = try fixture.scratch.file("outside", "mine")
        switch kind {
        case "directory": try Directory.make(path, mode: 0o700)
        case "link": try File.symlink(outside, path)
        default: try File.replace(path, with: Array(kind.utf8))
        }
        _ = try pull("app", [dead, good], fixture)
        #expect(try File.readAll(outside) == Array("mine".utf8))
        // Where it can be, it is written anew.
        if kind != "directory" { #expect(try File.readAll(path).contains(Array(dead.host.utf8))) }
    }

    @Test func itIsWrittenWithoutAMirrorNever() throws {
        let sample = try sample()
        let server = try FaultyServerTests.serve(sample) { _, count, _ in count == 0 ? .init(503) : nil }
        let fixture = try PullFixture()
        #expect(try fixture.pull("\(server.host)/app").status == 0)
        #expect(!File.exists(fixture.store.layout.endpoints))
    }
}
