package import OCI
internal import Sys

/// An image about to become visible.
package struct NewImage: Sendable {
    /// The config, byte for byte; its sha256 is the image ID.
    package var config: [UInt8]
    /// The manifest and then the index that it was chosen from, byte for byte as received.
    package var documents: [(digest: Digest, bytes: [UInt8])] = []
    /// Tags and digests that shall name it; `latest` where there is neither. A tag that named another image moves.
    package var names: [Reference] = []
    /// All its layers, held so that no removal comes between.
    package var layers: [HeldLayer] = []

    package init(config: [UInt8]) { self.config = config }

    package var id: Digest { Digest.of(config) }
}

extension ImageStore {
    /// Records an image whose layers are committed. When this returns, a power cut loses nothing of it; before, the image
    /// is absent. Returns what each name pointed to before.
    @discardableResult
    package func record(_ image: NewImage) throws(StoreError) -> [Reference: Digest] {
        try locked(StoreLocks.repositories) { () throws(StoreError) in try recordLocked(image) }
    }

    private func recordLocked(_ image: NewImage) throws(StoreError) -> [Reference: Digest] {
        let isKnown = try contains(image.id)
        do throws(StoreError) {
            let previous = try writeRecords(image)
            // One that is pulled again is wanted.
            if isKnown { noteUse(image.id) }
            return previous
        } catch {
            undo(image, isKnown: isKnown)
            throw error
        }
    }

    /// Takes back what was written of an image that could not be recorded. One that has its name already stays: it is
    /// whole, only the last sync failed.
    private func undo(_ image: NewImage, isKnown: Bool) {
        let id = image.id
        guard let names = (try? readRepositories())?.names(of: id) else { return }
        if !isKnown {
            guard names.tags.isEmpty, names.digests.isEmpty else { return }
            try? File.unlink(layout.config(id))
            try? Directory.removeTree(layout.metadata(id))
        }
        guard let others = try? allIDs() else { return }
        var kept: Set<Digest> = []
        for other in others { kept.formUnion((try? readManifestDigests(other)) ?? image.documents.map(\.digest)) }
        for document in image.documents where !kept.contains(document.digest) {
            try? File.unlink(layout.manifest(document.digest))
        }
    }

    private func writeRecords(_ image: NewImage) throws(StoreError) -> [Reference: Digest] {
        var repositories = try readRepositories()
        let id = image.id
        for document in image.documents { try writeDocument(document.digest, document.bytes) }
        try writeMetadata(id, manifests: image.documents.map(\.digest))
        if try configBytes(id) != image.config { try write(image.config, to: layout.config(id)) }
        let before = repositories
        var previous: [Reference: Digest] = [:]
        for name in image.names {
            previous[name] = repositories[name.tagged]
            repositories[name.tagged] = id
        }
        if repositories != before { try writeRepositories(repositories) }
        return previous
    }

    private func writeDocument(_ digest: Digest, _ bytes: [UInt8]) throws(StoreError) {
        if try manifest(digest) == bytes { return }
        try write(bytes, to: layout.manifest(digest))
    }

    /// An image can be had by several manifests (another registry, another compression): the latest comes first.
    private func writeMetadata(_ id: Digest, manifests: [Digest]) throws(StoreError) {
        if manifests.isEmpty { return }
        let known = try readManifestDigests(id)
        let all = manifests + known.filter { !manifests.contains($0) }
        if all == known { return }
        let directory = layout.metadata(id)
        try attempt("mkdir", directory) { () throws(Errno) in
            do throws(Errno) {
                try Directory.make(directory, mode: 0o700)
            } catch .exists {
                // It may be the note of a use alone, which nobody synced.
            }
            try Directory.sync(layout.metadata)
        }
        let text = all.map { "\($0)\n" }.joined()
        try write(Array(text.utf8), to: "\(directory)/manifests")
    }

    private func configBytes(_ id: Digest) throws(StoreError) -> [UInt8]? {
        do throws(Errno) {
            return try File.readRecord(layout.config(id))
        } catch .noEntry {
            return nil
        } catch {
            throw .system(SystemFailure("read", layout.config(id), error))
        }
    }
}
