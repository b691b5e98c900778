internal import Glibc
package import Sys

extension UnionView {
    /// What a name stands for.
    enum Found {
        /// `whiteout`: the upper layer says that it is deleted.
        case absent(whiteout: Bool)
        case present(Entry)
    }

    /// The parts of one thing in the layers of its directory: for anything but a directory there is one.
    struct Entry {
        var upper: FileStatus?
        /// Positions in the directory's `lowers`.
        var lowers: [(index: Int, status: FileStatus)] = []
        /// The upper directory hides what is below, or is alone.
        var isOpaque = false

        /// A directory that can't be renamed: some of it is in a lower layer.
        var isMergedOrLower: Bool { !lowers.isEmpty }
    }

    func find(_ name: PathBytes, in directory: UnionDirectory) throws(Errno) -> Found {
        try checkName(name, in: directory)
        var entry = Entry()
        if let upper = directory.upper, let status = try status(name, in: upper) {
            if try isWhiteout(name, status, in: upper) { return .absent(whiteout: true) }
            entry.upper = status
            try checkContents(name, status, in: upper)
            if !status.isDirectory { return .present(entry) }
            entry.isOpaque = directory.lowers.isEmpty
            if !entry.isOpaque { entry.isOpaque = try hidesBelow(name, in: upper) }
            if entry.isOpaque { return .present(entry) }
        }
        for (index, lower) in directory.lowers.enumerated() {
            guard let status = try status(name, in: lower) else { continue }
            if try isWhiteout(name, status, in: lower) { break }
            if !status.isDirectory {
                // What is below a directory and none itself is hidden by it.
                if entry.upper != nil || !entry.lowers.isEmpty { break }
                try checkContents(name, status, in: lower)
                entry.lowers.append((index, status))
                break
            }
            entry.lowers.append((index, status))
            if index == directory.lowers.count - 1 { break }
            if try hidesBelow(name, in: lower) { break }
        }
        if entry.upper == nil, entry.lowers.isEmpty { return .absent(whiteout: false) }
        return .present(entry)
    }

    func require(_ name: PathBytes, in directory: UnionDirectory) throws(Errno) -> Entry {
        guard case .present(let entry) = try find(name, in: directory) else { throw .noEntry }
        return entry
    }

    /// Whether lower layers show the name as soon as the upper one has nothing of it.
    func isBelow(_ name: PathBytes, in directory: UnionDirectory) throws(Errno) -> Bool {
        for lower in directory.lowers {
            guard let status = try status(name, in: lower) else { continue }
            return try !isWhiteout(name, status, in: lower)
        }
        return false
    }

    /// The layer's part of the name that is shown.
    func top(of entry: Entry, in directory: UnionDirectory) throws(Errno) -> (
        layer: UnionDirectory.OpenDirectory, status: FileStatus
    ) {
        if let status = entry.upper, let upper = directory.upper { return (upper, status) }
        guard let first = entry.lowers.first else { throw .noEntry }
        return (directory.lowers[first.index], first.status)
    }

    /// The layer whose regular file is shown. EISDIR for a directory, ELOOP for a link, ENXIO for whatever else.
    func regular(_ entry: Entry, in directory: UnionDirectory) throws(Errno) -> UnionDirectory.OpenDirectory {
        let top = try top(of: entry, in: directory)
        switch top.status.kind {
        case .regular: return top.layer
        case .directory: throw .isDirectory
        case .link: throw .loop
        default: throw .noDevice
        }
    }

    /// Opens a regular file for reading; for others as `regular`.
    package func read(_ name: PathBytes, in directory: UnionDirectory) throws(Errno) -> OwnedFD {
        let layer = try regular(try require(name, in: directory), in: directory)
        return try File.open(name, O_RDONLY | O_NOCTTY, at: layer.raw)
    }

    /// What shows, and in which layer it is, counted from the top.
    package func shown(
        _ name: PathBytes, in directory: UnionDirectory
    ) throws(Errno) -> (status: FileStatus, layer: Int) {
        let entry = try require(name, in: directory)
        if let status = entry.upper { return (status, 0) }
        guard let first = entry.lowers.first else { throw .noEntry }
        return (first.status, directory.lowers[first.index].number)
    }

    package func status(_ name: PathBytes, in directory: UnionDirectory) throws(Errno) -> FileStatus {
        let entry = try require(name, in: directory)
        return try top(of: entry, in: directory).status
    }

    package func status(of directory: UnionDirectory) throws(Errno) -> FileStatus {
        guard let top = directory.layers.first else { throw .noEntry }
        return try File.status(top.raw)
    }

    package func directory(_ name: PathBytes, in parent: UnionDirectory) throws(Errno) -> UnionDirectory {
        try checkName(name, in: parent)
        if let held = parent.held(name) { return held }
        let entry = try require(name, in: parent)
        let status = try top(of: entry, in: parent).status
        if !status.isDirectory { throw status.kind == .link ? .loop : .notDirectory }
        var upper: UnionDirectory.OpenDirectory?
        if entry.upper != nil, let layer = parent.upper { upper = try open(name, in: layer) }
        var lowers: [UnionDirectory.OpenDirectory] = []
        for lower in entry.lowers { lowers.append(try open(name, in: parent.lowers[lower.index])) }
        return UnionDirectory(upper: upper, lowers: lowers, name: name, in: parent)
    }

    func open(
        _ name: PathBytes, in layer: UnionDirectory.OpenDirectory
    ) throws(Errno) -> UnionDirectory.OpenDirectory {
        .init(try File.open(name, O_RDONLY | O_DIRECTORY, at: layer.raw), layer.number)
    }

    // MARK: One layer

    private func status(_ name: PathBytes, in layer: UnionDirectory.OpenDirectory) throws(Errno) -> FileStatus? {
        do throws(Errno) {
            return try File.status(name, at: layer.raw)
        } catch {
            // A file system with shorter names has none of that length.
            if error == .noEntry || error == .nameTooLong { return nil }
            throw error
        }
    }

    /// A device 0:0, or an empty file that is marked as one. As the kernel does, whatever the directory says.
    func isWhiteout(
        _ name: PathBytes, _ status: FileStatus, in layer: UnionDirectory.OpenDirectory
    ) throws(Errno) -> Bool {
        if status.isWhiteout { return true }
        return try marks.isMarkedFile(name, status, at: layer.raw)
    }

    /// Whether the directory `name` hides what lower layers have in it. EPERM when its entries are those of another name
    /// below: a redirect could lead anywhere in a layer.
    private func hidesBelow(_ name: PathBytes, in layer: UnionDirectory.OpenDirectory) throws(Errno) -> Bool {
        if try mark(marks.opaque, name, in: layer) == OverlayMarks.opaqueValue { return true }
        if try mark(marks.redirect, name, in: layer)?.isEmpty == false { throw .notPermitted }
        return false
    }

    /// EPERM for a file whose contents are elsewhere.
    private func checkContents(
        _ name: PathBytes, _ status: FileStatus, in layer: UnionDirectory.OpenDirectory
    ) throws(Errno) {
        if status.isRegular, try mark(marks.metacopy, name, in: layer) != nil { throw .notPermitted }
    }

    private func mark(
        _ attribute: PathBytes, _ name: PathBytes, in layer: UnionDirectory.OpenDirectory
    ) throws(Errno) -> [UInt8]? {
        do throws(Errno) {
            return try ExtendedAttributes.get(name, at: layer.raw, attribute)
        } catch .accessDenied {
            // `user.*` of a file that can't be read.
            return nil
        }
    }
}
