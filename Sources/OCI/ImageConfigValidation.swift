extension ImageConfig {
    /// Reads an image's config, at most `DocumentLimits.configBytes` of it; `descriptor` is checked when given.
    package static func decode(
        _ bytes: [UInt8], descriptor: Descriptor? = nil
    ) throws(ManifestError) -> ImageConfig {
        guard bytes.count <= DocumentLimits.configBytes else {
            throw .tooLarge(.config, limit: DocumentLimits.configBytes)
        }
        if let descriptor { try DocumentKind.check(bytes, against: descriptor, .config) }
        let config: ImageConfig
        do throws(JSONFault) {
            config = try BoundedJSON.decode(ImageConfig.self, from: bytes, limit: DocumentLimits.configBytes)
        } catch {
            throw .malformed(.config, error)
        }
        guard config.rootfs.type == "layers" else { throw .rootfsType(config.rootfs.type) }
        return config
    }

    /// Refuses a config that does not describe as many layers as its manifest has.
    package func check(layersOf manifest: Manifest) throws(ManifestError) {
        guard manifest.layers.count == rootfs.diffIDs.count else {
            throw .layerCount(layers: manifest.layers.count, diffIDs: rootfs.diffIDs.count)
        }
    }

    /// Refuses a config for another system than the index entry that led to it says, or than `wanted` when the entry
    /// said nothing.
    package func check(platform wanted: Platform) throws(ManifestError) {
        let mine = platform.normalized
        let other = wanted.normalized
        // Configs often leave the variant out or give the least one; system and architecture must be the same.
        guard mine.os == other.os, mine.architecture == other.architecture else {
            throw .otherPlatform(wanted: wanted, actual: platform)
        }
    }
}
