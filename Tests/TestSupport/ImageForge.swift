internal import Glibc
package import OCI
internal import Sys

/// Images of a test's own making: layers from tars that `TarForge` made by hand or a script made in a directory, alone or
/// on top of the fixture busybox.
package enum ImageForge {
    /// A layout with one image of these tars, as they are, tagged `latest`; its name is `oci:PATH:latest`.
    @discardableResult
    package static func layout(
        _ path: String, tars: [[UInt8]], _ compression: OCILayout.Compression = .gzip,
        _ configure: (inout ImageConfig) -> Void = { _ in }
    ) throws -> OCILayout {
        let layout = try OCILayout(path)
        let layers = try tars.map { try layout.layer(tar: $0, compression) }
        try layout.tag(try layout.image(layers, configure: configure), "latest")
        return layout
    }

    /// The fixture's one layer, copied into `layout`.
    package static func fixtureLayer(_ layout: OCILayout) throws -> OCILayout.Layer {
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
    package static func onFixture(
        _ layout: OCILayout, tars: [[UInt8]] = [], _ configure: (inout ImageConfig) -> Void = { _ in }
    ) throws -> Descriptor {
        let layers = [try fixtureLayer(layout)] + (try tars.map { try layout.layer(tar: $0) })
        return try layout.image(layers, configure: configure)
    }

    /// A tar of what `script` makes in an empty directory, numeric owners, all xattrs.
    package static func tar(_ script: String) throws -> [UInt8] {
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
