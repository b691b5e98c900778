internal import Sys
internal import Union

/// An image's files, where paths are looked up as a process in a container would: links lead where they do there.
struct ImageTree {
    private static let maximumLinks = 40
    private static let slash = UInt8(ascii: "/")

    let view: UnionView

    init(_ view: UnionView) { self.view = view }

    /// What a path leads to.
    struct Place {
        /// The directory that it is in, or for a directory itself.
        let directory: UnionDirectory
        /// nil for a directory.
        let name: PathBytes?
        /// From the root, without links.
        let path: [UInt8]
    }

    /// Follows links, also one at the end: ENOENT, ENOTDIR, ELOOP.
    func locate(_ path: String) throws(Errno) -> Place {
        var rest = ImageTree.parts(Array(path.utf8))[...]
        var parents: [(name: PathBytes, directory: UnionDirectory)] = []
        var links = 0
        while let part = rest.popFirst() {
            if part == PathBytes(".") { continue }
            if part == PathBytes("..") {
                _ = parents.popLast()
                continue
            }
            let current = parents.last?.directory ?? view.root
            switch try view.status(part, in: current).kind {
            case .directory: parents.append((part, try view.directory(part, in: current)))
            case .link:
                links += 1
                if links > ImageTree.maximumLinks { throw .loop }
                let target = Array(try view.readLink(part, in: current).bytes)
                if target.first == ImageTree.slash { parents = [] }
                rest = ImageTree.parts(target) + rest
            default:
                if !rest.isEmpty { throw .notDirectory }
                return Place(
                    directory: current, name: part,
                    path: ImageTree.path(parents.map(\.name)) + [ImageTree.slash] + part.bytes)
            }
        }
        return Place(
            directory: parents.last?.directory ?? view.root, name: nil, path: ImageTree.path(parents.map(\.name)))
    }

    private static func parts(_ path: [UInt8]) -> [PathBytes] {
        path.split(separator: slash).compactMap { PathBytes($0) }
    }

    private static func path(_ names: [PathBytes]) -> [UInt8] { names.flatMap { [slash] + $0.bytes } }

    // MARK: Lists

    /// Deeper trees than this are an error: their paths are longer than any call takes.
    static let maximumDepth = 2048

    /// What is below a directory, `depth` names deep, or the one thing that `place` is: a directory before what is in it,
    /// sorted.
    func list(_ place: Place, depth: Int) throws(Errno) -> [ImageFile] {
        var files: [ImageFile] = []
        if let name = place.name {
            files.append(try file(name, in: place.directory, path: place.path))
        } else {
            try list(place.directory, path: place.path, depth: depth, level: 1, &files)
        }
        return files
    }

    private func list(
        _ directory: UnionDirectory, path: [UInt8], depth: Int, level: Int, _ files: inout [ImageFile]
    ) throws(Errno) {
        if level > ImageTree.maximumDepth { throw .nameTooLong }
        for name in try sortedNames(in: directory) {
            let below = path + [ImageTree.slash] + name.bytes
            let file = try file(name, in: directory, path: below)
            files.append(file)
            if file.status.isDirectory, level < depth {
                let child = try view.directory(name, in: directory)
                try list(child, path: below, depth: depth, level: level + 1, &files)
            }
        }
    }

    func sortedNames(in directory: UnionDirectory) throws(Errno) -> [PathBytes] {
        try view.names(in: directory).sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    }

    private func file(_ name: PathBytes, in directory: UnionDirectory, path: [UInt8]) throws(Errno) -> ImageFile {
        guard let path = PathBytes(path) else { throw .invalid }
        let (status, layer) = try view.shown(name, in: directory)
        var file = ImageFile(path: path, status: status, layersAbove: layer)
        if status.kind == .link { file.target = try view.readLink(name, in: directory) }
        return file
    }
}
