internal import Glibc
internal import Sys
internal import Union

/// What is in the files of one layer, and how much of it nobody sees.
struct LayerContents {
    private(set) var hidden: Int64 = 0
    private(set) var hiddenFiles = 0
    /// Bytes by directory, two names deep.
    private var parts: [[UInt8]: (bytes: Int64, hidden: Int64)] = [:]
    private let shown: ShownFiles
    /// A file of several names counts once.
    private var seen: Set<FileIdentity> = []
    private static let partDepth = 2

    /// Walks through the open directory of a layer.
    init(_ layer: Int32, shown: ShownFiles) throws(Errno) {
        self.shown = shown
        try walk(layer, [], level: 0)
    }

    var list: [LayerTree.Part] {
        parts.map { LayerTree.Part(path: PathBytes.printable($0.key), bytes: $0.value.bytes, hidden: $0.value.hidden) }
            .sorted { ($1.bytes, $0.path) < ($0.bytes, $1.path) }
    }

    private mutating func walk(_ directory: Int32, _ part: [UInt8], level: Int) throws(Errno) {
        if level > ImageTree.maximumDepth { throw .nameTooLong }
        for name in try Directory.names(directory) {
            let status = try File.status(name, at: directory)
            if status.isDirectory {
                let child = try File.open(name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW, at: directory)
                let below = level < LayerContents.partDepth ? part + [UInt8(ascii: "/")] + name.bytes : part
                try walk(child.raw, below, level: level + 1)
            } else if status.isRegular, status.size > 0 {
                count(status, part.isEmpty ? [UInt8(ascii: "/")] : part)
            }
        }
    }

    private mutating func count(_ status: FileStatus, _ part: [UInt8]) {
        let identity = FileIdentity(status)
        guard seen.insert(identity).inserted else { return }
        let isHidden = !shown.contains(identity)
        if isHidden {
            hidden = hidden.addingReportingOverflow(status.size).partialValue
            hiddenFiles += 1
        }
        var sum = parts[part] ?? (0, 0)
        sum.bytes = sum.bytes.addingReportingOverflow(status.size).partialValue
        if isHidden { sum.hidden = sum.hidden.addingReportingOverflow(status.size).partialValue }
        parts[part] = sum
    }
}

/// The regular files that images show.
struct ShownFiles {
    private var identities: Set<FileIdentity> = []

    func contains(_ file: FileIdentity) -> Bool { identities.contains(file) }

    mutating func add(_ tree: ImageTree) throws(Errno) { try add(tree, tree.view.root, level: 0) }

    private mutating func add(_ tree: ImageTree, _ directory: UnionDirectory, level: Int) throws(Errno) {
        if level > ImageTree.maximumDepth { throw .nameTooLong }
        for name in try tree.view.names(in: directory) {
            let status = try tree.view.status(name, in: directory)
            if status.isDirectory {
                try add(tree, try tree.view.directory(name, in: directory), level: level + 1)
            } else if status.isRegular {
                identities.insert(FileIdentity(status))
            }
        }
    }
}
