internal import Glibc
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
    /// Where the root file system is mounted, in the container's own mount namespace only.
    func merged(_ id: String) -> String { layer(id) + "/merged" }
    private func recordPath(_ id: String) -> String { directory(id) + "/config.json" }

    /// Makes the container's directories and its first record. The record comes first: whatever a kill leaves behind can
    /// be found by it.
    func create(_ record: ContainerRecord) throws(EngineError) {
        let bytes = try record.encoded()
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
        try call("write", recordPath(record.id)) { () throws(Errno) in
            let file = try File.open(recordPath(record.id), O_WRONLY | O_CREAT | O_EXCL, mode: 0o600)
            try File.write(file.raw, bytes)
        }
        try make(layer(record.id), 0o710)
        try make(upper(record.id), 0o755)
        try make(work(record.id), 0o700)
        try make(merged(record.id), 0o700)
    }

    /// Replaces the record, durably unless told otherwise: what a command said of it survives a power cut.
    func save(_ record: ContainerRecord, durably: Bool = true) throws(EngineError) {
        let bytes = try record.encoded()
        let path = recordPath(record.id)
        do throws(SystemFailure) {
            try File.replace(path, with: bytes, durably: durably)
        } catch {
            guard error.errno.isOutOfSpace else { throw .system(error) }
            // The container may have filled the disk itself. These two are empty or the kernel's own, and make room.
            try? Directory.removeTree(work(record.id))
            try? Directory.removeTree(merged(record.id))
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

    /// A work directory as the next mount wants it: overlayfs refuses one whose last mount was `volatile`.
    func renewWork(_ id: String) throws(EngineError) {
        for (path, mode) in [(work(id), UInt32(0o700)), (merged(id), 0o700)] {
            if File.exists(path) { continue }
            try make(path, mode)
        }
    }

    /// Runs `body` with the container's lock, which everybody holds who changes its state; waits for its holder.
    func locked<T: ~Copyable>(_ id: String, _ body: () throws(EngineError) -> T) throws(EngineError) -> T {
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
        let record = try ContainerRecord.decode(bytes, path: path)
        // What is done to a container is done to the directories that its ID names.
        guard record.id == id else { throw .configuration(path: path, reason: "it is another container's record") }
        return record
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

    /// All containers that can be read; one that can't is left to whoever asks for it by name.
    package func all() throws(EngineError) -> [ContainerRecord] {
        try identifiers().compactMap { try? load($0) }
    }

    /// Removes all of a container. Its directory goes last, so that an interrupted removal can be taken up again. Without
    /// a name, one that was taken before the record was written is looked for.
    func remove(_ id: String, name: String?) throws(EngineError) {
        try call("remove", layer(id)) { () throws(Errno) in try Directory.removeTree(layer(id)) }
        // A name that is not its own any more was changed meanwhile.
        let known = name.flatMap { owner(of: $0) == id ? [$0] : nil }
        let taken = known ?? ((try? Directory.entries(names)) ?? []).map(\.name)
        for name in taken where owner(of: name) == id {
            try call("remove", "\(names)/\(name)") { () throws(Errno) in try File.unlink("\(names)/\(name)") }
        }
        try call("remove", directory(id)) { () throws(Errno) in try Directory.removeTree(directory(id)) }
    }

    private func takeName(_ record: ContainerRecord) throws(EngineError) {
        do throws(Errno) {
            try File.symlink(record.id, "\(names)/\(record.name)")
        } catch .exists {
            let owner = (try? File.readLink("\(names)/\(record.name)")) ?? "unknown"
            throw .conflict(
                "Conflict. The container name \"/\(record.name)\" is already in use by container \"\(owner)\". "
                    + "You have to remove (or rename) that container to be able to reuse that name.")
        } catch {
            throw .system(SystemFailure("take the name", record.name, error))
        }
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
