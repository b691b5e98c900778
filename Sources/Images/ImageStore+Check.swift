internal import Glibc
package import OCI
internal import Sys

/// Something in the records that is not as it should be.
package struct RecordFault: Sendable, Hashable, CustomStringConvertible {
    package enum Remedy: Sendable, Hashable {
        /// The documents and layers of that image, of a registry's name, are to be fetched again.
        case fetch(image: Digest, from: Reference?)
        /// It belongs to nobody; pruning removes it.
        case remove
        case none
    }

    package var description: String
    package var remedy: Remedy

    init(_ description: String, _ remedy: Remedy = .none) {
        self.description = description
        self.remedy = remedy
    }
}

extension ImageStore {
    /// Looks through all records: names without an image, images whose documents or layers are damaged or missing, and
    /// what belongs to nobody. `containers` are the names below `overlay2/` that are containers' own.
    package func checkRecords(
        uses: () throws(StoreError) -> ImageUses, containers: () throws(StoreError) -> Set<String>
    ) throws(StoreError) -> [RecordFault] {
        // Nothing is removed and no container made meanwhile.
        try locked(StoreLocks.images) { () throws(StoreError) in
            try recordFaults(try uses(), containers: try containers())
        }
    }

    private func recordFaults(_ uses: ImageUses, containers: Set<String>) throws(StoreError) -> [RecordFault] {
        var faults: [RecordFault] = []
        var repositories = Repositories()
        do throws(StoreError) {
            repositories = try readRepositories()
        } catch {
            faults.append(RecordFault("\(error)"))
        }
        let images = Set(try allIDs())
        for (name, id) in repositories.entries.values.joined().sorted(by: { $0.key < $1.key })
        where !images.contains(id) {
            faults.append(
                RecordFault("\(name): there is no image \(id.short)", remedy(for: id, repositories)))
        }
        for id in images.sorted(by: { $0.hex < $1.hex }) { faults += imageFaults(id, repositories) }
        faults += try strayFaults(uses, containers)
        return faults
    }

    private func remedy(for id: Digest, _ repositories: Repositories) -> RecordFault.Remedy {
        .fetch(image: id, from: repositories.names(of: id).digests.first)
    }

    private func imageFaults(_ id: Digest, _ repositories: Repositories) -> [RecordFault] {
        var faults: [RecordFault] = []
        let remedy = remedy(for: id, repositories)
        do throws(StoreError) {
            _ = try load(id, names: repositories)
        } catch {
            faults.append(RecordFault("image \(id.short): \(error)", remedy))
        }
        for digest in (try? readManifestDigests(id)) ?? [] {
            let bytes = (try? manifest(digest)) ?? nil
            if let bytes, Digest.of(bytes, digest.algorithm) == digest { continue }
            let what = bytes == nil ? "is missing" : "is damaged"
            faults.append(RecordFault("image \(id.short): its manifest \(digest.short) \(what)", remedy))
        }
        return faults
    }

    private func isFree(_ chainID: Digest) throws(StoreError) -> Bool {
        let record = layout.layerRecord(chainID)
        do throws(Errno) {
            return try DirectoryLock.attempt(record, mode: .exclusive) != nil
        } catch .noEntry {
            return false
        } catch {
            throw .system(SystemFailure("lock", record, error))
        }
    }

    /// What no image and no container reaches.
    private func strayFaults(_ uses: ImageUses, _ containers: Set<String>) throws(StoreError) -> [RecordFault] {
        guard let needed = try neededLayers(uses) else { return [] }
        var faults: [RecordFault] = []
        var known = containers.union(["l"])
        for chainID in try layerRecordIDs() {
            if let cacheID = try? readLine("\(layout.layerRecord(chainID))/cache-id") { known.insert(cacheID) }
            // One that is held belongs to a pull at work.
            if !needed.contains(chainID), try isFree(chainID) {
                faults.append(RecordFault("layer \(chainID.short) belongs to no image and no container", .remove))
            }
        }
        let entries = try attempt("list", layout.layers) { () throws(Errno) in
            do throws(Errno) {
                return try Directory.entries(layout.layers).map(\.name)
            } catch .noEntry {
                return []
            }
        }
        for name in entries.sorted() where !known.contains(name) {
            faults.append(RecordFault("\(layout.layer(name)) belongs to no layer and no container"))
        }
        return faults
    }
}
