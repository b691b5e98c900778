extension Index {
    /// Reads and checks an index or manifest list.
    package static func decode(
        _ bytes: [UInt8], contentType: String? = nil, descriptor: Descriptor? = nil
    ) throws(ManifestError) -> Index {
        let kind = try DocumentKind.classify(bytes, contentType: contentType, descriptor: descriptor)
        guard kind == .index else { throw .wanted(.index, found: .manifest) }
        let index: Index
        do throws(JSONFault) {
            index = try BoundedJSON.decode(Index.self, from: bytes, limit: DocumentLimits.manifestBytes)
        } catch {
            throw .malformed(.index, error)
        }
        guard index.manifests.count <= DocumentLimits.indexEntries else {
            throw .tooManyEntries(count: index.manifests.count, limit: DocumentLimits.indexEntries)
        }
        for (position, entry) in index.manifests.enumerated() where entry.size < 0 {
            throw .negativeSize(field: "manifests[\(position)].size", size: entry.size)
        }
        return index
    }

    /// The entry that runs best on `platform`: nearest variant, then first in the list. An entry that names no platform
    /// is taken when no other fits: its config tells, see `ImageConfig.check(platform:)`. Attestations are passed over.
    package func choose(for platform: Platform) throws(ManifestError) -> Descriptor {
        var best: (distance: Int, entry: Descriptor)?
        var unnamed: Descriptor?
        var available: [Platform] = []
        for entry in manifests where Index.mayBeImage(entry) {
            guard let candidate = entry.platform else {
                unnamed = unnamed ?? entry
                continue
            }
            if !available.contains(candidate) { available.append(candidate) }
            guard let distance = platform.distance(to: candidate) else { continue }
            if distance < best?.distance ?? .max { best = (distance, entry) }
        }
        if let entry = best?.entry ?? unnamed { return entry }
        throw .noMatch(wanted: platform, available: available)
    }

    private static func mayBeImage(_ entry: Descriptor) -> Bool {
        // buildkit lists attestations under the platform unknown/unknown.
        if entry.annotations?["vnd.docker.reference.type"] != nil { return false }
        if entry.platform?.os == "unknown", entry.platform?.architecture == "unknown" { return false }
        let types = [
            MediaType.dockerSchema1, MediaType.dockerSchema1Signed,
        ]
        return entry.artifactType == nil
            && (DocumentKind.accepted.contains(entry.mediaType) || types.contains(entry.mediaType))
    }
}
