internal import Glibc
package import Sys

/// What is kept of the files that are packed.
package struct PackingOptions: Sendable {
    package enum Owner: Sendable, Hashable {
        case kept
        /// Everything becomes somebody's own: set-id bits and file capabilities, which would give this user's rights away,
        /// are left out.
        case replaced(user: UInt32, group: UInt32)
        /// What is this user's, who has no namespace, is root's: as it would be in one of one ID.
        case rootFor(user: UInt32, group: UInt32)
    }

    /// How the tree says that something below is deleted.
    package enum Marks: Sendable, Hashable {
        /// It doesn't: a name is a name.
        case none
        /// It is overlayfs's upper layer, and the tar is to be an image's layer.
        case layer
    }

    package var owner = Owner.kept
    package var marks = Marks.none
    /// Of such an upper layer.
    package var format = OnDiskFormat.overlay
    /// The names of its attributes, where it is one.
    var overlay: OverlayMarks? { marks == .layer ? format.marks : nil }
    /// Paths below the top that are left out with all below them.
    package var excluded: Set<PathBytes> = []

    package init() {}
}

/// Writes a tree as tar members, names in the order of their bytes. The tree may change meanwhile and may be an enemy's:
/// all is done by descriptors, one name at a time, no link is followed, and only what is a regular file is opened.
struct TreePacker<Sink: ByteSink> {
    private(set) var writer: TarWriter<Sink>
    let options: PackingOptions
    /// Members written, those that stand for deleted files included.
    private(set) var members: UInt64 = 0
    private var names: [FileIdentity: [UInt8]] = [:]
    private var pending: [Level] = []
    private let limits = ExtractionLimits()
    private let buffer = RawBuffer(count: 256 << 10)

    private struct FileIdentity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    /// A directory that is being walked.
    private struct Level {
        let directory: OpenFile
        /// In the tar.
        let name: [UInt8]
        /// Below the top.
        let path: PathBytes
        var entries: ArraySlice<PathBytes>
        /// Whether it hides what is below it, in an upper layer.
        let isOpaque: Bool
    }

    /// An open file that several values share.
    private final class OpenFile {
        private let descriptor: OwnedFD
        var raw: Int32 { descriptor.raw }
        init(_ descriptor: consuming OwnedFD) { self.descriptor = descriptor }
    }

    init(_ sink: Sink, _ options: PackingOptions) {
        writer = TarWriter(sink)
        self.options = options
    }

    mutating func finish() throws(LayerError) { try writer.finish() }

    /// Packs what `item` is, and all below it. `item` is open for its path alone (O_PATH) or is a directory; borrowed.
    mutating func pack(_ item: Int32, as name: [UInt8]) throws(LayerError) {
        let status = try on("read attributes of", name) { () throws(Errno) in try File.status(item) }
        try visit(item, status, name, PathBytes(""))
        try walk()
    }

    /// Packs all below the directory `directory`, borrowed, but not the directory itself.
    mutating func packContents(of directory: Int32) throws(LayerError) {
        try enter(directory, [], PathBytes(""))
        try walk()
    }

    private mutating func walk() throws(LayerError) {
        while var level = pending.popLast() {
            guard let entry = level.entries.popFirst() else { continue }
            pending.append(level)
            let path = EntryPath.join(level.path, entry)
            if options.excluded.contains(path) { continue }
            try visit(entry, path, in: level)
        }
    }

    private mutating func visit(_ entry: PathBytes, _ path: PathBytes, in level: Level) throws(LayerError) {
        // Said by the directory's own mark already.
        if level.isOpaque, options.marks == .layer, OpaqueFile.contains(entry) { return }
        let name = level.name + entry.bytes
        if name.count > limits.pathLength {
            throw .limit(.pathLength, entry: PathBytes.printable(name), allowed: UInt64(limits.pathLength))
        }
        if options.marks == .layer, entry.hasPrefix(".wh.") {
            throw .refused(
                entry: PathBytes.printable(name), reason: "in a layer its name would say that another file is deleted")
        }
        let directory = level.directory.raw
        let item: OwnedFD
        do throws(Errno) {
            item = try File.open(entry, O_PATH, at: directory)
        } catch .noEntry {
            // Gone since the directory was read.
            return
        } catch {
            throw .system(operation: "open", entry: PathBytes.printable(name), error)
        }
        let raw = item.raw
        let status = try on("read attributes of", name) { () throws(Errno) in try File.status(raw) }
        let isWhiteout = try on("read attributes of", name) { () throws(Errno) in
            try options.overlay?.isWhiteout(entry, status, at: directory) ?? false
        }
        if isWhiteout { return try mark(level.name + Array(".wh.".utf8) + entry.bytes, status.modified) }
        try visit(raw, status, name, path)
    }

    private mutating func visit(
        _ item: Int32, _ status: FileStatus, _ name: [UInt8], _ path: PathBytes
    ) throws(LayerError) {
        if status.kind == .socket { return }
        if status.links > 1, !status.isDirectory {
            let identity = FileIdentity(device: status.device, inode: status.inode)
            if let first = names[identity] { return try link(name, to: first, status) }
            names[identity] = name
        }
        switch status.kind {
        case .regular: try packFile(item, name)
        case .directory: try packDirectory(item, status, name, path)
        case .link:
            var entry = describe(status, .symbolicLink, name)
            entry.linkName = Array(
                try on("read link", name) { () throws(Errno) in try File.readLink(PathBytes(""), at: item) }.bytes)
            try member(entry)
        case .fifo: try packNode(item, status, .fifo, name)
        case .characterDevice: try packNode(item, status, .characterDevice, name)
        case .blockDevice: try packNode(item, status, .blockDevice, name)
        case .socket: return
        }
    }

    private func on<R: ~Copyable>(
        _ operation: String, _ name: [UInt8], _ body: () throws(Errno) -> R
    ) throws(LayerError) -> R {
        do throws(Errno) {
            return try body()
        } catch {
            throw .system(operation: operation, entry: PathBytes.printable(name), error)
        }
    }

    private mutating func member(_ entry: TarEntry) throws(LayerError) {
        try writer.header(entry)
        members += 1
    }

    // MARK: Kinds

    private mutating func packDirectory(
        _ item: Int32, _ status: FileStatus, _ name: [UInt8], _ path: PathBytes
    ) throws(LayerError) {
        let directory = try on("open directory", name) { () throws(Errno) in
            OpenFile(try File.open(PathBytes("."), O_RDONLY | O_DIRECTORY, at: item))
        }
        var entry = describe(status, .directory, name)
        let opaque = try attributes(of: directory.raw, .directory, name, &entry)
        try member(entry)
        let prefix = name + [UInt8(ascii: "/")]
        // What the kernel shows of itself is no file of the tree's.
        if try on("look at", name, { () throws(Errno) in try File.isKernels(directory.raw) }) { return }
        if opaque { try mark(prefix + Array(".wh..wh..opq".utf8), status.modified) }
        try enter(directory.raw, name == [UInt8(ascii: ".")] ? [] : prefix, path, isOpaque: opaque)
    }

    private mutating func enter(
        _ directory: Int32, _ name: [UInt8], _ path: PathBytes, isOpaque: Bool = false
    ) throws(LayerError) {
        if pending.count >= limits.pathDepth {
            throw .limit(.pathDepth, entry: PathBytes.printable(name), allowed: UInt64(limits.pathDepth))
        }
        let level = try on("list", name) { () throws(Errno) in
            let open = OpenFile(try File.open(PathBytes("."), O_RDONLY | O_DIRECTORY, at: directory))
            let entries = try Directory.names(open.raw).sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
            return Level(directory: open, name: name, path: path, entries: entries[...], isOpaque: isOpaque)
        }
        pending.append(level)
    }

    /// A file that shrinks meanwhile is filled up with zeros, one that grows is cut: the header has gone out.
    private mutating func packFile(_ item: Int32, _ name: [UInt8]) throws(LayerError) {
        // Through /proc: the very file that was found to be regular, whatever has its name by now.
        let file = try on("open", name) { () throws(Errno) in
            try File.open("/proc/self/fd/\(item)", O_RDONLY | O_NONBLOCK | O_NOCTTY)
        }
        let raw = file.raw
        let status = try on("read attributes of", name) { () throws(Errno) in try File.status(raw) }
        var entry = describe(status, .regular, name)
        entry.size = UInt64(max(status.size, 0))
        _ = try attributes(of: raw, .regular, name, &entry)
        try member(entry)
        var position: Int64 = 0
        while position < status.size {
            let (start, end) = File.nextData(raw, from: position, size: status.size)
            try writer.zeros(start - position)
            position = start
            while position < end {
                let wanted = UnsafeMutableRawBufferPointer(
                    rebasing: buffer.bytes[..<Int(min(Int64(buffer.bytes.count), end - position))])
                let at = position
                let count = try on("read", name) { () throws(Errno) in try File.read(raw, into: wanted, at: at) }
                if count == 0 {
                    try writer.zeros(status.size - position)
                    position = status.size
                    break
                }
                try writer.data(UnsafeRawBufferPointer(rebasing: wanted[..<count]))
                position += Int64(count)
            }
        }
        try writer.padding()
    }

    private mutating func packNode(
        _ item: Int32, _ status: FileStatus, _ kind: TarEntry.Kind, _ name: [UInt8]
    ) throws(LayerError) {
        var entry = describe(status, kind, name)
        entry.deviceMajor = Int64(status.major)
        entry.deviceMinor = Int64(status.minor)
        try member(entry)
    }

    private mutating func link(_ name: [UInt8], to first: [UInt8], _ status: FileStatus) throws(LayerError) {
        var entry = describe(status, .hardLink, name)
        entry.linkName = first
        try member(entry)
    }

    /// An empty file whose name says what is deleted.
    private mutating func mark(_ name: [UInt8], _ time: FileTime) throws(LayerError) {
        try member(
            TarEntry(
                kind: .regular, name: name, linkName: [], mode: 0o600, user: 0, group: 0,
                modified: FileTime(seconds: time.seconds, nanoseconds: 0), size: 0, storedSize: 0, extents: nil,
                deviceMajor: 0, deviceMinor: 0, attributes: []))
    }

    // MARK: Attributes

    private func describe(_ status: FileStatus, _ kind: TarEntry.Kind, _ name: [UInt8]) -> TarEntry {
        var entry = TarEntry(
            kind: kind, name: name, linkName: [], mode: status.mode, user: status.uid, group: status.gid,
            modified: status.modified, size: 0, storedSize: 0, extents: nil, deviceMajor: 0, deviceMinor: 0,
            attributes: [])
        if case .replaced(let user, let group) = options.owner {
            entry.user = user
            entry.group = group
            entry.mode &= 0o1777
            // Made on a host, a device is its machine's, whoever owns the node.
            if kind == .characterDevice || kind == .blockDevice { entry.mode &= 0o600 }
        }
        if case .rootFor(let user, let group) = options.owner {
            if entry.user == user { entry.user = 0 }
            if entry.group == group { entry.group = 0 }
        }
        return entry
    }

    /// Puts the extended attributes of an open file into `entry`, sorted by name; tells whether it is an opaque directory.
    private func attributes(
        of fd: Int32, _ kind: FileKind, _ name: [UInt8], _ entry: inout TarEntry
    ) throws(LayerError) -> Bool {
        var isOpaque = false
        let all = try on("list attributes of", name) { () throws(Errno) in try ExtendedAttributes.names(fd) }
        for attribute in all.sorted(by: { $0.bytes.lexicographicallyPrecedes($1.bytes) }) {
            let marksOpaque = options.overlay?.isOpaque(attribute) ?? false
            let isOverlay = marksOpaque || (options.overlay.map { attribute.hasPrefix($0.prefix) } ?? false)
            guard isOverlay || OnDiskFormat.overlay.stores(attribute, on: kind) else { continue }
            if options.owner != .kept, attribute == PathBytes("security.capability") { continue }
            let value = try on("read attribute \(attribute) of", name) { () throws(Errno) in
                try ExtendedAttributes.get(fd, attribute)
            }
            guard let value else { continue }
            if isOverlay {
                try checkOverlay(attribute, name)
                if marksOpaque, value == OnDiskFormat.opaqueValue { isOpaque = true }
                continue
            }
            entry.attributes.append(TarEntry.Attribute(name: Array(attribute.bytes), value: value))
        }
        return isOpaque
    }

    /// What a layer's tar cannot say: that a file's contents or a directory's entries are those of another name below.
    private func checkOverlay(_ attribute: PathBytes, _ name: [UInt8]) throws(LayerError) {
        if attribute == options.overlay?.metacopy || attribute == options.overlay?.redirect {
            throw .refused(
                entry: PathBytes.printable(name),
                reason: "it has the attribute \(attribute), which runimg's mounts never make: another program mounted "
                    + "this layer with metacopy or redirect_dir")
        }
    }
}
