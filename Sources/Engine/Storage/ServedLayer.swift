internal import Glibc
internal import Sys

/// A container's layer that fuse-overlayfs writes to. What that adds to overlayfs's format, or has in its place, is taken
/// away when it has ended: the kernel would show it, or what it hides. A mark beside the layer says that this is still to
/// be done; it outlives a kill, a reboot, and the namespace in which the layer was mounted.
extension Engine {
    /// Before the program begins.
    func markServed(_ id: String) throws(EngineError) {
        let path = containers.servedMark(id)
        try call("create", path) { () throws(Errno) in
            _ = try File.open(path, O_WRONLY | O_CREAT | O_NOFOLLOW, mode: 0o600)
            try Directory.sync(Path.split(path).parent)
        }
    }

    /// Makes a layer that nobody has mounted any more overlayfs's own.
    func tidy(_ id: String) throws(EngineError) {
        let mark = containers.servedMark(id)
        guard File.exists(mark) else { return }
        let path = containers.upper(id)
        try call("make overlayfs's own", path) { () throws(Errno) in
            let upper = try Directory.open(path)
            try OpaqueFile.settleAll(below: upper.raw, marks)
            _ = consume upper
            try File.unlink(mark)
        }
    }

    /// The same before a layer is mounted or read, where it was left as it is, and the changes of a copy. `isOurs`: the
    /// caller keeps others from starting the container; else one that is served is passed over.
    func tidyLeft(_ id: String, isOurs: Bool) throws(EngineError) {
        try settleCopy(of: id, isOurs: isOurs)
        guard File.exists(containers.servedMark(id)), isOurs || !live.isServed(id) else { return }
        if try mountedPath(of: id) == nil { try tidy(id) }
    }
}
