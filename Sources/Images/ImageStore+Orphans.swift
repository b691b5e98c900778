internal import OCI
internal import Sys

extension ImageStore {
    /// Removes what pulls and removals that were killed have left without an image.
    package func removeOrphans(uses: () throws(StoreError) -> ImageUses) throws(StoreError) {
        let garbage = Garbage(self)
        try locked(StoreLocks.images) { () throws(StoreError) in
            try locked(StoreLocks.repositories) { () throws(StoreError) in
                try removeOrphans(try uses(), into: garbage)
            }
        }
    }

    /// Removes what belongs to no image, no container and nobody at work: of pulls and removals that were killed. The
    /// caller has the locks of a removal.
    func removeOrphans(_ uses: ImageUses, into garbage: Garbage) throws(StoreError) {
        try removeOrphanRecords()
        guard let needed = try neededLayers(uses) else { return }
        var parents: [Digest: Digest] = [:]
        var orphans: Set<Digest> = []
        for chainID in try digests(in: layout.layerRecords) where !needed.contains(chainID) {
            orphans.insert(chainID)
            parents[chainID] = try readLine("\(layout.layerRecord(chainID))/parent").flatMap {
                try? Digest(parsing: $0)
            }
        }
        // From the top down, so that a kill leaves none without the one below it.
        while let top = orphans.first(where: { orphan in !orphans.contains { parents[$0] == orphan } }) {
            orphans.remove(top)
            if try removeLayer(top, into: garbage) { continue }
            // Held by a pull, which counts on all below it.
            var below = parents[top]
            while let current = below {
                orphans.remove(current)
                below = parents[current]
            }
        }
    }

    /// Metadata without a config, and manifests that no metadata names.
    private func removeOrphanRecords() throws(StoreError) {
        let images = Set(try allIDs())
        var manifests: Set<Digest> = []
        for id in images { manifests.formUnion(try readManifestDigests(id)) }
        for name in try names(in: layout.metadata) {
            guard let id = try? Digest(parsing: "sha256:\(name)"), !images.contains(id) else { continue }
            try? Directory.removeTree(layout.metadata(id))
        }
        for digest in try digests(in: layout.manifests) where !manifests.contains(digest) {
            try? File.unlink(layout.manifest(digest))
        }
    }

    func layerRecordIDs() throws(StoreError) -> [Digest] { try digests(in: layout.layerRecords) }

    /// The digests by which the entries of `directory/ALGORITHM` are named.
    private func digests(in directory: String) throws(StoreError) -> [Digest] {
        var result: [Digest] = []
        for algorithm in [Digest.Algorithm.sha256, .sha512] {
            result += try names(in: "\(directory)/\(algorithm.rawValue)").compactMap {
                try? Digest(parsing: "\(algorithm.rawValue):\($0)")
            }
        }
        return result
    }

    private func names(in directory: String) throws(StoreError) -> [String] {
        try attempt("list", directory) { () throws(Errno) in
            do throws(Errno) {
                return try Directory.entries(directory).map(\.name)
            } catch .noEntry {
                return []
            }
        }
    }
}
