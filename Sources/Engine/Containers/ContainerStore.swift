internal import Glibc
internal import Images
internal import Sys

/// The containers below one data root. A container is `containers/ID` (record and generated files) and `overlay2/ID`
/// (its own layer: `diff` and `work`). `containers/names/NAME` is a link to the ID: making it takes the name.
package struct ContainerStore: Sendable {
    let root: String

    package init(dataRoot: String) { root = dataRoot }

    private var containers: String { root + "/containers" }
    private var names: String { containers + "/names" }

    func directory(_ id: String) -> String { "\(containers)/\(id)" }
    func layer(_ id: String) -> String { "\(root)/overlay2/\(id)" }
    func upper(_ id: String) -> String { layer(id) + "/diff" }
    func work(_ id: String) -> String { layer(id) + "/work" }
    /// Where the root file system is mounted, in the container's own mount namespace only, or copied together.
    func merged(_ id: String) -> String { layer(id) + "/merged" }
    /// There as long as fuse-overlayfs has the layer, and behind a kill until somebody has made it overlayfs's again.
    func servedMark(_ id: String) -> String { layer(id) + "/served" }
    /// There as long as `merged` is a copy with changes in it that the layer may not have.
    func copyMark(_ id: String) -> String { layer(id) + "/copied" }
    private func recordPath(_ id: String) -> String { directory(id) + "/config.json" }

    /// Makes the container's directories and its first record. The record comes first: whatever a kill leaves behind can
    /// be found by it.
    func create(_ record: ContainerRecord) throws(EngineError) {
        let bytes = record.encoded
        try system { () throws(SystemFailure) in
            try Directory.makePath(names, mode: 0o710)
            try Directory.makePath(root + "/overlay2", mode: 0o710)
        }
        try make(directory(record.id), 0o710)
        do throws(EngineError) {
            try takeName(record)
        } catch {
            try? Directory.remove(directory(record.id))
            throw error
        }
        // Whole at any moment for whoever reads.
        try system { () throws(SystemFailure) in
            try File.replace(recordPath(record.id), with: bytes, durably: false)
        }
        try make(layer(record.id), 0o710)
        try make(upper(record.id), 0o755)
        try make(work(record.id), 0o700)
        try make(merged(record.id), 0o700)
    }

    /// Replaces the record, durably unless told otherwise: what a command said of it survives a power cut.
    func save(_ record: ContainerRecord, durably: Bool = true) throws(EngineError) {
        let bytes = record.encoded
        let path = recordPath(record.id)
        do throws(SystemFailure) {
            try File.replace(path, with: bytes, durably: durably)
        } catch {
            guard error.errno.isOutOfSpace else { throw .system(error) }
            // The container may have filled the disk itself. These two are empty or the kernel's own, and make room.
            try? Directory.removeTree(work(record.id))
            if !File.exists(copyMark(record.id)) { try? Directory.removeTree(merged(record.id)) }
            try system { () throws(SystemFailure) in try File.replace(path, with: bytes) }
        }
    }

    /// Makes what `create` made survive a power cut.
    func sync(_ id: String) throws(EngineError) {
        for directory in [containers, names, root + "/overlay2", layer(id)] {
            try call("sync", directory) { () throws(Errno) in try Directory.sync(directory) }
        }
        for name in ["config.json", "hosts", "hostname", "resolv.conf"] {
            let path = "\(directory(id))/\(name)"
            try call("sync", path) { () throws(Errno) in
                let file = try File.open(path, O_RDONLY)
                try File.sync(file.raw)
            }
        }
        try call("sync", directory(id)) { () throws(Errno) in try Directory.sync(directory(id)) }
    }

    /// A work directory as the next mount wants it.
    func renewWork(_ id: String) throws(EngineError) {
        // The kernel refuses one whose last mount was `volatile`: somebody is to say that nothing of it was lost, which is
        // so while the machine runs.
        try call("remove the mark of a volatile mount below", work(id)) { () throws(Errno) in
            do throws(Errno) {
                let directory = try Directory.open(work(id))
                try Directory.removeTree("work/incompat", at: directory.raw)
                _ = consume directory
            } catch .noEntry {
                return
            }
        }
        for (path, mode) in [(work(id), UInt32(0o700)), (merged(id), 0o700)] {
            if File.exists(path) { continue }
            try make(path, mode)
        }
    }

    /// Runs `body` with the container's lock, which everybody holds who changes its state; waits for its holder.
    func locked<T: ~Copyable>(_ id: String, _ body: () throws(EngineError) -> T) throws(EngineError) -> T {
        try checkFormat(root)
        let lock: DirectoryLock
        do throws(Errno) {
            lock = try DirectoryLock(directory(id), mode: .exclusive)
        } catch .noEntry {
            throw .noSuchContainer(id)
        } catch {
            throw .system(SystemFailure("lock", directory(id), error))
        }
        let result = try body()
        _ = consume lock
        return result
    }

    /// Gives the container another name. The new one is there before the old one goes, so that it always has one.
    func rename(_ record: ContainerRecord, to name: String) throws(EngineError) {
        var renamed = record
        renamed.name = name
        try takeName(renamed)
        do throws(EngineError) {
            try save(renamed)
        } catch {
            try? File.unlink("\(names)/\(name)")
            throw error
        }
        if owner(of: record.name) == record.id {
            try call("remove", "\(names)/\(record.name)") { () throws(Errno) in
                try File.unlink("\(names)/\(record.name)")
            }
        }
        try call("sync", names) { () throws(Errno) in try Directory.sync(names) }
    }

    /// The boot whose containers were last looked after (`random/boot_id` of proc(5)).
    var bootMark: [UInt8]? { try? File.readAll("\(containers)/boot-id", limit: 64) }

    func setBootMark(_ boot: [UInt8]) throws(EngineError) {
        try system { () throws(SystemFailure) in try File.replace("\(containers)/boot-id", with: boot) }
    }

    func load(_ id: String) throws(EngineError) -> ContainerRecord {
        let path = recordPath(id)
        let bytes = try call("read", path) { () throws(Errno) in try File.readAll(path) }
        let remedy =
            "`runimg rm -f \(id.prefix(12))` removes the container with the files in \(upper(id)); copy out what you need"
        return try ContainerRecord.decode(bytes, of: id, path: path, remedy: remedy)
    }

    /// Whether what is there of a container can only be the remains of one that was being made or removed: no record, or
    /// one that never reached the disk, and no file in its layer. All else may be somebody's data.
    func isRemains(_ id: String) -> Bool {
        do throws(Errno) {
            if try File.status(recordPath(id)).size > 0 { return false }
        } catch {
            if error != .noEntry { return false }
        }
        if File.exists(copyMark(id)) { return false }
        do throws(Errno) {
            return try DiskUsage.ofTree(upper(id)) == 0
        } catch {
            return error == .noEntry
        }
    }

    /// All containers' IDs.
    package func identifiers() throws(EngineError) -> [String] {
        do throws(Errno) {
            return try Directory.entries(containers).map(\.name).filter(ResourceName.isContainerID)
        } catch .noEntry {
            return []
        } catch {
            throw .system(SystemFailure("list", containers, error))
        }
    }

    /// All containers; `problem` is told of those whose records can't be read. Those that are just being made or removed
    /// are left out.
    package func all(problem: (EngineError) throws(EngineError) -> Void) throws(EngineError) -> [ContainerRecord] {
        var records: [ContainerRecord] = []
        for id in try identifiers() {
            do throws(EngineError) {
                records.append(try load(id))
            } catch .system(let failure) where failure.errno == .noEntry {
                continue
            } catch {
                try problem(error)
            }
        }
        return records
    }

    /// Removes all of a container. Its directory goes last, so that an interrupted removal can be taken up again. Without
    /// a name, one that was taken before the record was written is looked for.
    func remove(_ id: String, name: String?) throws(EngineError) {
        try call("remove", layer(id)) { () throws(Errno) in try Directory.removeTree(layer(id)) }
        try leaveName(of: id, name)
        try call("remove", directory(id)) { () throws(Errno) in try Directory.removeTree(directory(id)) }
    }

    /// Gives up the name of a container that is there yet.
    func leaveName(of id: String, _ name: String?) throws(EngineError) {
        // A name that is not its own any more was changed meanwhile.
        let known = name.flatMap { owner(of: $0) == id ? [$0] : nil }
        let taken = known ?? ((try? Directory.entries(names)) ?? []).map(\.name).filter { owner(of: $0) == id }
        for name in taken.map({ "\(names)/\($0)" }) {
            // A link so long has a block of its own, which takes the file system time to free: it goes with the rest.
            if (try? File.rename(name, to: "\(directory(id))/name")) != nil { continue }
            try call("remove", name) { () throws(Errno) in try File.unlink(name) }
        }
    }

    /// Removes what a layer holds where that is little, and says whether it was.
    func removeBriefly(layer id: String) throws(EngineError) -> Bool {
        var budget = 256
        return try call("remove", layer(id)) { () throws(Errno) in
            try Directory.removeTree(layer(id), within: &budget)
        }
    }

    /// After this, which containers there are survives a power cut.
    func syncDirectory() throws(EngineError) {
        try call("sync", containers) { () throws(Errno) in
            do throws(Errno) { try Directory.sync(containers) } catch { if error != .noEntry { throw error } }
        }
    }

    /// Gives up the name of a container whose directory is gone.
    func dropName(_ name: String, of id: String) throws(EngineError) {
        try call("remove", "\(names)/\(name)") { () throws(Errno) in
            // Whoever takes it from here on needs this lock to find it free.
            let lock = try DirectoryLock(names, mode: .exclusive)
            if owner(of: name) == id { try File.unlink(name, at: lock.raw) }
            _ = consume lock
        }
    }

    private func takeName(_ record: ContainerRecord) throws(EngineError) {
        do throws(Errno) {
            do throws(Errno) {
                try File.symlink(record.id, "\(names)/\(record.name)")
            } catch .exists {
                guard try freeName(record.name) else { throw .exists }
                try File.symlink(record.id, "\(names)/\(record.name)")
            }
        } catch .exists {
            let owner = (try? File.readLink("\(names)/\(record.name)")) ?? "unknown"
            throw .conflict(
                "Conflict. The container name \"/\(record.name)\" is already in use by container \"\(owner)\". "
                    + "You have to remove (or rename) that container to be able to reuse that name.")
        } catch {
            throw .system(SystemFailure("take the name", record.name, error))
        }
    }

    /// Frees a name whose container is not there: the directory is made before the name is taken, and goes after it. False
    /// when it has an owner, or is none of our links.
    private func freeName(_ name: String) throws(Errno) -> Bool {
        let lock = try DirectoryLock(names, mode: .exclusive)
        guard let id = owner(of: name), ResourceName.isContainerID(id), !File.exists(directory(id)) else {
            return false
        }
        try File.unlink(name, at: lock.raw)
        _ = consume lock
        return true
    }

    /// The container that has `name`.
    func owner(of name: String) -> String? { try? File.readLink("\(names)/\(name)") }

    /// With the mode as given, whatever the umask says.
    private func make(_ path: String, _ mode: UInt32) throws(EngineError) {
        try call("mkdir", path) { () throws(Errno) in
            try Directory.make(path, mode: mode)
            try check { chmod(path, mode) }
        }
    }
}

/// Refuses a data root that only a later runimg knows how to change.
func checkFormat(_ root: String) throws(EngineError) {
    do throws(StoreError) {
        try StoreFormat.check(root)
    } catch {
        throw .store(error)
    }
}

/// Runs `body`; its failure becomes the engine's.
func system<T>(_ body: () throws(SystemFailure) -> T) throws(EngineError) -> T {
    do throws(SystemFailure) {
        return try body()
    } catch {
        throw .system(error)
    }
}

/// Runs `body`; its errno becomes an error that names operation and subject.
@discardableResult
func call<T: ~Copyable>(
    _ operation: String, _ subject: String, _ body: () throws(Errno) -> T
) throws(EngineError) -> T {
    do throws(Errno) {
        return try body()
    } catch {
        throw .system(SystemFailure(operation, subject, error))
    }
}
