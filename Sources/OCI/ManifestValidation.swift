extension Manifest {
    /// Reads and checks an image manifest. After this its config is an image's, all layers are of types that can be
    /// unpacked, sizes are not negative and their sum does not overflow.
    package static func decode(
        _ bytes: [UInt8], contentType: String? = nil, descriptor: Descriptor? = nil
    ) throws(ManifestError) -> Manifest {
        let kind = try DocumentKind.classify(bytes, contentType: contentType, descriptor: descriptor)
        guard kind == .manifest else { throw .wanted(.manifest, found: .index) }
        let manifest: Manifest
        do throws(JSONFault) {
            manifest = try BoundedJSON.decode(Manifest.self, from: bytes, limit: DocumentLimits.manifestBytes)
        } catch {
            throw .malformed(.manifest, error)
        }
        try manifest.validate()
        return manifest
    }

    /// Bytes of all layers together.
    package var totalSize: Int64 { layers.reduce(0) { $0 &+ $1.size } }

    private func validate() throws(ManifestError) {
        guard config.mediaType == MediaType.ociConfig || config.mediaType == MediaType.dockerConfig else {
            throw .notAnImage(type: artifactType ?? config.mediaType)
        }
        guard config.size >= 0 else { throw .negativeSize(field: "config.size", size: config.size) }
        guard config.size <= DocumentLimits.configBytes else {
            throw .configTooLarge(size: config.size, limit: DocumentLimits.configBytes)
        }
        guard layers.count <= DocumentLimits.layers else {
            throw .tooManyLayers(count: layers.count, limit: DocumentLimits.layers)
        }
        if let artifactType, layers.isEmpty { throw .notAnImage(type: artifactType) }
        var total: Int64 = 0
        for (position, layer) in layers.enumerated() {
            try Manifest.check(layer, number: position + 1)
            let (sum, overflow) = total.addingReportingOverflow(layer.size)
            guard !overflow else { throw .totalSize }
            total = sum
        }
    }

    private static func check(_ layer: Descriptor, number: Int) throws(ManifestError) {
        let type = layer.mediaType
        if type.hasSuffix("+encrypted") { throw .encryptedLayer(layer: number, type: type) }
        guard !isForeign(type), layer.urls?.isEmpty ?? true else { throw .foreignLayer(layer: number, type: type) }
        guard LayerCompression(mediaType: type) != nil else {
            if notImageLayers.contains(where: { type.hasPrefix($0) }) { throw .notAnImage(type: type) }
            throw .layerType(layer: number, type: type)
        }
        guard layer.size >= 0 else { throw .negativeSize(field: "layers[\(number - 1)].size", size: layer.size) }
    }

    private static func isForeign(_ type: String) -> Bool {
        type.hasPrefix("application/vnd.docker.image.rootfs.foreign.")
            || type.hasPrefix("application/vnd.oci.image.layer.nondistributable.")
    }

    /// Signatures and attestations go under an image's config type; their layers give them away.
    private static let notImageLayers = [
        "application/vnd.in-toto", "application/vnd.dev.cosign.", "application/vnd.dsse", "application/vnd.cncf.",
    ]
}

/// How a layer's tar is packed, by its media type. The bytes decide in the end: a gzip member or zstd frame is known by
/// its magic, and registries hold mislabelled ones.
package enum LayerCompression: Sendable, Hashable {
    case none, gzip, zstd

    package init?(mediaType: String) {
        switch mediaType {
        case MediaType.ociLayer, MediaType.dockerLayer: self = .none
        case MediaType.ociLayer + "+gzip", MediaType.dockerLayer + ".gzip": self = .gzip
        case MediaType.ociLayer + "+zstd", MediaType.dockerLayer + ".zstd": self = .zstd
        default: return nil
        }
    }
}
