internal import Images
internal import OCI
internal import Sys

/// The image that is being stored: what the confined process says of it is held against what it must be.
struct KeptImage {
    private enum Place {
        case open
        case claimed(LayerClaim)
        case held(HeldLayer)
    }

    let id: Digest
    let isKnown: Bool
    private let config: [UInt8]
    private let diffIDs: [Digest]
    private let chain: [Digest]
    private let store: ImageStore
    private var places: [Place]
    /// Chain IDs of the layers that were committed for it.
    private(set) var made: [Digest] = []
    /// The names that it was given, and whose they were.
    private(set) var names: [(name: String, formerly: Digest?)] = []
    /// The blobs that are kept with them.
    private var blobs: [Digest: Digest] = [:]

    init(config bytes: [UInt8], _ store: ImageStore) throws(WorkerError) {
        let config = try lift(WorkerError.manifest) { () throws(ManifestError) in try ImageConfig.decode(bytes) }
        let diffIDs = config.rootfs.diffIDs
        guard diffIDs.count <= DocumentLimits.layers else {
            throw .manifest(.tooManyLayers(count: diffIDs.count, limit: DocumentLimits.layers))
        }
        let id = Digest.of(bytes)
        self.id = id
        self.config = bytes
        self.diffIDs = diffIDs
        self.store = store
        chain = Digest.chain(of: diffIDs)
        isKnown = try lift(WorkerError.store) { () throws(StoreError) in try store.contains(id) }
        places = [Place](repeating: .open, count: diffIDs.count)
        if isKnown { try holdAll() }
    }

    /// All layers are there, and held.
    var isComplete: Bool { held.count == places.count }

    /// The layers that are there, bottom first, up to the first that is not.
    private var held: [HeldLayer] {
        var result: [HeldLayer] = []
        for place in places {
            guard case .held(let layer) = place else { break }
            result.append(layer)
        }
        return result
    }

    /// Where one is missing, all are claimed one by one.
    private mutating func holdAll() throws(WorkerError) {
        var all: [Place] = []
        for chainID in chain {
            guard let layer = try lift(WorkerError.store, { () throws(StoreError) in try store.hold(chainID) }) else {
                return
            }
            all.append(.held(layer))
        }
        places = all
    }

    mutating func claim(_ number: UInt32) throws(WorkerError) -> KeeperReply {
        let index = Int(number)
        guard places.indices.contains(index), case .open = places[index] else {
            throw .breach("a claim of layer \(number), which is not to be claimed")
        }
        if index > 0, case .open = places[index - 1] {
            throw .breach("a claim of layer \(number) before the one below")
        }
        let state = try lift(WorkerError.store) { [chain] () throws(StoreError) in
            try store.claim(chain[index], wait: false)
        }
        switch state {
        case .present(let layer):
            places[index] = .held(layer)
            return .present(directory: layer.directory.diff)
        case .absent(let claim):
            places[index] = .claimed(claim)
            return .absent
        case nil:
            return .busy
        }
    }

    /// The layer's chain ID follows from its place, whatever was extracted.
    mutating func commit(
        _ place: UInt32, number: UInt32, size: Int64, _ blob: KeeperRequest.Blob?, from area: PullArea
    ) throws(WorkerError) -> KeeperReply {
        let index = Int(place)
        guard places.indices.contains(index), case .claimed(let claim) = places[index], size >= 0 else {
            throw .breach("a commit of layer \(place), which is not claimed")
        }
        let below = held
        guard below.count == index else { throw .breach("a commit of layer \(place) before the one below") }
        let kept = blob.map { staged($0, number, area) }
        let layer = try lift(WorkerError.store) { [diffIDs] () throws(StoreError) in
            let staged = try store.adopt(number, of: area, claim, diffID: diffIDs[index])
            return try store.commit(staged, above: below.map(\.directory), size: size, blob: kept)
        }
        places[index] = .held(layer)
        made.append(chain[index])
        if let blob { blobs[blob.descriptor.digest] = chain[index] }
        return .committed
    }

    /// Mends a layer that is held.
    func replace(
        _ place: UInt32, number: UInt32, _ blob: KeeperRequest.Blob?, from area: PullArea
    ) throws(WorkerError) -> KeeperReply {
        let index = Int(place)
        guard places.indices.contains(index), case .held(let layer) = places[index], blob?.isFetched != true else {
            throw .breach("files in the place of layer \(place), which is not held")
        }
        let kept = blob.map { staged($0, number, area) }
        try lift(WorkerError.store) { () throws(StoreError) in
            try store.replace(layer.directory, by: number, of: area, kept)
        }
        return .committed
    }

    /// Where the blob is. The same one may have made a layer below: then it is no longer among the fetched.
    private func staged(_ blob: KeeperRequest.Blob, _ number: UInt32, _ area: PullArea) -> StagedBlob {
        if !blob.isFetched {
            let path = "\(area.path)/\(PullArea.blobName(number))"
            return StagedBlob(blob.descriptor, path: path, isShared: false)
        }
        if let below = blobs[blob.descriptor.digest] {
            return StagedBlob(blob.descriptor, path: store.layout.blob(below), isShared: false)
        }
        return StagedBlob(blob.descriptor, path: store.layout.fetched(blob.descriptor.digest), isShared: true)
    }

    mutating func record(
        _ documents: [KeeperRequest.Document], _ texts: [String], _ policy: NamePolicy
    ) throws(WorkerError) -> KeeperReply.Recorded {
        let layers = held
        guard layers.count == places.count else { throw .breach("a record of an image that lacks layers") }
        try check(documents)
        var image = NewImage(config: config)
        image.documents = documents.map { ($0.digest, $0.bytes) }
        image.layers = layers
        var kept: [KeeperReply.Recorded.Kept] = []
        for text in texts {
            let name = try parse(text)
            let verdict = policy.judge(name, manifest: documents.last?.digest)
            if verdict == .forbidden { throw .breach("the name \(ForeignText(text)), which was not asked for") }
            if let owner = try owner(of: name, verdict) {
                kept.append(.init(name: name.familiar, owner: owner.short))
            } else {
                image.names.append(name)
            }
        }
        let previous = try lift(WorkerError.store) { [image] () throws(StoreError) in try store.record(image) }
        let first = image.names.first
        names = image.names.map { ($0.familiar, previous[$0].flatMap { $0 == id ? nil : $0 }) }
        return KeeperReply.Recorded(
            id: id, name: first?.canonical ?? "", isNew: first.map { previous[$0] != id } ?? !isKnown, kept: kept)
    }

    /// The image that a name stays with; nil where it is free to be given.
    private func owner(of name: Reference, _ verdict: NamePolicy.Verdict) throws(WorkerError) -> Digest? {
        if verdict == .asked { return nil }
        let present = try lift(WorkerError.store) { () throws(StoreError) in try store.resolve(name) }
        guard let present, present.id != id else { return nil }
        let isPulled = present.digests.contains { $0.repository == name.repository }
        return verdict == .unasked || isPulled ? present.id : nil
    }

    private func parse(_ text: String) throws(WorkerError) -> Reference {
        do throws(ReferenceError) {
            return try Reference(parsing: text)
        } catch {
            throw .breach("\(error)")
        }
    }

    /// Each document is what its digest says, and names the one before it; the first names the config.
    private func check(_ documents: [KeeperRequest.Document]) throws(WorkerError) {
        for (index, document) in documents.enumerated() {
            guard Digest.of(document.bytes, document.digest.algorithm) == document.digest else {
                throw .breach("a document whose digest is not \(document.digest)")
            }
            let json = try lift({ WorkerError.breach("\($0)") }) { () throws(JSONFault) in
                try JSONValue(parsing: document.bytes)
            }
            if index == 0 {
                let named = json["config"]?["digest"]?.string.flatMap { try? Digest(parsing: $0) }
                guard let named, named == Digest.of(config, named.algorithm) else {
                    throw .breach("a manifest of another config")
                }
            } else {
                let names = json["manifests"]?.array?.compactMap { $0["digest"]?.string } ?? []
                guard names.contains(documents[index - 1].digest.description) else {
                    throw .breach("an index that lacks the manifest")
                }
            }
        }
    }
}
