internal import CLinux
internal import Glibc
package import OCI
internal import Sys

extension ImageStore {
    /// Removes the image or name that each of `names` is, in order; goes on after one that fails and reports it.
    /// `noPrune` is docker's and concerns untagged parents, which pulled images do not have.
    package func remove(
        _ names: [String], force: Bool = false, noPrune: Bool = false,
        uses: () throws(StoreError) -> ImageUses = { ImageUses() },
        report: (Result<RemovalLine, StoreError>) -> Void
    ) {
        for name in names {
            do throws(StoreError) {
                try remove(name, force: force, uses: uses) { report(.success($0)) }
            } catch {
                report(.failure(error))
            }
        }
    }

    /// Removes one image or name. Names go first, then the image's record, then layers that nothing else needs: by a
    /// rename into `tmp/`, so that half a layer is never visible. The lines are reported as things are gone.
    package func remove(
        _ name: String, force: Bool = false, uses: () throws(StoreError) -> ImageUses,
        report: (RemovalLine) -> Void
    ) throws(StoreError) {
        let garbage = try locked(StoreLocks.images) { () throws(StoreError) in
            try locked(StoreLocks.repositories) { () throws(StoreError) in
                try removeLocked(name, force: force, uses: try uses(), report: report)
            }
        }
        // What is in tmp/ is invisible already; deleting it takes time and needs no lock but its own.
        try garbage.delete()
    }

    private func removeLocked(
        _ text: String, force: Bool, uses: ImageUses, report: (RemovalLine) -> Void
    ) throws(StoreError) -> Garbage {
        let repositories = try readRepositories()
        let (id, name) = try subject(text, in: repositories)
        let plan = try RemovalPlan(
            RemovalPlan.Subject(id, repositories, uses), name: name, typed: text, force: force)
        return try carryOut(plan, of: id, repositories, uses: uses, report: report)
    }

    /// Removes the image with all its names where nothing needs it: no container has it, and unless `tagged` none of its
    /// names has a tag. Otherwise nothing happens.
    package func prune(
        _ id: Digest, tagged: Bool, uses: () throws(StoreError) -> ImageUses, report: (RemovalLine) -> Void
    ) throws(StoreError) {
        let garbage = try locked(StoreLocks.images) { () throws(StoreError) in
            try locked(StoreLocks.repositories) { () throws(StoreError) in
                let (repositories, uses) = (try readRepositories(), try uses())
                guard try contains(id),
                    let plan = RemovalPlan(pruning: RemovalPlan.Subject(id, repositories, uses), tagged: tagged)
                else { return Garbage(self) }
                return try carryOut(plan, of: id, repositories, uses: uses, report: report)
            }
        }
        try garbage.delete()
    }

    private func carryOut(
        _ plan: RemovalPlan, of id: Digest, _ before: Repositories, uses: ImageUses, report: (RemovalLine) -> Void
    ) throws(StoreError) -> Garbage {
        var repositories = before
        for name in plan.untagged { repositories[name] = nil }
        var chain: [Digest]?
        if !plan.untagged.isEmpty {
            do throws(StoreError) {
                try writeRepositories(repositories)
            } catch .system(let failure) where failure.errno.isOutOfSpace && plan.deletesImage {
                // The image's own records make room. Meanwhile its names name nothing, which readers take for absent.
                chain = try removeRecords(of: id)
                try writeRepositories(repositories)
            }
        }
        for name in plan.untagged { report(.untagged(name)) }
        guard plan.deletesImage else { return Garbage(self) }
        if chain == nil { chain = try removeRecords(of: id) }
        report(.deleted(id))
        let garbage = Garbage(self)
        try removeUnused((chain ?? []).reversed(), uses: uses, into: garbage, report: report)
        try removeOrphans(uses, into: garbage)
        return garbage
    }

    /// The image that `text` means, and the name by which it does; the name is nil for an ID.
    private func subject(_ text: String, in repositories: Repositories) throws(StoreError) -> (Digest, Reference?) {
        if let id = ImageStore.fullID(text) {
            guard try contains(id) else { throw .noSuchImage(text) }
            return (id, nil)
        }
        if let name = try? Reference(parsing: text) {
            let full = name.digest == nil ? name.tagged : name
            let key = full.digest.map { Reference(domain: full.domain, path: full.path, tag: nil, digest: $0) } ?? full
            if let id = repositories[key] { return (id, key) }
        }
        guard let prefix = ImageStore.idPrefix(text), let id = try find(prefix: prefix, typed: text) else {
            do {
                _ = try Reference(parsing: text)
            } catch {
                throw .invalidName("\(error)")
            }
            throw ImageStore.missing(text)
        }
        return (id, nil)
    }

    /// Whether there is a record of the image `id`.
    package func contains(_ id: Digest) throws(StoreError) -> Bool {
        do throws(Errno) {
            _ = try File.status(layout.config(id))
            return true
        } catch .noEntry {
            return false
        } catch {
            throw .system(SystemFailure("stat", layout.config(id), error))
        }
    }

    /// Takes the image's config, manifests and metadata away; returns its chain IDs, bottom first. A damaged config is
    /// removed as well: its layers cannot be told then, and stay.
    private func removeRecords(of id: Digest) throws(StoreError) -> [Digest] {
        let config = try? readConfig(id)?.config
        let documents = try readManifestDigests(id)
        try attempt("remove", layout.config(id)) { () throws(Errno) in
            do throws(Errno) {
                try File.unlink(layout.config(id))
            } catch .noEntry {
                return
            }
            try Directory.sync(layout.configs)
        }
        try attempt("remove", layout.metadata(id)) { () throws(Errno) in
            try Directory.removeTree(layout.metadata(id))
        }
        var kept: Set<Digest> = []
        for other in try allIDs() { kept.formUnion(try readManifestDigests(other)) }
        for document in documents where !kept.contains(document) { try? File.unlink(layout.manifest(document)) }
        return config.map { Digest.chain(of: $0.rootfs.diffIDs) } ?? []
    }

    /// Drops layers that were committed for an image that then could not be recorded, where nothing else refers to
    /// them. The caller has let go of its `HeldLayer`s.
    package func removeUnused(_ chainIDs: [Digest]) throws(StoreError) {
        let garbage = Garbage(self)
        try locked(StoreLocks.images) { () throws(StoreError) in
            try locked(StoreLocks.repositories) { () throws(StoreError) in
                try removeUnused(chainIDs.reversed(), uses: ImageUses(), into: garbage) { _ in }
            }
        }
    }

    /// Removes those of `chainIDs` (top first) that no image, no container and no layer above needs.
    private func removeUnused(
        _ chainIDs: [Digest], uses: ImageUses, into garbage: Garbage, report: (RemovalLine) -> Void
    ) throws(StoreError) {
        if chainIDs.isEmpty { return }
        guard let needed = try neededLayers(uses) else { return }
        for chainID in chainIDs {
            // A layer that stays needs all those below it.
            if needed.contains(chainID) { break }
            guard try removeLayer(chainID, into: garbage) else { break }
            report(.deleted(chainID))
        }
    }

    /// The chain IDs of all images, and of all layers that containers stand on; nil when a damaged record hides what
    /// is needed, so that no layer may go.
    func neededLayers(_ uses: ImageUses) throws(StoreError) -> Set<Digest>? {
        var needed: Set<Digest> = []
        for id in try allIDs() {
            guard let config = try? readConfig(id)?.config else { return nil }
            needed.formUnion(Digest.chain(of: config.rootfs.diffIDs))
        }
        for top in uses.topLayers {
            var chainID: Digest? = top
            while let current = chainID, needed.insert(current).inserted {
                let parent = try readLine("\(layout.layerRecord(current))/parent")
                chainID = parent.flatMap { try? Digest(parsing: $0) }
                // What is below it can't be told.
                if parent != nil, chainID == nil { return nil }
            }
        }
        return needed
    }
}
