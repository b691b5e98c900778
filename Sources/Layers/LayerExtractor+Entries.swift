internal import Glibc
internal import Sys

extension LayerExtractor {
    /// Makes what one member describes.
    mutating func apply<C: ChunkSource>(_ member: TarEntry, from reader: inout TarReader<C>) throws(LayerError) {
        tree.impliedTime = member.modified
        let entry = try owned(member)
        let path = try EntryPath(entry.name, limits: tree.limits)
        if path.isRoot { return try applyRoot(entry) }
        if tree.format.readsWhiteouts, try applyMarker(path, entry) { return }
        guard let parent = try tree.parent(path.parent) else { throw refused(entry, "its parent is missing") }
        let place = Place(directory: parent, name: path.base)
        switch entry.kind {
        case .regular: try makeFile(entry, place, from: &reader)
        case .directory: try makeDirectory(entry, place)
        case .symbolicLink: try makeSymbolicLink(entry, place)
        case .hardLink: try makeHardLink(entry, place)
        case .characterDevice, .blockDevice, .fifo: try makeNode(entry, place)
        }
    }

    /// Carries out what a name says about others; false for a name that stands for itself.
    private func applyMarker(_ path: EntryPath, _ entry: TarEntry) throws(LayerError) -> Bool {
        if try isReserved(path, entry) { return true }
        guard let marker = Marker(path.base) else { throw refused(entry, "a whiteout of nothing") }
        switch marker {
        case .none: return false
        case .ignored: break
        case .opaque:
            if let parent = try tree.parent(path.parent) { try tree.makeOpaque(parent) }
        case .whiteout(let name):
            // Where the layers below have no such directory there is nothing to hide.
            if let parent = try tree.parent(path.parent, missing: .inherit) { try tree.whiteOut(name, in: parent) }
        }
        return true
    }

    /// A name in an open directory.
    struct Place {
        let directory: LayerTree.DirectoryHandle
        let name: PathBytes
        var path: PathBytes { EntryPath.join(directory.path, name) }
    }

    func refused(_ entry: TarEntry, _ reason: String) -> LayerError {
        .refused(entry: PathBytes.printable(entry.name), reason: reason)
    }

    /// Names that AUFS kept for itself: its records at the top are passed over, as docker does; a directory that is
    /// named like a whiteout is nothing that a layer may have (OCI image spec, layer.md#whiteouts).
    private func isReserved(_ path: EntryPath, _ entry: TarEntry) throws(LayerError) -> Bool {
        for (index, part) in EntryPath.components(path.parent).enumerated() where part.hasPrefix(".wh.") {
            if index == 0, part.hasPrefix(".wh..wh.") { return true }
            throw refused(entry, "a directory named as a whiteout")
        }
        return false
    }

    /// The root stays the directory it is (CVE-2021-29136).
    private mutating func applyRoot(_ entry: TarEntry) throws(LayerError) {
        guard entry.kind == .directory else { throw refused(entry, "the root can only be a directory") }
        rootDescribed = true
        // A directory that was there before keeps what it is.
        if tree.format == .merge { return }
        tree.touch(tree.root.path)
        try describe(tree.root, entry, fresh: false)
    }

    // MARK: Kinds

    private mutating func makeFile<C: ChunkSource>(
        _ entry: TarEntry, _ place: Place, from reader: inout TarReader<C>
    ) throws(LayerError) {
        let name = place.name
        let directory = place.directory.fd
        let path = place.path
        // In a tree in use nobody may read it before it has its owner.
        let mode = tree.format == .merge ? 0o600 : entry.mode & 0o777
        let file = try tree.replacing("create", name, path, in: place.directory) { () throws(Errno) in
            try File.open(name, O_WRONLY | O_CREAT | O_EXCL, mode: mode, at: directory)
        }
        let fd = file.raw
        try write(entry, to: fd, path, from: &reader)
        try setOwnerAndMode(entry, fd, path)
        for (attribute, value) in stored(entry, on: .regular) {
            try tree.on("set attribute \(attribute) of", path) { () throws(Errno) in
                try ExtendedAttributes.set(fd, attribute, value)
            }
        }
        try tree.on("set times of", path) { () throws(Errno) in try File.setTimes(fd, modified: entry.modified) }
        do throws(Errno) {
            try file.close()
        } catch {
            throw .system(operation: "close", entry: "/\(path)", error)
        }
        summary.bytes &+= entry.size
    }

    /// Each change is one of the file system's journal: what the file has since it was made is looked at, and stays.
    private func setOwnerAndMode(_ entry: TarEntry, _ fd: Int32, _ path: PathBytes) throws(LayerError) {
        try tree.on("set attributes of", path) { () throws(Errno) in
            let made = try File.status(fd)
            // chown drops set-id bits and capabilities, so it comes first; times last.
            if made.uid != entry.user || made.gid != entry.group {
                try File.setOwner(fd, user: entry.user, group: entry.group)
            }
            if made.mode != entry.mode { try File.setMode(fd, entry.mode) }
        }
    }

    private func write<C: ChunkSource>(
        _ entry: TarEntry, to fd: Int32, _ path: PathBytes, from reader: inout TarReader<C>
    ) throws(LayerError) {
        guard let extents = entry.extents else {
            var behind = WriteBehind(fd)
            while true {
                let piece = try reader.data()
                if piece.isEmpty { return behind.finish() }
                try tree.on("write", path) { () throws(Errno) in try File.write(fd, piece) }
                behind.wrote(piece.count)
            }
        }
        for extent in extents where extent.length > 0 {
            try tree.on("seek in", path) { () throws(Errno) in
                _ = try check { lseek(fd, off_t(extent.offset), SEEK_SET) }
            }
            var left = extent.length
            while left > 0 {
                let piece = try reader.data(upTo: left)
                if piece.isEmpty { break }
                try tree.on("write", path) { () throws(Errno) in try File.write(fd, piece) }
                left -= UInt64(piece.count)
            }
        }
        try tree.on("truncate", path) { () throws(Errno) in _ = try check { ftruncate(fd, off_t(entry.size)) } }
    }

    private func makeDirectory(_ entry: TarEntry, _ place: Place) throws(LayerError) {
        let path = place.path
        let obstacle = try tree.obstacle(place.name, path, in: place.directory)
        if obstacle == .file {
            if tree.format == .merge {
                throw .conflict("cannot overwrite non-directory \"/\(path)\" with a directory")
            }
            try tree.clear(place.name, path, in: place.directory)
        }
        tree.touch(path)
        tree.forgetAliases()
        let name = place.name
        let directory = place.directory.fd
        let handle = try tree.on("create directory", path) { () throws(Errno) in
            if obstacle != .directory { try Directory.make(name, mode: 0o700, at: directory) }
            return LayerTree.DirectoryHandle(try File.open(name, O_RDONLY | O_DIRECTORY, at: directory), path: path)
        }
        // A file or whiteout of this layer was here: what is below it stays deleted.
        if obstacle == .file { try tree.setOpaque(handle) }
        try describe(handle, entry, fresh: obstacle != .directory)
        tree.remember(handle)
    }

    /// Attributes of a directory: what an earlier description set and this one does not name goes.
    private func describe(
        _ directory: LayerTree.DirectoryHandle, _ entry: TarEntry, fresh: Bool
    ) throws(LayerError) {
        let attributes = stored(entry, on: .directory)
        var wanted = DeferredDirectories.Attributes(
            user: entry.user, group: entry.group, mode: entry.mode, modified: entry.modified)
        try tree.on("set attributes of", directory.path) { () throws(Errno) in
            if !fresh, tree.format != .merge {
                for name in try ExtendedAttributes.names(directory.fd) where tree.format.stores(name, on: .directory) {
                    try ExtendedAttributes.remove(directory.fd, name)
                }
            }
            for (name, value) in attributes {
                if name.hasPrefix("system.") {
                    wanted.acls.append(TarEntry.Attribute(name: Array(name.bytes), value: value))
                } else {
                    try ExtendedAttributes.set(directory.fd, name, value)
                }
            }
        }
        try tree.deferred.set(directory.path, wanted, limits: tree.limits)
    }

    private func makeSymbolicLink(_ entry: TarEntry, _ place: Place) throws(LayerError) {
        guard let target = PathBytes(entry.linkName), !target.isEmpty else {
            throw refused(entry, "a symbolic link without a target")
        }
        try tree.replacing("create symbolic link", place.name, place.path, in: place.directory) { () throws(Errno) in
            try File.symlink(target, place.name, at: place.directory.fd)
        }
        try finishByName(entry, place, kind: .symbolicLink)
    }

    private mutating func makeNode(_ entry: TarEntry, _ place: Place) throws(LayerError) {
        var major: UInt32 = 0
        var minor: UInt32 = 0
        var type: mode_t = S_IFIFO
        if entry.kind != .fifo {
            type = entry.kind == .characterDevice ? S_IFCHR : S_IFBLK
            // The kernel's dev_t has 12 and 20 bits; more would name another device.
            guard (0..<4096).contains(entry.deviceMajor), (0..<1_048_576).contains(entry.deviceMinor) else {
                throw refused(entry, "device number \(entry.deviceMajor):\(entry.deviceMinor) is out of range")
            }
            major = UInt32(entry.deviceMajor)
            minor = UInt32(entry.deviceMinor)
            if type == S_IFCHR, major == 0, minor == 0 {
                throw refused(entry, "character device 0:0 would be taken for a deleted file")
            }
            if !tree.limits.owners.makesDevices {
                summary.leftOutDevices += 1
                return
            }
        }
        try tree.replacing("create device", place.name, place.path, in: place.directory) { () throws(Errno) in
            try File.makeNode(
                place.name, mode: type | 0o600, major: major, minor: minor, at: place.directory.fd)
        }
        try finishByName(entry, place, kind: .other)
    }

    /// Owner, mode, attributes and times of what cannot be opened without side effects.
    private func finishByName(_ entry: TarEntry, _ place: Place, kind: FileKind) throws(LayerError) {
        let name = place.name
        let directory = place.directory.fd
        try tree.on("set attributes of", place.path) { () throws(Errno) in
            try File.setOwner(name, at: directory, user: entry.user, group: entry.group)
            if kind != .symbolicLink { try File.setMode(name, at: directory, entry.mode) }
            for (attribute, value) in stored(entry, on: kind) {
                try ExtendedAttributes.set(name, at: directory, attribute, value)
            }
            try File.setTimes(name, at: directory, modified: entry.modified)
        }
    }

    private func stored(_ entry: TarEntry, on kind: FileKind) -> [(PathBytes, [UInt8])] {
        entry.attributes.compactMap { attribute in
            guard let name = PathBytes(attribute.name), tree.format.stores(name, on: kind) else { return nil }
            if !tree.limits.owners.keepsCapabilities, name == PathBytes("security.capability") { return nil }
            return (name, attribute.value)
        }
    }
}
