import Glibc
import Images
import OCI
import Sys
import TestSupport
import Testing

/// What a worker that dies, or is told to, leaves behind.
@Suite(.enabled(if: Conditions.isRoot && Conditions.hasRegistry, "needs root, docker-registry and skopeo"))
struct CrashTests {
    private struct Served {
        var sample: SampleImage
        let registry: RealRegistry
        var name: String { "\(registry.host)/app" }
    }

    private func serve(layers: Int, size: Int) throws -> Served {
        var sample = try SampleImage()
        for number in 0..<layers { try sample.addLayer("layer\(number)", size: size) }
        try sample.finish()
        let registry = try RealRegistry()
        try registry.push("\(sample.source):latest", as: "app:latest")
        return Served(sample: sample, registry: registry)
    }

    @Test func killedAtTwentyRandomMomentsThenWhole() throws {
        let served = try serve(layers: 4, size: 4 << 20)
        let peaceful = try PullFixture()
        let start = Wait.now
        #expect(try peaceful.pull(served.name).status == 0)
        let duration = Wait.now - start
        let fixture = try PullFixture()
        for round in 0..<20 {
            var child = try fixture.start(served.name)
            // Sooner or later than a whole pull: what earlier rounds fetched makes the later ones shorter.
            Wait.sleep(Double.random(in: 0...duration))
            try child.kill()
            let listing = try fixture.store.list()
            #expect(listing.problems.isEmpty, "round \(round): \(listing.problems)")
            if let image = try fixture.store.resolve(served.name) {
                #expect(image.layers.count == 4)
                try fixture.store.clean()
                _ = try Tool.check("rm", ["-rf", fixture.dataRoot])
            }
        }
        let last = try fixture.pull(served.name)
        #expect(last.status == 0, "\(last)")
        #expect(try fixture.trees(served.name) == peaceful.trees(served.name))
        #expect(try Directory.entries("\(fixture.dataRoot)/tmp").map(\.name) == ["blobs"])
        #expect(try Directory.entries("\(fixture.dataRoot)/tmp/blobs").isEmpty)
        // One directory a layer, and its link: nothing that nobody refers to.
        #expect(try Directory.entries("\(fixture.dataRoot)/overlay2").count == 5)
        #expect(try Directory.entries("\(fixture.dataRoot)/overlay2/l").count == 4)
    }

    @Test func goesOnFromWhatAKilledPullFetched() throws {
        let served = try serve(layers: 1, size: 1 << 20)
        let blob = served.sample.layers[0].descriptor
        let fixture = try PullFixture()
        try fixture.store.prepare()
        let bytes = try File.readAll(served.registry.blobFile(blob.digest))
        let part = "\(fixture.dataRoot)/tmp/blobs/sha256-\(blob.digest.hex).part"
        try File.replace(part, with: Array(bytes.prefix(700_000)))
        let outcome = try fixture.pull(served.name)
        #expect(outcome.status == 0, "\(outcome)")
        let requests = try served.registry.requests().filter {
            $0.method == "GET" && $0.agent.contains("runimg") && $0.path.hasSuffix(blob.digest.hex)
        }
        #expect(requests.map(\.status) == [206])
        #expect(requests.map(\.bytes) == [bytes.count - 700_000])
        #expect(!File.exists(part))
    }

    @Test(arguments: [700_000, Int.max, 2_000_000]) func whatAnEarlierPullLeftWrongIsFetchedAgain(kept: Int) throws {
        let served = try serve(layers: 2, size: 1 << 20)
        let blob = served.sample.layers[0].descriptor
        let fixture = try PullFixture()
        try fixture.store.prepare()
        var bytes = try File.readAll(served.registry.blobFile(blob.digest))
        bytes[1000] ^= 0xff
        if kept == 2_000_000 { bytes += [UInt8](repeating: 7, count: kept) }
        try File.replace(
            "\(fixture.dataRoot)/tmp/blobs/sha256-\(blob.digest.hex).part", with: Array(bytes.prefix(kept)))
        let outcome = try fixture.pull(served.name)
        #expect(outcome.status == 0, "\(outcome)")
        let peaceful = try PullFixture()
        try peaceful.pull(served.name)
        #expect(try fixture.trees(served.name) == peaceful.trees(served.name))
        #expect(try Directory.entries("\(fixture.dataRoot)/tmp/blobs").isEmpty)
    }

    @Test func twoPullsAtOnceFetchEachBlobOnce() throws {
        let served = try serve(layers: 3, size: 3 << 20)
        let fixture = try PullFixture()
        var children = try [
            Running(fixture.start(served.name, events: "a")), Running(fixture.start(served.name, events: "b")),
            Running(fixture.start(served.name, events: "c")),
        ]
        for child in children { #expect(try child.wait() == .exited(0)) }
        children = []
        for events in ["a", "b", "c"] {
            guard case .done? = try fixture.events(events).last else {
                Issue.record("\(events) is not done")
                continue
            }
        }
        let fetches = try served.registry.blobFetches()
        #expect(served.sample.layers.allSatisfy { fetches[$0.descriptor.digest.hex] == 1 }, "\(fetches)")
        #expect(try Directory.entries("\(fixture.dataRoot)/overlay2").count == 4)
    }

    @Test func takesOverFromAPullThatDied() throws {
        let served = try serve(layers: 3, size: 6 << 20)
        let fixture = try PullFixture()
        var first = try fixture.start(served.name, events: "a")
        #expect(
            try Wait.until(seconds: 20) {
                try !fixture.events("a").filter { if case .layer(_, .downloading) = $0 { true } else { false } }.isEmpty
            })
        // Or it would be done before the other comes, on a busy machine.
        try first.signal(SIGSTOP)
        let second = try Running(fixture.start(served.name, events: "b"))
        #expect(
            try Wait.until(seconds: 20) {
                try fixture.events("b").contains {
                    if case .debug(let text) = $0 { text.contains("waiting") } else { false }
                }
            })
        try first.kill()
        #expect(try second.wait() == .exited(0))
        #expect(try fixture.trees(served.name).count == 3)
        // The dead one's staging is found by whatever command comes next.
        try fixture.store.clean()
        #expect(try Directory.entries("\(fixture.dataRoot)/tmp").map(\.name) == ["blobs"])
    }

    @Test(arguments: [SIGINT, SIGTERM]) func aSignalKeepsWhatWasFetchedAndRemovesStaging(signal: Int32) throws {
        let served = try serve(layers: 2, size: 12 << 20)
        let fixture = try PullFixture()
        var child = try fixture.start(served.name)
        #expect(
            try Wait.until(seconds: 20) {
                try fixture.events().contains { if case .layer(_, .downloading) = $0 { true } else { false } }
            })
        let start = Wait.now
        try child.signal(signal)
        #expect(try child.wait(seconds: 10) == .exited(1))
        #expect(Wait.now - start < 1.5)
        guard case .failed(_, .interrupted)? = try fixture.events().last else {
            Issue.record("no word of the interruption")
            return
        }
        #expect(try fixture.store.resolve(served.name) == nil)
        #expect(try Directory.entries("\(fixture.dataRoot)/tmp").map(\.name) == ["blobs"])
        #expect(try !Directory.entries("\(fixture.dataRoot)/tmp/blobs").isEmpty)
        #expect(try fixture.pull(served.name).status == 0)
    }

    @Test func endsWhenNobodyReadsItsEvents() throws {
        let served = try serve(layers: 2, size: 12 << 20)
        let fixture = try PullFixture()
        let input = try fixture.scratch.file("request", try fixture.request(served.name))
        let stdin = try File.open(input, O_RDONLY)
        func startAndLookOn() throws -> Running {
            let pipe = try Sys.Pipe()
            let child = Running(
                try ChildProcess(
                    Runimg.workerPath, [], environment: Tool.baseEnvironment, input: .descriptor(stdin.raw),
                    output: .descriptor(pipe.writer.raw)))
            #expect(Wait.until(seconds: 20) { File.exists("\(fixture.dataRoot)/tmp/blobs") })
            return child
        }
        let child = try startAndLookOn()
        #expect(try child.wait() == .exited(1))
        #expect(try Directory.entries("\(fixture.dataRoot)/tmp").map(\.name) == ["blobs"])
    }
}

/// A child in an array.
final class Running {
    private var child: ChildProcess

    init(_ child: consuming ChildProcess) { self.child = child }

    func wait() throws -> ChildProcess.ExitResult? { try child.wait(seconds: 60) }
}
