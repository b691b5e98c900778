internal import CLinux
internal import Glibc
package import OCI
internal import Sys

/// Everything about a directory tree that an archive can carry, path by path: comparable, and printable where two differ.
package struct TreeListing: Sendable, Equatable {
    package struct Entry: Sendable, Equatable {
        package enum Kind: String, Sendable {
            case file, directory, symlink, characterDevice, blockDevice, fifo, socket
        }

        package var kind: Kind
        /// Twelve bits.
        package var mode: UInt32
        package var uid: UInt32
        package var gid: UInt32
        /// Bytes, of regular files.
        package var size: Int64?
        package var seconds: Int64
        package var nanoseconds: Int64
        /// Of symbolic links.
        package var target: String?
        /// `major:minor`, of devices.
        package var device: String?
        package var xattrs: [String: [UInt8]]
        /// The first path (in byte order) of the same file, where it has several names.
        package var linkedTo: String?
        /// Of regular files.
        package var digest: Digest?
        /// 512-byte blocks on disk; not compared.
        package var blocks: Int64
    }

    /// What to look at; bytes that no file system keeps equal (a directory's mtime under overlayfs) can be left out.
    package struct Options: OptionSet, Sendable {
        package let rawValue: Int
        package init(rawValue: Int) { self.rawValue = rawValue }

        package static let digests = Options(rawValue: 1)
        package static let times = Options(rawValue: 2)
        package static let nanoseconds = Options(rawValue: 4)
        package static let directoryTimes = Options(rawValue: 8)
        package static let xattrs = Options(rawValue: 16)
        package static let all: Options = [.digests, .times, .nanoseconds, .directoryTimes, .xattrs]
        /// For what was made from a tar of whole seconds.
        package static let archive: Options = [.digests, .times, .directoryTimes, .xattrs]
        /// For a store that must not have changed: names, kinds, modes, owners, bytes.
        package static let contents: Options = [.digests, .xattrs]
    }

    /// By path relative to the root, `.` for the root itself; bytes that are not UTF-8 as `\xNN`.
    package private(set) var entries: [String: Entry] = [:]

    package static func == (left: TreeListing, right: TreeListing) -> Bool { left.differences(from: right).isEmpty }

    /// Lists the tree below `root`. `skipping` leaves out paths, and what is below them.
    package init(_ root: String, _ options: Options = .all, skipping: @escaping (String) -> Bool = { _ in false })
        throws
    {
        let top = try File.open(root, O_RDONLY | O_DIRECTORY)
        var walker = Walker(options: options, skipping: skipping)
        try walker.visit(top.raw, path: ".")
        try walker.descend(into: top.raw, path: "")
        entries = walker.finish()
    }

    /// A listing without what is at or below the given paths.
    package func without(_ paths: String...) -> TreeListing {
        var copy = self
        copy.entries = entries.filter { entry in
            !paths.contains { entry.key == $0 || entry.key.hasPrefix($0 + "/") }
        }
        return copy
    }

    /// A listing that says nothing of times.
    package var withoutTimes: TreeListing {
        var copy = self
        for path in entries.keys {
            copy.entries[path]?.seconds = 0
            copy.entries[path]?.nanoseconds = 0
        }
        return copy
    }

    package subscript(path: String) -> Entry? { entries[path] }

    package var paths: [String] { entries.keys.sorted() }

    /// Lines such as `etc/passwd: mode 644, expected 600`; empty when both are equal.
    package func differences(from expected: TreeListing) -> [String] {
        var lines: [String] = []
        for path in Set(entries.keys).union(expected.entries.keys).sorted() {
            switch (entries[path], expected.entries[path]) {
            case (let found?, let wanted?):
                lines += found.differences(from: wanted).map { "\(path): \($0)" }
            case (let found?, nil): lines.append("\(path): unexpected \(found.kind)")
            case (nil, let wanted?): lines.append("\(path): missing \(wanted.kind)")
            case (nil, nil): break
            }
        }
        return lines
    }
}

extension TreeListing.Entry {
    fileprivate func differences(from wanted: Self) -> [String] {
        let pairs: [(name: String, found: String?, expected: String?)] = [
            ("kind", kind.rawValue, wanted.kind.rawValue),
            ("mode", String(mode, radix: 8), String(wanted.mode, radix: 8)),
            ("owner", "\(uid):\(gid)", "\(wanted.uid):\(wanted.gid)"),
            ("size", size.map { "\($0)" }, wanted.size.map { "\($0)" }),
            ("mtime", "\(seconds).\(nanoseconds)", "\(wanted.seconds).\(wanted.nanoseconds)"),
            ("target", target, wanted.target),
            ("device", device, wanted.device),
            ("hard link to", linkedTo, wanted.linkedTo),
            ("digest", digest?.short, wanted.digest?.short),
        ]
        let attributes = Set(xattrs.keys).union(wanted.xattrs.keys).sorted().map { name in
            (name: "xattr \(name)", found: xattrs[name].map { "\($0)" }, expected: wanted.xattrs[name].map { "\($0)" })
        }
        return (pairs + attributes).filter { $0.found != $0.expected }.map { pair in
            "\(pair.name) \(pair.found ?? "none"), expected \(pair.expected ?? "none")"
        }
    }
}

/// Walks by descriptors, so that no name in the tree can lead out of it.
private struct Walker {
    let options: TreeListing.Options
    let skipping: (String) -> Bool
    private var entries: [String: TreeListing.Entry] = [:]
    private var names: [FileIdentity: [String]] = [:]

    private struct FileIdentity: Hashable {
        let device: UInt64
        let inode: UInt64
    }

    init(options: TreeListing.Options, skipping: @escaping (String) -> Bool) {
        self.options = options
        self.skipping = skipping
    }

    mutating func finish() -> [String: TreeListing.Entry] {
        for paths in names.values where paths.count > 1 {
            let first = paths.min()
            for path in paths { entries[path]?.linkedTo = first }
        }
        return entries
    }

    mutating func descend(into directory: Int32, path: String) throws {
        for name in try Walker.names(in: directory) {
            let shown = path + Walker.printable(name)
            if skipping(shown) { continue }
            let handle = OwnedFD(
                adopting: try check { clinux_open(directory, name, O_PATH | O_NOFOLLOW | O_CLOEXEC, 0) })
            try visit(handle.raw, path: shown)
            if entries[shown]?.kind == .directory {
                let below = try File.open(".", O_RDONLY | O_DIRECTORY, at: handle.raw)
                try descend(into: below.raw, path: shown + "/")
            }
        }
    }

    mutating func visit(_ fd: Int32, path: String) throws {
        let status = try File.status(fd)
        var entry = TreeListing.Entry(
            kind: .file, mode: status.mode, uid: status.uid, gid: status.gid, seconds: 0, nanoseconds: 0, xattrs: [:],
            blocks: status.blocks)
        if options.contains(.times), !status.isDirectory || options.contains(.directoryTimes) {
            entry.seconds = status.modified.seconds
            if options.contains(.nanoseconds) { entry.nanoseconds = status.modified.nanoseconds }
        }
        // Reached by /proc, because most calls refuse a descriptor of O_PATH.
        let name = "/proc/self/fd/\(fd)"
        switch status.kind {
        case .regular:
            entry.size = status.size
            if options.contains(.digests) { entry.digest = try Walker.digest(name) }
        case .directory: entry.kind = .directory
        case .link:
            entry.kind = .symlink
            entry.target = try File.readLink("", at: fd)
        case .characterDevice, .blockDevice:
            entry.kind = status.kind == .characterDevice ? .characterDevice : .blockDevice
            entry.device = "\(status.major):\(status.minor)"
            // A whiteout stands for nothing that has a time.
            if status.isWhiteout { (entry.seconds, entry.nanoseconds) = (0, 0) }
        case .fifo: entry.kind = .fifo
        case .socket: entry.kind = .socket
        }
        if options.contains(.xattrs), entry.kind != .symlink { entry.xattrs = try Walker.xattrs(name) }
        if entry.kind != .directory, status.links > 1 {
            names[FileIdentity(device: status.device, inode: status.inode), default: []].append(path)
        }
        entries[path] = entry
    }

    private static func digest(_ path: String) throws -> Digest {
        let file = try File.open(path, O_RDONLY)
        var hasher = DigestHasher()
        let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 17, alignment: 16)
        defer { chunk.deallocate() }
        while true {
            let count = try File.read(file.raw, into: chunk)
            if count == 0 { return hasher.finish() }
            hasher.update(UnsafeRawBufferPointer(rebasing: chunk[..<count]))
        }
    }

    private static func xattrs(_ path: String) throws -> [String: [UInt8]] {
        let buffer = UnsafeMutablePointer<CChar>.allocate(capacity: 65536)
        defer { buffer.deallocate() }
        let count = listxattr(path, buffer, 65536)
        if count < 0 {
            if Errno.current == .notSupported { return [:] }
            throw SystemFailure("listxattr", path, Errno.current)
        }
        let list = UnsafeBufferPointer(start: buffer, count: count).map { UInt8(bitPattern: $0) }
        var result: [String: [UInt8]] = [:]
        for raw in list.split(separator: 0) {
            let name = String(decoding: raw, as: UTF8.self)
            let size = getxattr(path, name, buffer, 65536)
            if size < 0 { throw SystemFailure("getxattr \(name)", path, Errno.current) }
            result[name] = UnsafeBufferPointer(start: buffer, count: size).map { UInt8(bitPattern: $0) }
        }
        return result
    }

    /// NUL-terminated names, as bytes: they need not be UTF-8.
    private static func names(in fd: Int32) throws(Errno) -> [[CChar]] {
        let copy = try File.open(".", O_RDONLY | O_DIRECTORY, at: fd)
        guard let stream = fdopendir(copy.release()) else { throw Errno.current }
        defer { closedir(stream) }
        var result: [[CChar]] = []
        while let entry = readdir(stream) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                Array(bytes.prefix { $0 != 0 }.map { CChar(bitPattern: $0) })
            }
            if name != [46], name != [46, 46] { result.append(name + [0]) }
        }
        return result
    }

    private static func printable(_ name: [CChar]) -> String {
        let bytes = name.dropLast().map { UInt8(bitPattern: $0) }
        if let text = String(validating: bytes, as: UTF8.self) { return text }
        return bytes.map { byte in
            byte < 128 ? String(UnicodeScalar(byte)) : "\\x" + String(byte, radix: 16)
        }.joined()
    }
}
