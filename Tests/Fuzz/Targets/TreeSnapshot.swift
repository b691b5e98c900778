internal import Glibc
internal import OCI
internal import Sys

/// What a tree shows, path by path: of one directory, or of layers as overlayfs merges them.
struct TreeSnapshot: Equatable {
    struct Entry: Equatable, CustomStringConvertible {
        let kind: FileStatus.Kind
        let mode: UInt32
        let uid: UInt32
        let gid: UInt32
        let modified: FileTime
        var major: UInt32 = 0
        var minor: UInt32 = 0
        /// A link's target, a file's digest, or its size where it is too large to read.
        var contents = ""
        var attributes: [String] = []

        var description: String {
            "\(kind) \(String(mode, radix: 8)) \(uid):\(gid) \(modified.seconds).\(modified.nanoseconds) "
                + "\(major):\(minor) \(contents) \(attributes)"
        }
    }

    private(set) var entries: [String: Entry] = [:]

    /// The layers' directories, top first; a single one is a plain tree. `whiteouts` false shows them as they are.
    init(_ layers: [Tree], merging: Bool = true) throws(Finding) {
        self.merging = merging
        try DiskBench.lift("list") { () throws(Errno) in
            let roots = layers
            guard let top = roots.first else { return }
            entries["."] = try entry(PathBytes("."), in: top)
            try list(roots, path: "")
        }
    }

    private let merging: Bool

    private mutating func list(_ stack: [Tree], path: String) throws(Errno) {
        var seen: Set<PathBytes> = []
        for layer in stack {
            for name in try Directory.names(layer.fd) where seen.insert(name).inserted {
                try show(name, stack, path: path.isEmpty ? name.description : "\(path)/\(name)")
            }
        }
    }

    /// overlayfs's lookup of one name: directories add up until something hides what is below.
    private mutating func show(_ name: PathBytes, _ stack: [Tree], path: String) throws(Errno) {
        var found: [Tree] = []
        for layer in stack {
            let status: FileStatus
            do throws(Errno) {
                status = try File.status(name, at: layer.fd)
            } catch .noEntry {
                continue
            }
            if merging, status.isWhiteout { break }
            if !status.isDirectory {
                if found.isEmpty { try record(name, layer, status, path: path) }
                break
            }
            if found.isEmpty { try record(name, layer, status, path: path) }
            let directory = Tree(try File.open(name, O_RDONLY | O_DIRECTORY, at: layer.fd))
            found.append(directory)
            if merging, try ExtendedAttributes.get(directory.fd, PathBytes("trusted.overlay.opaque")) == [0x79] {
                break
            }
        }
        if !found.isEmpty { try list(found, path: path) }
    }

    private mutating func record(_ name: PathBytes, _ layer: Tree, _ status: FileStatus, path: String) throws(Errno) {
        entries[path] = try entry(name, in: layer)
    }

    private func entry(_ name: PathBytes, in layer: Tree) throws(Errno) -> Entry {
        let status = try File.status(name, at: layer.fd)
        var entry = Entry(
            kind: status.kind, mode: status.mode, uid: status.uid, gid: status.gid, modified: status.modified)
        switch status.kind {
        case .link: entry.contents = "\(try File.readLink(name, at: layer.fd))"
        case .regular where status.size > 1 << 20: entry.contents = "\(status.size) bytes"
        case .regular:
            let file = try File.open(name, O_RDONLY, at: layer.fd)
            entry.contents = "\(status.size) \(Digest.of(try File.readAll(file.raw, limit: 1 << 20)).short)"
        case .characterDevice, .blockDevice: (entry.major, entry.minor) = (status.major, status.minor)
        default: break
        }
        for attribute in try ExtendedAttributes.names(name, at: layer.fd) {
            if merging, attribute.hasPrefix("trusted.overlay.") { continue }
            let value = try ExtendedAttributes.get(name, at: layer.fd, attribute) ?? []
            entry.attributes.append("\(attribute)=\(value)")
        }
        entry.attributes.sort()
        return entry
    }

    func without(_ path: String) -> TreeSnapshot {
        var copy = self
        copy.entries[path] = nil
        return copy
    }

    /// The first path that differs, and how; nil when none does.
    func difference(from other: TreeSnapshot) -> String? {
        for path in Set(entries.keys).union(other.entries.keys).sorted() {
            switch (entries[path], other.entries[path]) {
            case (let mine?, let theirs?): if mine != theirs { return "\(path): \(mine), not \(theirs)" }
            case (let mine, let theirs):
                return "\(path): \(mine?.description ?? "nothing"), not \(theirs?.description ?? "nothing")"
            }
        }
        return nil
    }
}
