internal import OCI
internal import Sys

/// What lists and sweeps want of an entry's `state.json`: read many at a time, where a decoder by types takes longer than
/// all else.
struct EntryGlance: Sendable {
    var dataRoot: String
    /// Who made the entry.
    var pid: Int32
    var process: LiveState.Process?
    var startedAt: String?

    private static let selection = JSONSelection.members([
        "version": .all, "dataRoot": .all, "pid": .all, "process": .all, "startedAt": .all,
    ])

    /// nil: it is no such file, or of a later version.
    init?(_ bytes: [UInt8]) {
        guard let json = try? JSONValue(parsing: bytes, only: EntryGlance.selection),
            json["version"]?.integer ?? 1 <= Int64(LiveState.currentVersion),
            let root = json["dataRoot"]?.string, let pid = json["pid"]?.integer.flatMap(Int32.init(exactly:))
        else { return nil }
        dataRoot = root
        self.pid = pid
        startedAt = json["startedAt"]?.string
        guard let process = json["process"] else { return }
        guard let number = process["pid"]?.integer.flatMap(Int32.init(exactly:)),
            let startTime = process["startTime"]?.integer.flatMap(UInt64.init(exactly:))
        else { return nil }
        self.process = LiveState.Process(pid: number, startTime: startTime)
    }
}

/// One entry at a look at all of them.
struct SeenEntry: Sendable {
    enum Standing: Sendable {
        /// A process of ours serves it.
        case served
        /// Its lock is free, or is about to be.
        case dead
        /// Nothing is in it: it is on its way in or out, or was when its command was killed.
        case empty
        /// Another data root's, or gone.
        case foreign
    }

    let id: String
    let standing: Standing
    /// nil where what it says can't be read.
    var glance: EntryGlance?
}

extension LiveContainers {
    /// Looks at the entries, or at no more than `bound` of them, others each time; changes nothing.
    ///
    /// - Parameter patiently: whether one whose starter was killed counts as dead already.
    func survey(dataRoot: String, patiently: Bool, bound: Int? = nil) -> [SeenEntry] {
        guard let directory = try? Directory.open(directory), let entries = try? Directory.entries(directory.raw)
        else { return [] }
        var ids = entries.map(\.name).filter(ResourceName.isContainerID)
        if let bound, ids.count > bound {
            let start = Int.random(in: 0..<ids.count)
            ids = (0..<bound).map { ids[(start + $0) % ids.count] }
        }
        let (raw, looked) = (directory.raw, ids)
        let seen = SideBySide.map(looked.count) { LiveContainers.look(at: looked[$0], in: raw, dataRoot, patiently) }
        _ = consume directory
        return seen
    }

    private static func look(
        at id: String, in directory: Int32, _ dataRoot: String, _ patiently: Bool
    ) -> SeenEntry {
        let bytes = try? File.readRecord("\(id)/state.json", at: directory, expecting: 4096, limit: 4 << 20)
        let glance = bytes.flatMap(EntryGlance.init)
        // Looked at before the lock is tried: two roots' sweeps must not keep each other from their own.
        if let root = glance?.dataRoot, root != dataRoot, File.exists(root) {
            return SeenEntry(id: id, standing: .foreign)
        }
        // Not to put a lock into what somebody else is removing.
        if bytes == nil, !File.exists("\(id)/lock", at: directory) { return SeenEntry(id: id, standing: .empty) }
        do throws(Errno) {
            if try FileLock.attempt("\(id)/lock", in: directory, mode: .shared) != nil {
                return SeenEntry(id: id, standing: .dead, glance: glance)
            }
        } catch {
            return SeenEntry(id: id, standing: .foreign)
        }
        // A monitor is known by the process that it serves; who made the entry has long gone then.
        let isOrphan = patiently && glance.map { $0.process == nil && !ProcessStatus.exists($0.pid) } ?? false
        return SeenEntry(id: id, standing: isOrphan ? .dead : .served, glance: glance)
    }
}
