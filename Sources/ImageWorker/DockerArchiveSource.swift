internal import Images
internal import OCI
internal import Sys

/// What `docker save` writes: `manifest.json` names configs, layers and tags of one or more images.
struct DockerArchiveSource: ImageSource {
    private struct Entry: Decodable {
        let config: String
        let repoTags: [String]?
        let layers: [String]?

        enum CodingKeys: String, CodingKey {
            case config = "Config"
            case repoTags = "RepoTags"
            case layers = "Layers"
        }
    }

    let archive: Archive
    /// One of the `RepoTags`; nil takes all images.
    let tag: String?
    let typed: String

    func targets() throws(WorkerError) -> [PullTarget] {
        var targets: [PullTarget] = []
        let wanted = try tag.map { text throws(WorkerError) in try name(text) }
        for (index, entry) in try entries().enumerated() {
            var names: [Reference] = []
            for text in entry.repoTags ?? [] {
                let name = try name(text)
                if wanted == nil || wanted == name { names.append(name) }
            }
            if wanted != nil, names.isEmpty { continue }
            targets.append(
                PullTarget(
                    key: "\(index)", tag: names.first?.tag ?? Reference.defaultTag, repository: archive.name,
                    shown: names.first?.familiar ?? typed, names: names))
        }
        if targets.isEmpty { throw .source(archive.name, reason: "it has no image \(tag ?? "at all")") }
        return targets
    }

    private func name(_ text: String) throws(WorkerError) -> Reference {
        do throws(ReferenceError) {
            return try Reference(parsing: text).tagged
        } catch {
            throw .source(archive.name, reason: "\(error)")
        }
    }

    private func entries() throws(WorkerError) -> [Entry] {
        let bytes = try archive.read("manifest.json", limit: DocumentLimits.manifestBytes)
        do throws(JSONFault) {
            return try BoundedJSON.decode([Entry].self, from: bytes, limit: DocumentLimits.manifestBytes)
        } catch {
            throw .source(archive.name, reason: "its manifest.json is not what docker saves: \(error)")
        }
    }

    func manifest(_ target: PullTarget, platform: Platform) throws(WorkerError) -> SourceManifest {
        let entries = try entries()
        guard let index = Int(target.key), entries.indices.contains(index) else {
            throw .source(archive.name, reason: "its manifest.json changed while it was read")
        }
        let entry = entries[index]
        let members = entry.layers ?? []
        guard members.count <= DocumentLimits.layers else {
            throw .manifest(.tooManyLayers(count: members.count, limit: DocumentLimits.layers))
        }
        let diffIDs = try lift(WorkerError.manifest) { [bytes = try config(entry.config)] () throws(ManifestError) in
            try ImageConfig.decode(bytes).rootfs.diffIDs
        }
        var layers: [SourceLayer] = []
        for (place, member) in members.enumerated() {
            guard let bytes = try archive.open(member) else {
                throw .source(archive.name, reason: "it lacks the layer \(ForeignText(member))")
            }
            // No digest of the member is known: the layer is checked by its diff ID.
            let shown = diffIDs.indices.contains(place) ? diffIDs[place].short : "\(place)"
            layers.append(
                SourceLayer(digest: nil, size: bytes.length, shown: shown, mediaType: nil, content: .local(bytes)))
        }
        return SourceManifest(config: nil, key: entry.config, layers: layers)
    }

    func config(_ manifest: SourceManifest) throws(WorkerError) -> [UInt8] { try config(manifest.key) }

    private func config(_ member: String) throws(WorkerError) -> [UInt8] {
        try archive.read(member, limit: DocumentLimits.configBytes)
    }
}
