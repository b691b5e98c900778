internal import Glibc
internal import Sys

extension LayerTree {
    /// Copies what the layers below have at `path` into this layer, as overlayfs does before a change: a hard link
    /// cannot reach into another layer.
    func copyUp(
        _ found: LowerView.Found, to name: PathBytes, _ path: PathBytes, in directory: DirectoryHandle
    ) throws(LayerError) {
        let status = found.status
        try countImplied(path, bytes: 4096 + UInt64(max(status.blocks, 0)) * 512)
        try on("copy up", path) { () throws(Errno) in
            switch status.kind {
            case .regular: try copyFile(found, to: name, in: directory.fd)
            case .directory: throw Errno.notPermitted
            case .link:
                let target = try File.readLink(found.name, at: found.directory.raw)
                try File.symlink(target, name, at: directory.fd)
                try finishCopy(found, to: name, in: directory.fd, kind: .symbolicLink)
            default:
                try File.makeNode(
                    name, mode: CopyUp.type(status.kind) | 0o600, major: status.major, minor: status.minor,
                    at: directory.fd)
                try finishCopy(found, to: name, in: directory.fd, kind: .other)
            }
        }
    }

    private func copyFile(_ found: LowerView.Found, to name: PathBytes, in directory: Int32) throws(Errno) {
        let source = try File.open(found.name, O_RDONLY, at: found.directory.raw)
        let target = try File.open(name, O_WRONLY | O_CREAT | O_EXCL, mode: 0o600, at: directory)
        try File.copyContents(from: source.raw, to: target.raw)
        let status = found.status
        try File.setOwner(target.raw, user: status.uid, group: status.gid)
        try File.setMode(target.raw, status.mode)
        for attribute in try ExtendedAttributes.names(source.raw) where format.stores(attribute, on: .regular) {
            guard let value = try ExtendedAttributes.get(source.raw, attribute) else { continue }
            try ExtendedAttributes.set(target.raw, attribute, value)
        }
        try File.setTimes(target.raw, modified: status.modified)
        try target.close()
    }

    private func finishCopy(
        _ found: LowerView.Found, to name: PathBytes, in directory: Int32, kind: FileKind
    ) throws(Errno) {
        let status = found.status
        let from = found.directory.raw
        try File.setOwner(name, at: directory, user: status.uid, group: status.gid)
        if kind != .symbolicLink { try File.setMode(name, at: directory, status.mode) }
        for attribute in try ExtendedAttributes.names(found.name, at: from) where format.stores(attribute, on: kind) {
            guard let value = try ExtendedAttributes.get(found.name, at: from, attribute) else { continue }
            try ExtendedAttributes.set(name, at: directory, attribute, value)
        }
        try File.setTimes(name, at: directory, modified: status.modified)
    }
}

private enum CopyUp {
    static func type(_ kind: FileStatus.Kind) -> mode_t {
        switch kind {
        case .fifo: S_IFIFO
        case .socket: S_IFSOCK
        case .characterDevice: S_IFCHR
        default: S_IFBLK
        }
    }
}
