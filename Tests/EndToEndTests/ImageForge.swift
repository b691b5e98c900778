internal import OCI
internal import Sys
internal import TestSupport

/// Images of a test's own making on top of the fixture busybox.
enum ImageForge {
    /// The fixture's one layer, copied into `layout`.
    static func fixtureLayer(_ layout: OCILayout) throws -> OCILayout.Layer {
        let blobs = "\(Fixtures.layout("busybox"))/blobs/sha256"
        let index = try decode(Index.self, "\(Fixtures.layout("busybox"))/index.json")
        let manifest = try decode(Manifest.self, "\(blobs)/\(index.manifests[0].digest.hex)")
        let config = try decode(ImageConfig.self, "\(blobs)/\(manifest.config.digest.hex)")
        let bytes = try File.readAll("\(blobs)/\(manifest.layers[0].digest.hex)")
        return OCILayout.Layer(
            descriptor: try layout.blob(bytes, mediaType: manifest.layers[0].mediaType),
            diffID: config.rootfs.diffIDs[0])
    }

    /// An image of the fixture's layer, and more layers, with a config of one's own.
    static func onFixture(
        _ layout: OCILayout, tars: [[UInt8]] = [], _ configure: (inout ImageConfig) -> Void = { _ in }
    ) throws -> Descriptor {
        let layers = [try fixtureLayer(layout)] + (try tars.map { try layout.layer(tar: $0) })
        return try layout.image(layers, configure: configure)
    }

    /// A tar of what `script` makes in an empty directory, numeric owners, all xattrs.
    static func tar(_ script: String) throws -> [UInt8] {
        let scratch = try Scratch()
        try scratch.directory("root")
        try Tool.check("sh", ["-euc", script], directory: scratch("root"))
        return try Tool.check(
            "tar",
            [
                "-C", scratch("root"), "--format=pax", "--xattrs", "--xattrs-include=*", "--numeric-owner", "-cf", "-",
                ".",
            ]
        ).stdoutBytes
    }

    private static func decode<T: Decodable>(_ type: T.Type, _ path: String) throws -> T {
        try OCILayout.decode(type, try File.readAll(path))
    }
}
