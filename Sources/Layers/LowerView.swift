internal import Glibc
internal import Sys

/// What overlayfs would show of the layers below: looked up name by name, links never followed.
struct LowerView {
    /// Top first; borrowed.
    private let layers: [Int32]
    private let format: OnDiskFormat

    init(_ layers: [Int32], format: OnDiskFormat) {
        self.layers = layers
        self.format = format
    }

    var isEmpty: Bool { layers.isEmpty }

    /// A name in a directory of one of the layers.
    final class Found {
        let directory: OwnedFD
        let name: PathBytes
        let status: FileStatus

        init(_ directory: consuming OwnedFD, _ name: PathBytes, _ status: FileStatus) {
            self.directory = directory
            self.name = name
            self.status = status
        }
    }

    private enum Answer {
        case found(Found)
        /// Nothing here, and layers further down count.
        case absent
        /// Nothing here, and this layer hides what is below.
        case hidden
    }

    /// The uppermost layer's root.
    func root() throws(LayerError) -> Found? {
        guard let top = layers.first else { return nil }
        return try wrap(PathBytes("")) { () throws(Errno) in
            let directory = try Directory.open(".", at: top)
            let status = try File.status(directory.raw)
            return Found(directory, PathBytes("."), status)
        }
    }

    /// What the merged root shows.
    func rootNames() throws(LayerError) -> [PathBytes] {
        var seen: Set<PathBytes> = []
        var result: [PathBytes] = []
        for layer in layers {
            let names = try wrap(PathBytes("")) { () throws(Errno) in try Directory.names(layer) }
            for name in names where seen.insert(name).inserted {
                if try lookup(name) != nil { result.append(name) }
            }
        }
        return result
    }

    /// `path` is clean and not the root.
    func lookup(_ path: PathBytes) throws(LayerError) -> Found? {
        let parts = EntryPath.components(path)
        for layer in layers {
            let answer = try wrap(path) { () throws(Errno) in try look(parts, in: layer) }
            switch answer {
            case .found(let found): return found
            case .hidden: return nil
            case .absent: continue
            }
        }
        return nil
    }

    private func look(_ parts: [PathBytes], in layer: Int32) throws(Errno) -> Answer {
        var directory = try Directory.open(".", at: layer)
        var opaque = false
        for (index, part) in parts.enumerated() {
            let status: FileStatus
            do throws(Errno) {
                status = try File.status(part, at: directory.raw)
            } catch .noEntry {
                return opaque ? .hidden : .absent
            }
            if status.isWhiteout { return .hidden }
            if index == parts.count - 1 { return .found(Found(directory, part, status)) }
            if !status.isDirectory { return .hidden }
            directory = try File.open(part, O_RDONLY | O_DIRECTORY, at: directory.raw)
            if let name = format.opaqueName, try ExtendedAttributes.get(directory.raw, name) == OnDiskFormat.opaqueValue
            {
                opaque = true
            }
        }
        return .absent
    }

    private func wrap<R>(_ path: PathBytes, _ body: () throws(Errno) -> R) throws(LayerError) -> R {
        do throws(Errno) {
            return try body()
        } catch {
            throw .system(operation: "look up in the layers below", entry: path.description, error)
        }
    }
}
