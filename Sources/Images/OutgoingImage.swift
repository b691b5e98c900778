internal import FoundationEssentials
package import OCI
internal import Sys

/// An image as it is given away: its documents and blobs, held so that no removal comes between.
package final class OutgoingImage: Sendable {
    package let id: Digest
    package let config: [UInt8]
    package let platform: Platform
    /// Byte for byte as it was received, where the kept blobs are those that it names; else made of what is kept.
    package let manifest: [UInt8]
    package let manifestDescriptor: Descriptor
    package let configDescriptor: Descriptor
    /// The layers' chain IDs, bottom first.
    package let chain: [Digest]
    /// Bottom first; the descriptors are those of the manifest.
    package let layers: [LayerBlob]
    private let held: [HeldLayer]

    fileprivate init(
        _ image: Image, config: [UInt8], documents: (bytes: [UInt8], manifest: Manifest), layers: [LayerBlob],
        held: [HeldLayer]
    ) {
        id = image.id
        self.config = config
        platform = image.config.platform
        manifest = documents.bytes
        manifestDescriptor = Descriptor(
            mediaType: documents.manifest.mediaType ?? MediaType.ociManifest, digest: Digest.of(documents.bytes),
            size: Int64(documents.bytes.count), platform: image.config.platform)
        configDescriptor = documents.manifest.config
        self.layers = zip(documents.manifest.layers, layers).map { LayerBlob(descriptor: $0, path: $1.path) }
        self.held = held
        chain = image.layers.map(\.chainID)
    }
}

extension ImageStore {
    /// The image with all that is needed to give it away.
    package func outgoing(_ image: Image) throws(StoreError) -> OutgoingImage {
        var held: [HeldLayer] = []
        var blobs: [LayerBlob] = []
        for layer in image.layers {
            guard let hold = try hold(layer.chainID) else {
                throw .missingLayer(image: image.id, chainID: layer.chainID, path: layout.layerRecord(layer.chainID))
            }
            held.append(hold)
            guard let blob = try blob(of: layer.chainID) else {
                throw .missingBlob(image: image.id, chainID: layer.chainID)
            }
            blobs.append(blob)
        }
        guard let (config, _) = try readConfig(image.id) else { throw .noSuchImage(image.id.short) }
        let documents = try received(image, blobs) ?? made(config, blobs)
        return OutgoingImage(image, config: config, documents: documents, layers: blobs, held: held)
    }

    /// The latest manifest of the image whose blobs are the kept ones.
    private func received(
        _ image: Image, _ blobs: [LayerBlob]
    ) throws(StoreError) -> (bytes: [UInt8], manifest: Manifest)? {
        for digest in try readManifestDigests(image.id) {
            guard let bytes = try manifest(digest), let manifest = try? Manifest.decode(bytes) else { continue }
            guard manifest.layers.map(\.digest) == blobs.map(\.descriptor.digest), Digest.of(bytes) == digest,
                manifest.config.digest == image.id
            else { continue }
            return (bytes, manifest)
        }
        return nil
    }

    /// The same image and blobs make the same bytes.
    private func made(_ config: [UInt8], _ blobs: [LayerBlob]) -> (bytes: [UInt8], manifest: Manifest) {
        let manifest = Manifest(
            mediaType: MediaType.ociManifest,
            config: Descriptor(
                mediaType: MediaType.ociConfig, digest: Digest.of(config), size: Int64(config.count)),
            layers: blobs.map(\.descriptor))
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        // Nothing in it that JSON could not say.
        let bytes = (try? encoder.encode(manifest)).map(Array.init) ?? []
        return (bytes, manifest)
    }
}
