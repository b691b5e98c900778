internal import Glibc
internal import Sys

/// What overlayfs would show of the layers below: looked up name by name, links never followed.
struct LowerView {
    /// Top first; borrowed.
    private let layers: [Int32]
    private let format: OnDiskFormat
    private let budget: LookupBudget

    init(_ layers: [Int32], format: OnDiskFormat, limit: UInt64) {
        self.layers = layers
        self.format = format
        budget = LookupBudget(limit: limit)
    }

    var isEmpty: Bool { layers.isEmpty }

    /// An open directory of a layer.
    final class LayerDirectory {
        let raw: Int32
        private let isOwned: Bool

        init(borrowing raw: Int32) {
            self.raw = raw
            isOwned = false
        }

        init(_ descriptor: consuming OwnedFD) {
            raw = descriptor.release()
            isOwned = true
        }

        deinit { if isOwned { _ = OwnedFD(adopting: raw) } }
    }

    /// A name in a directory of one of the layers.
    struct Found {
        let directory: LayerDirectory
        let name: PathBytes
        let status: FileStatus
    }

    /// One directory as the layers show it together: that of each layer that has it, top first, as far as nothing hides
    /// the rest.
    struct Merged {
        fileprivate let directories: [LayerDirectory]
    }

    /// The merged root.
    var merged: Merged { Merged(directories: layers.map { LayerDirectory(borrowing: $0) }) }

    /// The uppermost layer's root.
    func root() throws(LayerError) -> Found? {
        guard let top = layers.first else { return nil }
        return try wrap(PathBytes("")) { () throws(Errno) in
            Found(
                directory: LayerDirectory(borrowing: top), name: PathBytes("."), status: try File.status(top))
        }
    }

    /// What the merged root shows.
    func rootNames() throws(LayerError) -> [PathBytes] {
        var seen: Set<PathBytes> = []
        var result: [PathBytes] = []
        for layer in layers {
            let names = try wrap(PathBytes("")) { () throws(Errno) in try Directory.names(layer) }
            for name in names where seen.insert(name).inserted {
                if try lookup(name, in: merged) != nil { result.append(name) }
            }
        }
        return result
    }

    func lookup(_ name: PathBytes, in parent: Merged) throws(LayerError) -> Found? {
        try budget.spend(parent.directories.count, name)
        return try wrap(name) { () throws(Errno) in
            for directory in parent.directories {
                guard let status = try LowerView.status(name, in: directory) else { continue }
                let isWhiteout = try format.marks?.isWhiteout(name, status, at: directory.raw) ?? false
                return isWhiteout ? nil : Found(directory: directory, name: name, status: status)
            }
            return nil
        }
    }

    /// The directory `name` of a merged one; nil when that is none, or not there.
    func child(_ name: PathBytes, of parent: Merged) throws(LayerError) -> Merged? {
        try budget.spend(parent.directories.count, name)
        let directories = try wrap(name) { () throws(Errno) in
            var result: [LayerDirectory] = []
            for directory in parent.directories {
                guard let status = try LowerView.status(name, in: directory) else { continue }
                // A whiteout, or whatever else is no directory, hides those further down.
                if !status.isDirectory { break }
                let opened = LayerDirectory(try File.open(name, O_RDONLY | O_DIRECTORY, at: directory.raw))
                result.append(opened)
                if let mark = format.opaqueName,
                    try ExtendedAttributes.get(opened.raw, mark) == OnDiskFormat.opaqueValue
                {
                    break
                }
            }
            return result
        }
        return directories.isEmpty ? nil : Merged(directories: directories)
    }

    private static func status(_ name: PathBytes, in directory: LayerDirectory) throws(Errno) -> FileStatus? {
        do throws(Errno) {
            return try File.status(name, at: directory.raw)
        } catch .noEntry {
            return nil
        }
    }

    private func wrap<R>(_ path: PathBytes, _ body: () throws(Errno) -> R) throws(LayerError) -> R {
        do throws(Errno) {
            return try body()
        } catch {
            throw .system(operation: "look up in the layers below", entry: path.description, error)
        }
    }
}

/// Counts names looked up: a small tar over many deep layers could ask for billions.
private final class LookupBudget {
    private let limit: UInt64
    private var used: UInt64 = 0

    init(limit: UInt64) { self.limit = limit }

    func spend(_ count: Int, _ name: PathBytes) throws(LayerError) {
        used += UInt64(count)
        if used > limit { throw .limit(.lookups, entry: name.description, allowed: limit) }
    }
}
