internal import Glibc
internal import Images
internal import Sys

extension Engine {
    /// Copies files into a container or out of it. Whatever names and links a container has, and however they change
    /// meanwhile: what is read of it is its own, and what is written outside is below the destination.
    package func copy(_ request: CopyRequest) throws(EngineError) -> CopyResult {
        switch (request.source, request.destination) {
        case (.container, .container): throw .invalid("copying between containers is not supported")
        case (.container(let name, let path), let destination):
            return try copyOut(name, path, destination, request)
        case (let source, .container(let name, let path)):
            return try copyIn(source, try container(named: name), name, path, request)
        default: throw .invalid("must specify at least one container source")
        }
    }

    // MARK: Out

    private func copyOut(
        _ name: String, _ path: String, _ destination: CopyEnd, _ request: CopyRequest
    ) throws(EngineError) -> CopyResult {
        let record: ContainerRecord
        do throws(EngineError) {
            record = try container(named: name)
        } catch .noSuchContainer(let missing) {
            if let result = try copyImage(name, path, destination, request) { return result }
            throw .noSuchContainer(missing)
        }
        return try copyOut(.container(record, name: name), path, destination, request)
    }

    /// nil where there is no such image.
    private func copyImage(
        _ name: String, _ path: String, _ destination: CopyEnd, _ request: CopyRequest
    ) throws(EngineError) -> CopyResult? {
        guard let place = CopySource.imagePath(name, path) else { return nil }
        do throws(EngineError) {
            return try withHeldImage(place.image) { image throws(EngineError) in
                try copyOut(.image(image, name: place.image), place.path, destination, request)
            }
        } catch .store(.noSuchImage), .store(.invalidName) {
            return nil
        }
    }

    private func copyOut(
        _ owner: CopySource, _ path: String, _ destination: CopyEnd, _ request: CopyRequest
    ) throws(EngineError) -> CopyResult {
        if path.isEmpty { throw .invalid("bad parameter: path cannot be empty") }
        if case .container(let record, _) = owner { try checkUnmounted(path, record) }
        let source = CopyPath(path)
        var place: FileView.Place?
        var asked = CopyPath("/")
        var output: Int32 = -1
        switch destination {
        case .stream(let descriptor): output = descriptor
        case .local(let path):
            asked = CopyPath(try Engine.absoluteKeepingSlash(path))
            place = try Engine.outputPlace(asked)
        case .container: throw .invalid("copying between containers is not supported")
        }
        let target = place
        let wanted = asked
        let descriptor = output
        let missing = owner.notFound(source)
        let bytes = try withRoot(of: owner) { root throws(EngineError) in
            let item = try Engine.item(source, in: .container(root), request.followLink) { missing }
            try Engine.checkStored(item.handle.raw, source, missing)
            guard let target else {
                return try Worker.transfer(
                    TransferRequest(source: .item(name: Array(item.name.utf8)), target: .tar, parent: getpid()),
                    rootless,
                    source: item.handle.raw, target: descriptor)
            }
            let place = try CopyPlace(
                target, asked: wanted, isDirectory: item.status.isDirectory, base: item.base)
            return try move(
                item, to: place, owner: request.archive ? nil : TransferRequest.Owner(user: getuid(), group: getgid()))
        }
        if case .container(let record, _) = owner { note("archive-path", record) }
        return CopyResult(bytes: bytes, destination: asked.shown)
    }

    private func withRoot<T: Sendable>(
        of source: CopySource, _ body: @escaping @Sendable (Int32) throws(EngineError) -> T
    ) throws(EngineError) -> T {
        switch source {
        case .container(let record, _): try withRoot(of: record, .read, body)
        case .image(let image, _): try withRoot(of: image, body)
        }
    }

    /// The place of a file that is written on the host.
    private static func outputPlace(_ path: CopyPath) throws(EngineError) -> FileView.Place {
        let host = try call("open", "/") { () throws(Errno) in try Directory.open("/") }
        let place: FileView.Place
        do throws(Errno) {
            place = try FileView.host(host.raw).place(path)
        } catch .noEntry {
            throw .invalid("invalid output path: directory \"\(Path.split(path.text).parent)\" does not exist")
        } catch {
            throw .system(SystemFailure("open", path.shown, error))
        }
        if case .file(let parent, let name) = place {
            let status = try call("look at", path.shown) { () throws(Errno) in try File.status(name, at: parent.raw) }
            let isDevice = status.kind == .characterDevice || status.kind == .blockDevice
            guard status.isRegular else {
                throw .invalid(
                    "invalid output path: \"\(path.shown)\" must be a directory or a regular file: "
                        + (isDevice ? "got a device" : "got an irregular file"))
            }
        }
        return place
    }

    // MARK: In

    private func copyIn(
        _ source: CopyEnd, _ record: ContainerRecord, _ shown: String, _ path: String, _ request: CopyRequest
    ) throws(EngineError) -> CopyResult {
        if path.isEmpty { throw .invalid("bad parameter: path cannot be empty") }
        try checkUnmounted(path, record)
        let asked = CopyPath(path)
        var item: CopyItem?
        var input: Int32 = -1
        if case .stream(let descriptor) = source { input = descriptor }
        if case .local(let path) = source {
            let local = CopyPath(try Engine.absoluteKeepingSlash(path))
            let host = try call("open", "/") { () throws(Errno) in try Directory.open("/") }
            item = try Engine.item(local, in: .host(host.raw), request.followLink) {
                "lstat \(local.text): no such file or directory"
            }
        }
        let local = item
        let descriptor = input
        let isReadOnly = record.request.readOnly
        let bytes = try withRoot(of: record, .write) { root throws(EngineError) in
            let place = try Engine.inputPlace(asked, in: root, shown)
            try Engine.checkStored(
                place.directory.raw, asked, CopySource.notFound(asked, "container", shown))
            guard let local else {
                guard case .directory(let directory) = place else {
                    throw .invalid("destination \"\(shown):\(asked.shown)\" must be a directory")
                }
                try Engine.checkWritable(directory.raw, root, isReadOnly: isReadOnly)
                return try Worker.transfer(
                    TransferRequest(source: .tar, target: .tree, parent: getpid()), rootless, source: descriptor,
                    target: directory.raw)
            }
            let target = try CopyPlace(
                place, asked: asked, isDirectory: local.status.isDirectory, base: local.base)
            try Engine.checkWritable(target.directory.raw, root, isReadOnly: isReadOnly)
            return try move(local, to: target, owner: nil)
        }
        note("extract-to-dir", record)
        return CopyResult(bytes: bytes, destination: "\(shown):\(asked.shown)")
    }

    private static func inputPlace(
        _ path: CopyPath, in root: Int32, _ container: String
    ) throws(EngineError) -> FileView.Place {
        do throws(Errno) {
            return try FileView.container(root).place(path)
        } catch {
            guard error == .noEntry || error == .notDirectory else {
                throw .system(SystemFailure("open", "\(path.shown) in container \(container)", error))
            }
            throw .invalid(CopySource.notFound(path, "container", container))
        }
    }

    /// /proc and its like have nothing that could be copied; docker does not even see it.
    private static func checkStored(_ fd: Int32, _ path: CopyPath, _ missing: String) throws(EngineError) {
        let isKernels = try call("look at", path.shown) { () throws(Errno) in try File.isKernels(fd) }
        if isKernels { throw .invalid(missing) }
    }

    /// docker's words for what the kernel would call a read-only file system.
    private static func checkWritable(_ directory: Int32, _ root: Int32, isReadOnly: Bool) throws(EngineError) {
        let (isRoot, isMountedReadOnly) = try call("look at", "the destination") { () throws(Errno) in
            (try File.status(directory).device == File.status(root).device, try File.isOnReadOnlyMount(directory))
        }
        if isRoot, isReadOnly || isMountedReadOnly { throw .invalid("container rootfs is marked read-only") }
        if isMountedReadOnly { throw .invalid("mounted volume is marked read-only") }
    }

    // MARK: Both

    private static func item(
        _ path: CopyPath, in view: FileView, _ follows: Bool, _ missing: () -> String
    ) throws(EngineError) -> CopyItem {
        do throws(Errno) {
            return try CopyItem(path, in: view, follows: follows)
        } catch .noEntry {
            throw .invalid(missing())
        } catch .notDirectory {
            throw .invalid(path.assertsDirectory ? "not a directory" : missing())
        } catch {
            throw .system(SystemFailure("open", path.shown, error))
        }
    }

    private func move(
        _ item: CopyItem, to place: CopyPlace, owner: TransferRequest.Owner?
    ) throws(EngineError) -> Int64 {
        var request = TransferRequest(source: .item(name: Array(place.name.utf8)), target: .tree, parent: getpid())
        request.owner = owner
        return try Worker.transfer(request, rootless, source: item.handle.raw, target: place.directory.raw)
    }

    /// A path of the caller's as an absolute one that still ends as it did.
    private static func absoluteKeepingSlash(_ path: String) throws(EngineError) -> String {
        if path.isEmpty { throw .invalid("source can not be empty") }
        if path == "." { return try absolute(".") + "/." }
        return try absolute(path)
    }
}
