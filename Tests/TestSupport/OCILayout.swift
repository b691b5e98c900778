internal import FoundationEssentials
internal import Glibc
package import OCI
internal import Sys

/// Writes an OCI image layout (image-layout.md), well-formed unless the bytes given to it are not.
package final class OCILayout {
    package let path: String
    private var roots: [Descriptor] = []

    package enum Compression: String, Sendable, CaseIterable { case none, gzip, zstd }

    /// A layer as it lies in the layout, and the digest of its tar.
    package struct Layer: Sendable, Hashable {
        package var descriptor: Descriptor
        package var diffID: Digest

        package init(descriptor: Descriptor, diffID: Digest) {
            self.descriptor = descriptor
            self.diffID = diffID
        }
    }

    /// Makes the layout in the directory `path`, which is made when missing.
    package init(_ path: String) throws {
        self.path = path
        try Directory.makePath("\(path)/blobs/sha256", mode: 0o755)
        try File.replace("\(path)/oci-layout", with: Array(#"{"imageLayoutVersion":"1.0.0"}"#.utf8), mode: 0o644)
        try writeIndex()
    }

    /// Stores a blob under its digest.
    @discardableResult
    package func blob(_ bytes: [UInt8], mediaType: String) throws -> Descriptor {
        let digest = Digest.of(bytes)
        try write(bytes, "blobs/sha256/\(digest.hex)")
        return Descriptor(mediaType: mediaType, digest: digest, size: Int64(bytes.count))
    }

    /// Stores JSON, keys sorted so that the digest depends on the value alone.
    @discardableResult
    package func json(_ value: some Encodable, mediaType: String) throws -> Descriptor {
        try blob(OCILayout.encode(value), mediaType: mediaType)
    }

    package func layer(tar: [UInt8], _ compression: Compression = .gzip) throws -> Layer {
        let diffID = Digest.of(tar)
        let bytes = try OCILayout.compress(tar, compression)
        let suffix = compression == .none ? "" : "+\(compression.rawValue)"
        return Layer(descriptor: try blob(bytes, mediaType: MediaType.ociLayer + suffix), diffID: diffID)
    }

    /// Stores config and manifest of an image, without naming it.
    package func image(
        _ layers: [Layer], platform: Platform = .current, configure: (inout ImageConfig) -> Void = { _ in }
    ) throws -> Descriptor {
        var config = ImageConfig(
            os: platform.os, architecture: platform.architecture, diffIDs: layers.map(\.diffID))
        config.variant = platform.variant
        config.created = "2024-01-01T00:00:00Z"
        config.config = ImageConfig.Execution()
        config.config?.env = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]
        config.config?.cmd = ["/bin/sh"]
        configure(&config)
        let stored = try json(config, mediaType: MediaType.ociConfig)
        let manifest = Manifest(
            mediaType: MediaType.ociManifest, config: stored, layers: layers.map(\.descriptor))
        var descriptor = try json(manifest, mediaType: MediaType.ociManifest)
        descriptor.platform = platform
        return descriptor
    }

    package func index(_ manifests: [Descriptor]) throws -> Descriptor {
        try json(Index(mediaType: MediaType.ociIndex, manifests: manifests), mediaType: MediaType.ociIndex)
    }

    /// Gives a manifest or an index a name in the layout (`org.opencontainers.image.ref.name`).
    package func tag(_ descriptor: Descriptor, _ name: String) throws {
        let key = "org.opencontainers.image.ref.name"
        roots.removeAll { $0.annotations?[key] == name }
        var named = descriptor
        named.annotations = (named.annotations ?? [:]).merging([key: name]) { $1 }
        roots.append(named)
        try writeIndex()
    }

    private func writeIndex() throws {
        try write(OCILayout.encode(Index(mediaType: MediaType.ociIndex, manifests: roots)), "index.json")
    }

    private func write(_ bytes: [UInt8], _ name: String) throws {
        let file = try File.open("\(path)/\(name)", O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
        try File.write(file.raw, bytes)
        try file.close()
    }

    package static func encode(_ value: some Encodable) throws -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return Array(try encoder.encode(value))
    }

    package static func decode<T: Decodable>(_ type: T.Type, _ bytes: [UInt8]) throws -> T {
        try JSONDecoder().decode(type, from: Data(bytes))
    }

    /// Compresses with the machine's own tool, without a time stamp.
    package static func compress(_ bytes: [UInt8], _ compression: Compression) throws -> [UInt8] {
        switch compression {
        case .none: bytes
        case .gzip: try Tool.check("gzip", ["-nc"], input: bytes).stdoutBytes
        case .zstd: try Tool.check("zstd", ["-qc"], input: bytes).stdoutBytes
        }
    }
}
