internal import Glibc
internal import Sys

extension LayerTree {
    /// What stands in the way of a new name.
    enum Obstacle {
        case none
        case directory
        /// Anything else; it hides what the layers below have, as a whiteout does.
        case file
    }

    func obstacle(_ name: PathBytes, _ path: PathBytes, in directory: DirectoryHandle) throws(LayerError) -> Obstacle {
        do throws(Errno) {
            let status = try File.status(name, at: directory.fd)
            return status.isDirectory ? .directory : .file
        } catch .noEntry {
            return .none
        } catch {
            throw .system(operation: "look at", entry: "/\(path)", error)
        }
    }

    /// Removes whatever has the name, whole.
    func clear(_ name: PathBytes, _ path: PathBytes, in directory: DirectoryHandle) throws(LayerError) {
        forgetParents()
        try on("remove", path) { () throws(Errno) in try Directory.removeTree(name, at: directory.fd) }
    }

    /// Calls `body`, which makes the name; an earlier entry's file or directory of that name gives way, as in docker.
    func replacing<R: ~Copyable>(
        _ operation: String, _ name: PathBytes, _ path: PathBytes, in directory: DirectoryHandle,
        _ body: () throws(Errno) -> R
    ) throws(LayerError) -> R {
        touch(path)
        forgetAliases()
        do throws(Errno) {
            return try body()
        } catch {
            if error != .exists { throw .system(operation: operation, entry: "/\(path)", error) }
        }
        if format == .merge {
            try giveWay(name, path, in: directory)
        } else {
            try clear(name, path, in: directory)
        }
        return try on(operation, path, body)
    }

    /// Removes a file, but no directory: what is in it is nobody's to lose.
    private func giveWay(_ name: PathBytes, _ path: PathBytes, in directory: DirectoryHandle) throws(LayerError) {
        do throws(Errno) {
            try File.unlink(name, at: directory.fd)
        } catch .isDirectory {
            throw .conflict("cannot overwrite directory \"/\(path)\" with a non-directory")
        } catch {
            throw .system(operation: "replace", entry: "/\(path)", error)
        }
    }

    // MARK: Whiteouts

    /// Records, or carries out, that the layers below lose `name`. What this layer itself has there stays, whichever
    /// comes first in the tar.
    func whiteOut(_ name: PathBytes, in directory: DirectoryHandle) throws(LayerError) {
        let path = EntryPath.join(directory.path, name)
        let obstacle = try obstacle(name, path, in: directory)
        if !format.keepsWhiteouts {
            if obstacle == .none { return }
            if !isTouched(path) {
                try clear(name, path, in: directory)
            } else if obstacle == .directory {
                try purge(path)
            }
            return
        }
        forgetAliases()
        switch obstacle {
        case .none:
            try on("create whiteout", path) { () throws(Errno) in
                if try OverlayMarks.makeDevice(name, at: directory.fd) { return }
                // Nothing is below an opaque directory, and it can't have marked files.
                guard let marks = format.marks, try !marks.hidesBelow(directory.fd) else { return }
                try marks.makeMarkedFile(name, at: directory.fd, for: directory.fd)
            }
        case .directory:
            let handle = try on("open directory", path) { () throws(Errno) in
                DirectoryHandle(try File.open(name, O_RDONLY | O_DIRECTORY, at: directory.fd), path: path)
            }
            try setOpaque(handle)
        case .file: break
        }
    }

    /// Whether this layer says that the layers below lose `name`, of this status.
    func isWhiteout(
        _ name: PathBytes, _ status: FileStatus, _ path: PathBytes, in directory: DirectoryHandle
    ) throws(LayerError) -> Bool {
        guard let marks = format.marks else { return false }
        return try on("look at", path) { () throws(Errno) in try marks.isWhiteout(name, status, at: directory.fd) }
    }

    /// Hides, or removes, what the layers below have in `directory`.
    func makeOpaque(_ directory: DirectoryHandle) throws(LayerError) {
        forgetAliases()
        if !format.keepsWhiteouts {
            try purge(directory.path)
        } else if directory.path.isEmpty {
            rootIsOpaque = true
        } else {
            try setOpaque(directory)
        }
    }

    /// overlayfs does not look whether a layer's root is opaque: every name of the layers below is whited out.
    func hideBelowRoot() throws(LayerError) {
        if !rootIsOpaque { return }
        for name in try lowerView().rootNames() { try whiteOut(name, in: root) }
    }

    /// Removes all below `path` that this layer did not make. Without recursion: trees may be deeper than the stack.
    private func purge(_ path: PathBytes) throws(LayerError) {
        forgetParents()
        var pending = [path]
        while let path = pending.popLast() {
            let directory = try on("open directory", path) { () throws(Errno) in
                try File.open(
                    path.isEmpty ? PathBytes(".") : path, O_RDONLY | O_DIRECTORY, at: root.fd,
                    resolve: [.beneath, .noSymlinks])
            }
            let fd = directory.raw
            for name in try on("list", path, { () throws(Errno) in try Directory.names(fd) }) {
                let child = EntryPath.join(path, name)
                try on("remove", child) { () throws(Errno) in
                    if !isTouched(child) {
                        try Directory.removeTree(name, at: fd)
                    } else if try File.status(name, at: fd).isDirectory {
                        pending.append(child)
                    }
                }
            }
        }
    }
}
