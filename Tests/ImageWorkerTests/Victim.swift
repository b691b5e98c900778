import Images
import OCI
import Sys
import TestSupport
import Testing

/// One image for tests that disturb what brings or removes it, in every local form, and what a peaceful pull of it makes.
struct Victim {
    enum Form: String, CaseIterable, CustomTestStringConvertible {
        case layout = "oci"
        case ociArchive = "oci-archive"
        case dockerArchive = "docker-archive"
        /// Is inflated into staging first.
        case compressedArchive = "compressed docker-archive"

        var testDescription: String { rawValue }

        static var possible: [Form] { Conditions.has("skopeo") ? allCases : [.layout, .ociArchive] }
    }

    static let name = "app:1"

    let sample: SampleImage
    /// What `runimg pull` is given.
    let source: String
    /// Of the layers, bottom first.
    let trees: [TreeListing]
    let id: Digest

    /// Each layer has a file of `size` bytes and `files` small ones.
    init(_ form: Form = .layout, layers: Int = 2, size: Int = 1000, files: Int = 3) throws {
        var sample = try SampleImage()
        for number in 0..<layers { try sample.addLayer("layer\(number)", size: size, files: files) }
        try sample.finish(as: Victim.name)
        source = try Victim.source(form, sample)
        let peaceful = try PullFixture()
        let outcome = try peaceful.pull(source)
        trees = try peaceful.trees(Victim.name)
        id = try #require(outcome.image, "\(outcome)")
        self.sample = sample
    }

    private static func source(_ form: Form, _ sample: SampleImage) throws -> String {
        let file = sample.scratch("archive.tar")
        switch form {
        case .layout: return sample.source
        case .ociArchive:
            try Tool.check("tar", ["-C", sample.layout.path, "-cf", file, "."])
            return "oci-archive:\(file)"
        case .dockerArchive, .compressedArchive:
            let from = "\(sample.source):\(name)"
            try Tool.check(
                "skopeo", ["--insecure-policy", "copy", "--quiet", from, "docker-archive:\(file):\(name)"])
            if form == .dockerArchive { return "docker-archive:\(file)" }
            try Tool.check("gzip", ["-n", file])
            return "docker-archive:\(file).gz"
        }
    }

    /// Whatever happened to a store, its image is whole or absent. Returns whether it is there.
    @discardableResult
    func expectWholeOrAbsent(_ store: ImageStore, _ moment: String) throws -> Bool {
        let listing = try store.list()
        #expect(listing.problems.isEmpty, "\(moment): \(listing.problems)")
        guard let image = try store.resolve(Victim.name) else { return false }
        #expect(try image.layers.map { try TreeListing($0.diff) } == trees, "\(moment)")
        for digest in image.digests.compactMap(\.digest) {
            #expect(try store.manifest(digest).map { Digest.of($0) } == digest, "\(moment)")
        }
        return true
    }

    /// The next pull needs no repair, and a removal after it leaves nothing: neither of this image nor of another that is
    /// pulled instead of it.
    func expectUsable(_ dataRoot: String, _ moment: String, instead: Victim? = nil) throws {
        let runimg = try Runimg()
        func run(_ arguments: String...) throws -> Tool.Output {
            let output = try Tool.run(
                Runimg.path, Array(runimg.command(arguments, dataRoot: dataRoot).dropFirst()))
            #expect(output.status == 0, "\(moment): \(output)")
            return output
        }
        let next = instead ?? self
        let store = ImageStore(dataRoot: dataRoot, marks: .trusted)
        if instead != nil {
            // One whose pull was killed before its last step is there without its name.
            for id in try Set(run("images", "-q", "--no-trunc").lines) { _ = try run("rmi", "-f", id) }
        }
        _ = try run("pull", "-q", next.source)
        #expect(try next.expectWholeOrAbsent(store, moment), "\(moment)")
        if instead == nil { try expectTidy(dataRoot, layers: trees.count, moment) }
        _ = try run("rmi", Victim.name)
        #expect(try store.list().images.isEmpty, "\(moment)")
        try expectTidy(dataRoot, layers: 0, moment)
    }

    /// One directory and one link a layer, nothing in staging.
    func expectTidy(_ dataRoot: String, layers: Int, _ moment: String) throws {
        func names(_ directory: String) throws -> [String] {
            try Directory.entries("\(dataRoot)/\(directory)").map(\.name)
        }
        #expect(try names("overlay2").count == layers + 1, "\(moment)")
        #expect(try names("overlay2/l").count == layers, "\(moment)")
        #expect(try names("image/overlay2/layerdb/sha256").count == layers, "\(moment)")
        let images = min(1, layers)
        #expect(try names("image/overlay2/imagedb/content/sha256").count == images, "\(moment)")
        // A docker-archive has no manifest.
        let manifests = source.hasPrefix("docker") ? 0 : images
        #expect(try names("image/overlay2/imagedb/metadata/sha256").count == manifests, "\(moment)")
        #expect(try names("image/overlay2/manifests/sha256").count == manifests, "\(moment)")
        #expect(try names("tmp") == ["blobs"], "\(moment)")
        #expect(try names("tmp/blobs") == [], "\(moment)")
        #expect(try names("locks").filter { $0.hasPrefix("stage-") } == [], "\(moment)")
    }
}

extension Runimg {
    /// The store of its data root, as root's.
    var imageStore: ImageStore { ImageStore(dataRoot: dataRoot, marks: .trusted) }
}
