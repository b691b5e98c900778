internal import Glibc
internal import Images
internal import OCI
internal import Rootfs
internal import Sys

extension Engine {
    /// Writes an image's merged tree into a directory, absent or empty, as plain files: owners, modes, times, attributes,
    /// hard links and device nodes as they are, nothing of overlayfs's. Whole and durable, or not there.
    package func unpack(
        _ request: RunRequest, into path: String, observer: (EngineEvent) -> Void
    ) throws(EngineError) {
        try checkName(request.image)
        let request = meant(request)
        let directory = try Engine.absolute(path)
        try filled(directory) { fd throws(EngineError) in
            let (image, lease) = try obtain(request, observer: observer)
            try unpack(image, into: fd)
            _ = consume lease
        }
    }

    /// Has `body` fill a new directory. A signal that would end this command is answered when nothing half-made is left.
    func filled(
        _ path: String, _ body: (Int32) throws(EngineError) -> Void
    ) throws(EngineError) {
        let interrupts = SignalSet([SIGINT, SIGTERM, SIGHUP])
        let former = interrupts.block()
        defer { former.install() }
        let directory = try NewDirectory.begin(path)
        do throws(EngineError) {
            try body(directory.directory.raw)
        } catch {
            directory.abandon()
            throw error
        }
        try directory.finish()
    }

    /// The merged tree of `image` into the open, empty directory `target`, whose mode, owner and times become the root's.
    func unpack(_ image: Image, into target: Int32) throws(EngineError) {
        // Any directory of ours does: the mount is seen by one thread only.
        let point = mountPoints
        try system { () throws(SystemFailure) in try Directory.makePath(point, mode: 0o710) }
        images.noteFirstUse(image.id)
        let layers = Array(image.layers.reversed().map(\.diff))
        try withDriver { driver throws(EngineError) in
            if driver == .copyup { return try copy(layers, into: target, image.id.short) }
            try unpack(try view(of: layers, at: point, by: driver), image.id.short, into: target)
        }
    }

    private func unpack(_ view: RootfsMount, _ name: String, into target: Int32) throws(EngineError) {
        let result = try call(Engine.mountingFiles, name) { () throws(Errno) in
            try PrivateMounts.with { () throws(Errno) -> Result<Void, EngineError> in
                let root = try view.attached()
                try view.letGo()
                let request = TransferRequest(source: .contents, target: .tree, parent: getpid())
                do throws(EngineError) {
                    _ = try Worker.transfer(request, rootless, source: root.raw, target: target)
                } catch {
                    return .failure(error)
                }
                // Last: until now nobody else could look in.
                try Directory.copyMetadata(from: root.raw, to: target)
                return .success(())
            }
        }
        try result.get()
    }
}
