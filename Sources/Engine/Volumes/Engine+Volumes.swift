internal import Glibc
internal import OCI
internal import Sys

/// A volume as lists and `inspect` show it.
package struct VolumeDetails: Sendable, Hashable {
    package var name: String
    /// Where its files are.
    package var path: String
    /// RFC 3339, to the second.
    package var created: String
    package var labels: [String: String] = [:]
    /// Whether a container's record names it.
    package var isUsed = false
    /// Bytes of its files, and how many containers name it; nil where nobody asked.
    package var size: Int64?
    package var links: Int?
    /// Why its labels can't be told.
    package var problem: String?

    package init(name: String, path: String, created: String) {
        self.name = name
        self.path = path
        self.created = created
    }

    /// Made without a name, by an image's volume or by `-v /path`.
    package var isAnonymous: Bool { ResourceName.isContainerID(name) }
}

/// What a prune took away.
package struct Reclaimed: Sendable, Hashable {
    package var names: [String] = []
    package var bytes: Int64 = 0
    /// What could not be removed, and why.
    package var problems: [String] = []

    package init() {}
}

extension Engine {
    /// Makes a volume, durably; one that is there stays as it is. nil: of a name nobody else has.
    package func createVolume(_ asked: String?, labels: [String: String]) throws(EngineError) -> VolumeDetails {
        let name = asked ?? VolumeStore.anonymousName()
        guard name.utf8.count > 1 else {
            throw .invalid(
                "create \(name): volume name is too short, names should be at least two alphanumeric characters")
        }
        try VolumeStore.check(name)
        if try volumes.make(name, labels: labels) { noteVolume("create", name) }
        return try volume(named: name)
    }

    package func volume(named name: String) throws(EngineError) -> VolumeDetails {
        guard ResourceName.isValid(name), var details = volumes.details(name) else { throw .noSuchVolume(name) }
        sweep()
        details.isUsed = try users(ofVolume: name).isEmpty == false
        return details
    }

    /// All volumes by name.
    package func allVolumes() throws(EngineError) -> [VolumeDetails] {
        sweep()
        let used = Set(try allSummaries().flatMap { $0.mounts.compactMap(\.volume) })
        return try volumes.names().sorted().compactMap { name in
            guard var details = volumes.details(name) else {
                // Of a command that was killed.
                _ = try? volumes.remove(name)
                return nil
            }
            details.isUsed = used.contains(name)
            return details
        }
    }

    /// Removes a volume with its contents. One that a container names is refused, whether or not that runs.
    package func removeVolume(_ name: String) throws(EngineError) {
        guard ResourceName.isValid(name), volumes.details(name) != nil else { throw .noSuchVolume(name) }
        sweep()
        let wasThere = try volumes.remove(name) { () throws(EngineError) in
            do throws(EngineError) { _ = try volumes.labels(of: name) } catch .newer(let path, let version) {
                throw .newer(path: path, version: version)
            } catch {
                // Asked for by name, it goes without its labels.
            }
            let users = try users(ofVolume: name)
            guard users.isEmpty else {
                throw .conflict("remove \(name): volume is in use - [\(users.joined(separator: ", "))]")
            }
            try MountsBelow.refuse(volumes.directory(name), removing: "volume \(name)")
        }
        try call("sync", volumes.root) { () throws(Errno) in try Directory.sync(volumes.root) }
        // Another command was quicker.
        if !wasThere { throw .noSuchVolume(name) }
        noteVolume("destroy", name)
    }

    /// Removes the volumes that were made for a container and have no other user.
    func removeAnonymousVolumes(_ record: ContainerRecord) throws(EngineError) {
        for name in record.anonymousVolumes {
            do throws(EngineError) {
                let wasThere = try volumes.remove(name) { () throws(EngineError) in
                    guard volumes.isShared(name) else { return }
                    let users = try users(ofVolume: name)
                    if users != [record.id], !users.isEmpty { throw .conflict("volume \(name) is in use") }
                }
                if wasThere { noteVolume("destroy", name) }
            } catch  where error.isUnusableRecord {
                // Whoever can't be read may use it: it stays.
            } catch .conflict {
                continue
            }
        }
    }

    /// Removes the volumes among `names` that no container names by now.
    package func pruneVolumes(_ names: [String]) throws(EngineError) -> Reclaimed {
        var result = Reclaimed()
        for name in names {
            let bytes = (try? DiskUsage.ofTree(volumes.data(name))) ?? 0
            do throws(EngineError) {
                try removeVolume(name)
                result.names.append(name)
                result.bytes = result.bytes.addingReportingOverflow(bytes).partialValue
            } catch .noSuchVolume {
                continue
            } catch .conflict {
                continue
            } catch {
                result.problems.append("\(error)")
            }
        }
        notePrune("volume", reclaimed: result.bytes)
        return result
    }

    private func users(ofVolume name: String) throws(EngineError) -> [String] {
        try allSummaries().filter { $0.mounts.contains { $0.volume == name } }.map(\.id)
    }

    /// Before a volume or a network goes nobody may be overlooked: a record that can't be read may name it.
    func allSummaries() throws(EngineError) -> [ContainerSummary] {
        var result: [ContainerSummary] = []
        for id in try containers.identifiers() {
            if let summary = containers.summary(id) {
                result.append(summary)
                continue
            }
            // Gone meanwhile, or being made: its volumes are made after its record.
            if let damage = containers.damage(of: id) { throw damage }
        }
        return result
    }
}
