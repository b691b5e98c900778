internal import Glibc
internal import OCI
internal import Sys

/// The networks that were made: `network/ID.json`. Who makes or removes one holds the lock of `network`.
struct NetworkStore: Sendable {
    let dataRoot: String
    let root: String

    init(dataRoot: String) {
        self.dataRoot = dataRoot
        root = dataRoot + "/network"
    }

    private static let suffix = ".json"
    private static let remedy = "remove that file to go on without the network"

    private func path(_ id: String) -> String { "\(root)/\(id)\(NetworkStore.suffix)" }

    /// Runs `body` with the lock; waits for its holder. What a killed command left of a record is removed first.
    func locked<T>(_ body: () throws(EngineError) -> T) throws(EngineError) -> T {
        try checkFormat(dataRoot)
        try system { () throws(SystemFailure) in try Directory.makePath(root, mode: 0o710) }
        let lock = try call("lock", root) { () throws(Errno) in
            let lock = try DirectoryLock(root, mode: .exclusive)
            for name in try Directory.entries(lock.raw).map(\.name) where name.hasPrefix(".") {
                try File.unlink(name, at: lock.raw)
            }
            return lock
        }
        let result = try body()
        _ = consume lock
        return result
    }

    func identifiers() throws(EngineError) -> [String] {
        do throws(Errno) {
            return try Directory.entries(root).compactMap { entry in
                guard entry.name.hasSuffix(NetworkStore.suffix) else { return nil }
                let id = String(entry.name.dropLast(NetworkStore.suffix.count))
                return ResourceName.isContainerID(id) ? id : nil
            }
        } catch .noEntry {
            return []
        } catch {
            throw .system(SystemFailure("list", root, error))
        }
    }

    /// By name. A record that can't be used is told to `problem` and hides no other.
    func all(problem: (EngineError) throws(EngineError) -> Void) throws(EngineError) -> [NetworkRecord] {
        var result: [NetworkRecord] = []
        for id in try identifiers() {
            do throws(EngineError) {
                if let record = try load(id) { result.append(record) }
            } catch {
                try problem(error)
            }
        }
        return result.sorted { ($0.name, $0.id) < ($1.name, $1.id) }
    }

    /// nil where there is none.
    func load(_ id: String) throws(EngineError) -> NetworkRecord? {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try File.readAll(path(id), limit: 1 << 20)
        } catch .noEntry {
            return nil
        } catch {
            throw .system(SystemFailure("read", path(id), error))
        }
        return try NetworkStore.decode(bytes, of: id, path: path(id))
    }

    static func decode(_ bytes: [UInt8], of id: String, path: String) throws(EngineError) -> NetworkRecord {
        if bytes.isEmpty { throw .damaged(path: path, reason: "it is empty", remedy: remedy) }
        // One of a later format that happens to decode would lose what only that format knows.
        let version = (try? JSONValue(parsing: bytes))?["version"]?.integer ?? 1
        guard version <= NetworkRecord.currentVersion else { throw .newer(path: path, version: Int(clamping: version)) }
        guard let record = try? NetworkRecord(reading: bytes), record.isSound else {
            throw .damaged(path: path, reason: "it is not a network's record", remedy: remedy)
        }
        guard record.id == id else {
            throw .damaged(path: path, reason: "it is another network's record", remedy: remedy)
        }
        return record
    }

    /// Writes the record, so that it survives a power cut. With the lock.
    func save(_ record: NetworkRecord) throws(EngineError) {
        let bytes = FieldWriter.line(record)
        try system { () throws(SystemFailure) in try File.replace(path(record.id), with: bytes) }
        try call("sync", dataRoot) { () throws(Errno) in try Directory.sync(dataRoot) }
    }

    /// Durably. With the lock.
    func remove(_ id: String) throws(EngineError) {
        try call("remove", path(id)) { () throws(Errno) in
            try File.unlink(path(id))
            try Directory.sync(root)
        }
    }
}

extension NetworkRecord {
    /// Whether its name and its bridge's can be names: they become those of interfaces, and words of other files.
    fileprivate var isSound: Bool {
        ResourceName.isNetwork(name) && NetworkPlan.isInterface(bridge) && (parent.map(NetworkPlan.isInterface) ?? true)
    }
}

extension [NetworkRecord] {
    /// By the whole ID, the name, or the beginning of one ID, in docker's order; nil where there is none.
    func find(_ text: String) throws(EngineError) -> NetworkRecord? {
        if let found = first(where: { $0.id == text }) ?? first(where: { $0.name == text }) { return found }
        let fitting = text.isEmpty ? [] : filter { $0.id.hasPrefix(text) }
        if fitting.count > 1 {
            throw .invalid("network \(text) is ambiguous (\(fitting.count) matches found based on ID prefix)")
        }
        return fitting.first
    }
}
