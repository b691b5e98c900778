internal import Glibc
internal import Sys

extension LayerTree {
    /// Links in one path, as the kernel counts them (path_resolution(7)).
    private static var largestHops: Int { 40 }

    private enum Step {
        case entered(DirectoryHandle)
        case link(PathBytes)
        case missing
    }

    /// Goes along `path` name by name through this layer and, where it has nothing, those below: what a container
    /// engine that unpacks onto the merged tree would do. `..` of a link's target stops at the root, as in a chroot.
    func walk(_ path: PathBytes, _ missing: Missing) throws(LayerError) -> DirectoryHandle? {
        var pending = Array(EntryPath.components(path).reversed())
        var current = root
        var hops = 0
        // Components that nothing has: `..` after them is taken by the text, as containerd and umoci do.
        var absent = 0
        while let name = pending.popLast() {
            if absent > 0 {
                absent += name == PathBytes("..") ? -1 : 1
                continue
            }
            if name == PathBytes("..") {
                current = try reopen(EntryPath.parent(of: current.path))
                continue
            }
            let child = EntryPath.join(current.path, name)
            try EntryPath.check(length: child.count, depth: EntryPath.depth(of: child), path.bytes, limits)
            switch try step(name, child, in: current, missing) {
            case .entered(let next): current = next
            case .missing:
                absent = 1
                // Where layers are kept apart, this one has the way so far by now.
                try touch(current)
            case .link(let target):
                hops += 1
                if hops > LayerTree.largestHops {
                    throw .refused(entry: path.description, reason: "too many symbolic links in its parents")
                }
                if target.hasPrefix("/") { current = root }
                pending += EntryPath.components(target).reversed()
            }
        }
        return absent == 0 ? current : nil
    }

    private func reopen(_ path: PathBytes) throws(LayerError) -> DirectoryHandle {
        if path.isEmpty { return root }
        return try on("open directory", path) { () throws(Errno) in
            let fd = try File.open(path, O_RDONLY | O_DIRECTORY, at: root.fd, resolve: [.beneath, .noSymlinks])
            return DirectoryHandle(fd, path: path)
        }
    }

    private func step(
        _ name: PathBytes, _ path: PathBytes, in directory: DirectoryHandle, _ missing: Missing
    ) throws(LayerError) -> Step {
        do throws(Errno) {
            let fd = try File.open(name, O_RDONLY | O_DIRECTORY, at: directory.fd)
            return .entered(DirectoryHandle(fd, path: path))
        } catch .noEntry {
            return try fromBelow(name, path, in: directory, missing)
        } catch {
            guard [.notDirectory, .loop].contains(error) else {
                throw .system(operation: "open directory", entry: "/\(path)", error)
            }
        }
        let status = try on("look at", path) { () throws(Errno) in try File.status(name, at: directory.fd) }
        if status.kind == .link {
            return .link(try on("read link", path) { () throws(Errno) in try File.readLink(name, at: directory.fd) })
        }
        if try isWhiteout(name, status, path, in: directory) {
            if missing == .inherit { return .missing }
            try on("remove whiteout", path) { () throws(Errno) in try File.unlink(name, at: directory.fd) }
            let made = try makeImplied(name, path, in: directory, after: nil)
            try setOpaque(made)
            return .entered(made)
        }
        if format == .directory, !isTouched(path) {
            // A file of the layers below, which a directory hides where layers are kept apart.
            if missing == .inherit { return .missing }
            try touch(directory)
            try clear(name, path, in: directory)
            return .entered(try makeImplied(name, path, in: directory, after: nil))
        }
        throw .refused(entry: path.description, reason: "not a directory, but the layer has entries in it")
    }

    /// The layers below decide what a name is that this layer has not.
    private func fromBelow(
        _ name: PathBytes, _ path: PathBytes, in directory: DirectoryHandle, _ missing: Missing
    ) throws(LayerError) -> Step {
        let found = try lowerUnlessHidden(name, in: directory)
        if let found, found.status.kind == .link {
            return .link(
                try on("read link", path) { () throws(Errno) in
                    try File.readLink(found.name, at: found.directory.raw)
                })
        }
        let isDirectory = found?.status.isDirectory ?? false
        if !isDirectory, missing == .inherit { return .missing }
        return .entered(try makeImplied(name, path, in: directory, after: isDirectory ? found : nil))
    }

    /// What the layers below have under a name, unless this layer made a directory on the way opaque.
    func lowerUnlessHidden(
        _ name: PathBytes, in directory: DirectoryHandle
    ) throws(LayerError) -> LowerView.Found? {
        if rootIsOpaque { return nil }
        let lowers = try lowerView()
        if lowers.isEmpty { return nil }
        guard let merged = try merged(directory, lowers) else { return nil }
        return try lowers.lookup(name, in: merged)
    }

    /// What the layers below show in a directory of this layer. One after the other is asked for down a path, so the
    /// last answer is where the next begins.
    private func merged(_ directory: DirectoryHandle, _ lowers: LowerView) throws(LayerError) -> LowerView.Merged? {
        if let last = lastMerged, last.path == directory.path { return last.merged }
        var merged: LowerView.Merged?
        if let last = lastMerged, !directory.path.isEmpty, last.path == EntryPath.parent(of: directory.path) {
            merged = try child(directory, of: last.merged, lowers)
        } else {
            merged = lowers.merged
            var current = root
            for name in EntryPath.components(directory.path) where merged != nil {
                let path = EntryPath.join(current.path, name)
                let parent = current.fd
                current = try on("open directory", path) { () throws(Errno) in
                    DirectoryHandle(try File.open(name, O_RDONLY | O_DIRECTORY, at: parent), path: path)
                }
                merged = try child(current, of: merged, lowers)
            }
        }
        lastMerged = (directory.path, merged)
        return merged
    }

    private func child(
        _ directory: DirectoryHandle, of parent: LowerView.Merged?, _ lowers: LowerView
    ) throws(LayerError) -> LowerView.Merged? {
        guard let parent, let mark = format.opaqueName else { return nil }
        let value = try on("read attributes of", directory.path) { () throws(Errno) in
            try ExtendedAttributes.get(directory.fd, mark)
        }
        if value == OnDiskFormat.opaqueValue { return nil }
        return try lowers.child(EntryPath.base(of: directory.path), of: parent)
    }

    /// A directory that the layer does not describe: as in the layers below, or 0755 of root, as docker's.
    private func makeImplied(
        _ name: PathBytes, _ path: PathBytes, in directory: DirectoryHandle, after lower: LowerView.Found?
    ) throws(LayerError) -> DirectoryHandle {
        try countImplied(path)
        // Before its times change.
        try touch(directory)
        let made = try on("create directory", path) { () throws(Errno) in
            try Directory.make(name, mode: 0o700, at: directory.fd)
            return DirectoryHandle(try File.open(name, O_RDONLY | O_DIRECTORY, at: directory.fd), path: path)
        }
        touch(path)
        if let lower {
            try inherit(from: lower, to: made)
        } else {
            let plain = limits.owners.impliedDirectory(impliedTime)
            try deferred.set(path, plain, limits: limits)
        }
        return made
    }

    /// Gives a directory of this layer what the same one below has.
    func inherit(from lower: LowerView.Found, to directory: DirectoryHandle) throws(LayerError) {
        var attributes = DeferredDirectories.Attributes(lower.status)
        try on("copy attributes of", directory.path) { () throws(Errno) in
            let source = try File.open(lower.name, O_RDONLY | O_DIRECTORY, at: lower.directory.raw)
            for name in try ExtendedAttributes.names(source.raw) where format.stores(name, on: .directory) {
                guard let value = try ExtendedAttributes.get(source.raw, name) else { continue }
                if name.hasPrefix("system.") {
                    attributes.acls.append(TarEntry.Attribute(name: Array(name.bytes), value: value))
                } else {
                    try ExtendedAttributes.set(directory.fd, name, value)
                }
            }
        }
        try deferred.set(directory.path, attributes, limits: limits)
    }

    /// Hides what the layers below have in a directory; where there are none below, it is the caller who removes.
    func setOpaque(_ directory: DirectoryHandle) throws(LayerError) {
        guard let marks = format.marks else { return }
        lastMerged = nil
        try on("make opaque", directory.path) { () throws(Errno) in
            try marks.removeMarkedFiles(in: directory.fd)
            try ExtendedAttributes.set(directory.fd, marks.opaque, OnDiskFormat.opaqueValue)
        }
    }
}
