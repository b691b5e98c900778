internal import Glibc
internal import Sys

/// The directory a layer is written into. All is done by descriptor and one name; nothing follows a link unless it
/// was resolved inside the tree here.
final class LayerTree {
    let root: DirectoryHandle
    let format: OnDiskFormat
    let limits: ExtractionLimits
    let budget: ExpansionBudget
    var deferred = DeferredDirectories()
    /// The time that directories get which no entry and no lower layer describes: that of the entry they are for.
    var impliedTime = FileTime(seconds: 0, nanoseconds: 0)
    /// Directories made on the way, for the limit on entries.
    private(set) var implied: UInt64 = 0
    /// The layer hides all that is below it.
    var rootIsOpaque = false
    private var cache = ParentCache()
    /// Whether a link of the layers below led to one of the cached parents.
    private var hasAlias = false
    private let openLowers: () throws(LayerError) -> [Int32]
    private var lowers: LowerView?
    /// A directory of this layer and what the layers below show there; nil for nothing.
    var lastMerged: (path: PathBytes, merged: LowerView.Merged?)?
    /// What this layer made or went through; only kept where whiteouts delete.
    private var touched = PathSet()

    init(
        _ directory: Int32, format: OnDiskFormat, limits: ExtractionLimits, compressedSize: Int64,
        lowers: @escaping () throws(LayerError) -> [Int32]
    ) throws(LayerError) {
        do throws(Errno) {
            root = DirectoryHandle(try Directory.open(".", at: directory), path: PathBytes(""))
        } catch {
            throw .system(operation: "open", entry: "layer directory", error)
        }
        self.format = format
        self.limits = limits
        budget = ExpansionBudget(root.fd, limits: limits, compressedSize: compressedSize)
        self.openLowers = lowers
    }

    /// An open directory of the tree and its path without links.
    final class DirectoryHandle {
        private let descriptor: OwnedFD
        let path: PathBytes
        var fd: Int32 { descriptor.raw }

        init(_ descriptor: consuming OwnedFD, path: PathBytes) {
            self.descriptor = descriptor
            self.path = path
        }
    }

    /// What to do about a missing directory on the way.
    enum Missing {
        /// Make it, after the one in the layers below when there is one.
        case make
        /// Make it only when the layers below have it.
        case inherit
    }

    /// The directory `path`, whose links are resolved inside the tree; nil when it is missing and not to be made.
    func parent(_ path: PathBytes, missing: Missing = .make) throws(LayerError) -> DirectoryHandle? {
        if path.isEmpty {
            try touch(root)
            return root
        }
        if let hit = cache[path] { return hit }
        let handle: DirectoryHandle
        do throws(Errno) {
            let fd = try File.open(path, O_RDONLY | O_DIRECTORY, at: root.fd, resolve: [.beneath, .noSymlinks])
            handle = DirectoryHandle(fd, path: path)
        } catch {
            guard [.noEntry, .notDirectory, .loop].contains(error) else {
                throw .system(operation: "open directory", entry: "/\(path)", error)
            }
            guard let walked = try walk(path, missing) else { return nil }
            handle = walked
        }
        try touch(handle)
        cache[path] = handle
        if handle.path != path { hasAlias = true }
        return handle
    }

    /// Calls `body` and names the entry in its error.
    func on<R: ~Copyable>(
        _ operation: String, _ path: PathBytes, _ body: () throws(Errno) -> R
    ) throws(LayerError) -> R {
        do throws(Errno) {
            return try body()
        } catch {
            throw .system(operation: operation, entry: "/\(path)", error)
        }
    }

    func lowerView() throws(LayerError) -> LowerView {
        if let lowers { return lowers }
        let view = LowerView(format.keepsWhiteouts ? try openLowers() : [], format: format, limit: limits.lookups)
        lowers = view
        return view
    }

    /// Keeps a directory open that members of the tar made just now: those in it come next.
    func remember(_ directory: DirectoryHandle) {
        if cache[directory.path] == nil { cache[directory.path] = directory }
    }

    /// Forgets open parents: a directory or a link among them has gone.
    func forgetParents() {
        cache.removeAll()
        hasAlias = false
        lastMerged = nil
    }

    /// Forgets open parents that a link of the layers below led to: this layer hides it now, or may.
    func forgetAliases() {
        if hasAlias { forgetParents() }
    }

    /// A directory or a copy that no member describes: `bytes` on disk.
    func countImplied(_ path: PathBytes, bytes: UInt64 = 4096) throws(LayerError) {
        implied += 1
        if implied > limits.entries {
            throw .limit(.entries, entry: path.description, allowed: limits.entries)
        }
        try budget.spend(bytes)
    }

    // MARK: What this layer made

    func touch(_ path: PathBytes) {
        if format == .directory { touched.insert(path) }
    }

    func isTouched(_ path: PathBytes) -> Bool { touched.contains(path) }

    /// A directory of the tree that the layer writes into keeps the times it had, as one that has no entry.
    func touch(_ directory: DirectoryHandle) throws(LayerError) {
        if format != .directory { return }
        var path = directory.path
        while touched.insert(path) {
            let current = path
            let status = try on("read attributes of", current) { () throws(Errno) in
                let open = try File.open(
                    current.isEmpty ? PathBytes(".") : current, O_RDONLY | O_DIRECTORY, at: root.fd,
                    resolve: [.beneath, .noSymlinks])
                return try File.status(open.raw)
            }
            try deferred.set(path, DeferredDirectories.Attributes(status), limits: limits)
            if path.isEmpty { return }
            path = EntryPath.parent(of: path)
        }
    }
}

extension DeferredDirectories.Attributes {
    init(_ status: FileStatus) {
        self.init(
            user: status.uid, group: status.gid, mode: status.mode, modified: status.modified)
    }
}

/// The last few parents: the entries of a tar come directory by directory.
private struct ParentCache {
    private static let capacity = 16
    private var entries: [(path: PathBytes, handle: LayerTree.DirectoryHandle)] = []

    subscript(path: PathBytes) -> LayerTree.DirectoryHandle? {
        get { entries.last { $0.path == path }?.handle }
        set {
            guard let newValue else { return }
            if entries.count == ParentCache.capacity { entries.removeFirst() }
            entries.append((path, newValue))
        }
    }

    mutating func removeAll() { entries.removeAll(keepingCapacity: true) }
}

/// Paths as two hashes under the process's random seed: 16 bytes each, whatever a layer calls its files.
struct PathSet {
    private struct Key: Hashable {
        var first: Int
        var second: Int
    }

    private var keys: Set<Key> = []

    private static func key(_ path: PathBytes) -> Key {
        var first = Hasher()
        first.combine(path)
        var second = Hasher()
        second.combine(UInt8(1))
        second.combine(path)
        return Key(first: first.finalize(), second: second.finalize())
    }

    /// Whether it was new.
    @discardableResult
    mutating func insert(_ path: PathBytes) -> Bool { keys.insert(PathSet.key(path)).inserted }

    func contains(_ path: PathBytes) -> Bool { keys.contains(PathSet.key(path)) }
}
