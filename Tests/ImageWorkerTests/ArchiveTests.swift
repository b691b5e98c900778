import Images
import OCI
import Sys
import TestSupport
import Testing

@Suite(.enabled(if: Conditions.isRoot && Conditions.has("skopeo"), "needs root and skopeo")) struct ArchiveTests {
    private static func convert(_ sample: SampleImage, _ destination: String) throws {
        try Tool.check("skopeo", ["--insecure-policy", "copy", "--quiet", "\(sample.source):latest", destination])
    }

    private func sample() throws -> SampleImage {
        var sample = try SampleImage()
        try sample.addLayer("one", size: 50_000)
        try sample.addLayer("two", size: 1000)
        try sample.finish()
        return sample
    }

    @Test func allLocalSourcesGiveTheSameTrees() throws {
        let sample = try sample()
        let fixture = try PullFixture()
        let direct = try fixture.pull(sample.source)
        #expect(direct.status == 0, "\(direct)")
        let id = try #require(direct.image)
        let trees = try fixture.trees("\(id)")
        // A bare word in the layout is no name.
        #expect(direct.name == "")

        let files = ["oci-archive": sample.scratch("a.tar"), "docker-archive": sample.scratch("d.tar")]
        try ArchiveTests.convert(sample, "oci-archive:\(sample.scratch("a.tar")):example.com/app:1")
        try ArchiveTests.convert(sample, "docker-archive:\(sample.scratch("d.tar")):example.com/app:2")
        for (transport, file) in files {
            for compressor in ["", "gzip", "zstd"] {
                var path = file
                if !compressor.isEmpty {
                    let bytes = try Tool.check(compressor, ["-qc", file]).stdoutBytes
                    path = try sample.scratch.file("\(compressor)-\(transport)", bytes)
                }
                let other = try PullFixture()
                let outcome = try other.pull("\(transport):\(path)")
                #expect(outcome.status == 0, "\(outcome)")
                let tag = transport == "oci-archive" ? "1" : "2"
                #expect(outcome.name == "example.com/app:\(tag)")
                #expect(try other.trees("example.com/app:\(tag)").map(\.paths) == trees.map(\.paths))
                #expect(try other.trees("example.com/app:\(tag)") == trees)
                #expect(try Directory.entries("\(other.dataRoot)/tmp").map(\.name) == ["blobs"])
            }
        }
    }

    @Test func aTagPicksOneOfSeveralImages() throws {
        var sample = try sample()
        try sample.addLayer("three", size: 10)
        try sample.finish(as: "other")
        let fixture = try PullFixture()
        let several = try fixture.pull(sample.source)
        #expect(several.failure?.message.contains("it holds several images") == true, "\(several)")
        #expect(try fixture.pull("\(sample.source):other").status == 0)
        #expect(try fixture.store.list().images.map(\.layers.count) == [3])
    }

    /// An archive's tags do not take names away from other images unless the user says so.
    @Test("P10: an archive does not move a tag") func anArchiveDoesNotMoveATag() throws {
        let sample = try sample()
        let file = sample.scratch("d.tar")
        try ArchiveTests.convert(sample, "docker-archive:\(file):app:1")
        let fixture = try PullFixture()
        var mine = try SampleImage()
        try mine.addLayer("mine", size: 10)
        try mine.finish(as: "app:1")
        let id = try #require(try fixture.pull(mine.source).image)

        let outcome = try fixture.pull("docker-archive:\(file)")
        #expect(outcome.status == 0)
        #expect(outcome.lines.contains { $0.hasPrefix("Warning: app:1 stays with image \(id.short)") })
        #expect(try fixture.store.resolve("app:1")?.id == id)
        let named = try fixture.pull("docker-archive:\(file):app:1")
        #expect(named.status == 0)
        #expect(try fixture.store.resolve("app:1")?.id == named.image)
    }

    // MARK: Hostile archives

    private struct Forged: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let message: String
        let make: @Sendable (Forge) throws -> [UInt8]
    }

    private static let forgeries: [Forged] = [
        Forged(testDescription: "layer outside", message: "it lacks the layer ../../../../etc/shadow") {
            try $0.archive(layer: "../../../../etc/shadow")
        },
        Forged(testDescription: "config outside", message: "it has no /etc/passwd") {
            try $0.archive(config: "/etc/passwd")
        },
        Forged(testDescription: "layer is a link", message: "is not a file") {
            $0.tar([("layer.tar", UInt8(ascii: "2"), Array("".utf8))] + (try $0.members()))
        },
        Forged(testDescription: "layer is there twice", message: "or there are several of that name") {
            $0.tar(try $0.members() + [("layer.tar", UInt8(ascii: "0"), Array("x".utf8))])
        },
        Forged(testDescription: "wrong diff ID", message: "wrong diff ID of layer") {
            try $0.archive(diffID: Digest.of("other".utf8))
        },
        Forged(testDescription: "a name that is none", message: "cannot stand there in a host") {
            try $0.archive(tag: "../X")
        },
        Forged(testDescription: "cut", message: "reaches beyond its end") { Array(try $0.archive().prefix(1600)) },
        Forged(testDescription: "cut in a header", message: "it ends early") { Array(try $0.archive().prefix(1400)) },
        Forged(testDescription: "no tar", message: "no tar header at byte 0") { _ in [UInt8](repeating: 65, count: 4096)
        },
        Forged(testDescription: "empty", message: "it is no tar archive") { _ in [UInt8](repeating: 0, count: 4096) },
        Forged(testDescription: "manifest.json without end", message: "it has more than 4194304 bytes") {
            $0.tar([("manifest.json", UInt8(ascii: "0"), [UInt8](repeating: 91, count: (4 << 20) + 1))])
        },
        Forged(testDescription: "manifest.json too deep", message: "is not what docker saves") {
            $0.tar([("manifest.json", UInt8(ascii: "0"), [UInt8](repeating: 91, count: 100_000))])
        },
        Forged(testDescription: "negative size", message: "bad size at byte 0") {
            var bytes = try $0.archive()
            bytes[124] = 0xff
            return $0.withChecksum(bytes)
        },
        Forged(testDescription: "huge size", message: "reaches beyond its end") {
            var bytes = try $0.archive()
            bytes.replaceSubrange(124..<136, with: [0x80, 0, 0, 0, 0x7f] + [UInt8](repeating: 0xff, count: 7))
            return $0.withChecksum(bytes)
        },
        Forged(testDescription: "cut gzip", message: "damaged gzip stream") {
            Array(try OCILayout.compress(try $0.archive(), .gzip).dropLast(20))
        },
    ]

    @Test("P10: a forged archive is refused", arguments: forgeries) private func aForgedArchiveIsRefused(forged: Forged)
        throws
    {
        let fixture = try PullFixture()
        try fixture.store.prepare()
        let file = try fixture.scratch.file("forged.tar", try forged.make(Forge()))
        let before = try fixture.listing()
        let outcome = try fixture.pull("docker-archive:\(file)")
        #expect(outcome.status == 1, "\(outcome)")
        #expect(outcome.failure?.message.contains(forged.message) == true, "\(outcome)")
        #expect(outcome.failure?.kind == .invalid)
        #expect(try fixture.listing().differences(from: before) == [])
    }

    @Test func theForgedArchiveWithoutAFaultIsGood() throws {
        let fixture = try PullFixture()
        let file = try fixture.scratch.file("good.tar", try Forge().archive())
        let outcome = try fixture.pull("docker-archive:\(file)")
        #expect(outcome.status == 0, "\(outcome)")
        #expect(outcome.name == "docker.io/library/forged:1")
    }
}

/// Writes tar archives byte by byte.
private struct Forge {
    typealias Member = (name: String, type: UInt8, content: [UInt8])

    func archive(
        layer: String = "layer.tar", config: String = "config.json", diffID: Digest? = nil, tag: String = "forged:1"
    ) throws -> [UInt8] {
        tar(try members(layer: layer, config: config, diffID: diffID, tag: tag))
    }

    func members(
        layer: String = "layer.tar", config: String = "config.json", diffID: Digest? = nil, tag: String = "forged:1"
    ) throws -> [Member] {
        let content = tar([("hello", UInt8(ascii: "0"), Array("hello".utf8))])
        let value = ImageConfig(os: "linux", architecture: "amd64", diffIDs: [diffID ?? Digest.of(content)])
        let manifest = #"[{"Config":"\#(config)","RepoTags":["\#(tag)"],"Layers":["\#(layer)"]}]"#
        let file = UInt8(ascii: "0")
        return [
            ("manifest.json", file, Array(manifest.utf8)), ("config.json", file, try OCILayout.encode(value)),
            ("layer.tar", file, content),
        ]
    }

    func tar(_ members: [Member]) -> [UInt8] {
        var result: [UInt8] = []
        for member in members {
            var header = [UInt8](repeating: 0, count: 512)
            func put(_ text: String, _ offset: Int) {
                for (index, byte) in text.utf8.enumerated() { header[offset + index] = byte }
            }
            put(member.name, 0)
            put("0000644\0", 100)
            put("0000000\0", 108)
            put("0000000\0", 116)
            let size = String(member.content.count, radix: 8)
            put(String(repeating: "0", count: 11 - size.count) + size + "\0", 124)
            put("00000000000\0", 136)
            header[156] = member.type
            put("ustar\0", 257)
            put("00", 263)
            result += withChecksum(header) + member.content
            result += [UInt8](repeating: 0, count: (512 - member.content.count % 512) % 512)
        }
        return result + [UInt8](repeating: 0, count: 1024)
    }

    /// Sets the first header's checksum right.
    func withChecksum(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        let sum = bytes.prefix(512).enumerated().reduce(0) {
            $0 + ((148..<156).contains($1.offset) ? 32 : Int($1.element))
        }
        let text = String(sum, radix: 8)
        bytes.replaceSubrange(
            148..<156, with: Array((String(repeating: "0", count: 6 - text.count) + text + "\0 ").utf8))
        return bytes
    }
}
