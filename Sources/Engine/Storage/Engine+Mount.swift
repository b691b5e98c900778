internal import Glibc
internal import Images
internal import OCI
internal import Rootfs
internal import Sys

extension Engine {
    /// Mounts the files of a container, or read-only those of an image, where all of the host sees them; returns the
    /// path. Mounted already, it says where. The mount outlives the command; a reboot takes it. Where nothing can be mounted
    /// for others to see it is a copy, whose changes become the container's by `unmount`.
    ///
    /// - Parameter place: an existing directory that they are to be shown at as well. Set-id bits and devices mean
    ///   nothing there: others than root may come by.
    package func mount(_ name: String, at place: String?, _ scope: MountScope) throws(EngineError) -> String {
        if place != nil, copiesForUsers {
            let reason =
                rootless == nil ? "the storage driver mounts nothing" : "what an ordinary user mounts nobody else sees"
            throw .invalid("cannot mount \(name) at \(place ?? ""): \(reason); leave the directory out for a copy")
        }
        return switch try subject(name, scope) {
        case .container(let record): try mount(record, at: place)
        case .image(let image): try mount(image, at: place)
        }
    }

    /// Unmounts what is named, or is mounted at a directory; returns what podman says of it, nil where nothing was
    /// mounted. `force`: also from under those who use it.
    package func unmount(_ name: String, force: Bool, _ scope: MountScope) throws(EngineError) -> String? {
        if Engine.isPath(name) { return try unmount(place: name, force: force) }
        switch try subject(name, scope) {
        case .container(let record):
            try containers.locked(record.id) { () throws(EngineError) in
                try unmount(record, lazily: force)
            }
            return record.name
        case .image(let image):
            let wasMounted = try mountedFiles(.images).contains { $0.id == image.id.hex }
            try unmount(image.id, lazily: force)
            return wasMounted ? image.id.hex : nil
        }
    }

    /// Whether a word of a command line names a directory: no container and no image begins so.
    package static func isPath(_ word: String) -> Bool {
        word.hasPrefix("/") || word.hasPrefix("./") || word.hasPrefix("../") || word == "." || word == ".."
    }

    // MARK: Whose

    private enum MountSubject {
        case container(ContainerRecord)
        case image(Image)
    }

    private func subject(_ name: String, _ scope: MountScope) throws(EngineError) -> MountSubject {
        if scope != .images {
            do throws(EngineError) {
                return .container(try container(named: name))
            } catch .noSuchContainer(let name) {
                if scope == .containers { throw .noSuchContainer(name) }
            }
        }
        do throws(EngineError) {
            if let image = try find(name) { return .image(image) }
        } catch .store(.invalidName) {
            // Then there is none of that name.
        }
        throw scope == .images ? .noSuchImage(name) : .noSuchObject(name)
    }

    // MARK: Containers

    private func mount(_ record: ContainerRecord, at place: String?) throws(EngineError) -> String {
        let id = record.id
        // A command that was killed may have left it entered.
        clearDead(id)
        return try containers.locked(id) { () throws(EngineError) in
            let record = try containers.load(id)
            if let root = record.request.rootDirectory, !root.isOverlaid {
                if place == nil { return root.path }
                throw .invalid(
                    "the files of container \(record.name) are at \(root.path) already: nothing is to be mounted")
            }
            let point = containers.merged(id)
            try system { () throws(SystemFailure) in try Directory.makePath(point, mode: 0o700) }
            let hasCopy = try copyMark(of: id) != nil
            if copiesForUsers || hasCopy {
                if try mountedPath(of: id) == nil { try showCopy(record) }
                return point
            }
            if try mountedPath(of: id) == nil {
                try attach(record, at: point)
                note("mount", record)
            }
            return try show(point, at: place)
        }
    }

    /// Mounts the container's files at `point`. One that runs has them mounted already, and that mount it is: two of one
    /// upper directory would not know of each other's changes.
    private func attach(_ record: ContainerRecord, at point: String) throws(EngineError) {
        switch condition(of: record) {
        case .running: return try Engine.attach(try runningTree(of: record), at: point)
        // Entered by its monitor.
        case .restarting: return try mountStored(record, at: point)
        case .created, .exited: break
        case .starting, .ending:
            throw .conflict("container \(record.id) is being started or stopped by another command")
        }
        // Nobody may write to it by a mount of his own until this one can be seen.
        let entry = try live.enter(record.id, dataRoot: dataRoot, isNew: false)
        do throws(EngineError) {
            try mountStored(record, at: point)
        } catch {
            try? entry.leave()
            throw error
        }
        try entry.leave()
    }

    private func mountStored(_ record: ContainerRecord, at point: String) throws(EngineError) {
        try containers.renewWork(record.id)
        try tidyLeft(record.id, isOurs: true)
        let layers = Array(try image(of: record).layers.reversed().map(\.diff))
        try withDriver { driver throws(EngineError) in
            if driver == .copyup { return try makeCopy(of: record, isMounted: true) }
            let mount = try compose(stack(of: record, layers), by: driver)
            if case .program = mount.step { try markServed(record.id) }
            try Engine.place(mount, of: record.shortID)
        }
    }

    private func runningTree(of record: ContainerRecord) throws(EngineError) -> OwnedFD {
        let process = try process(of: record)
        let pid = process.pid
        let namespace = try call("open the mount namespace of", record.shortID) { () throws(Errno) in
            try File.open("/proc/\(pid)/ns/mnt", O_RDONLY)
        }
        // Still there, so the number meant it all the while.
        let pidfd = process.pidfd.raw
        do throws(Errno) { try Pidfd.send(0, to: pidfd) } catch { throw .notRunning(record.id) }
        let raw = namespace.raw
        let tree = try Engine.detached("open the root of", record.shortID) { () throws(Errno) in
            try DetachedMount.root(of: raw)
        }
        _ = consume namespace
        return tree
    }

    // MARK: Images

    private func mount(_ image: Image, at place: String?) throws(EngineError) -> String {
        let point = "\(mountPoints)/\(image.id.hex)"
        // Nobody removes the image until its mount can be seen.
        let lease = try lease()
        guard let image = try find(image.id.description) else { throw .noSuchImage(image.id.description) }
        try system { () throws(SystemFailure) in
            try Directory.makePath(mountPoints, mode: 0o710)
            try Directory.makePath(point, mode: 0o700)
        }
        let path = try lockedMounts { () throws(EngineError) in
            let real = try Engine.realPath(point) ?? point
            if try HostMounts.read().mount(at: real) == nil, !isCopy(point) {
                let layers = Array(image.layers.reversed().map(\.diff))
                try withDriver { driver throws(EngineError) in
                    if copiesForUsers || driver == .copyup { return try showCopy(image, at: point) }
                    try Engine.place(try view(of: layers, at: point, by: driver), of: image.id.short)
                }
            }
            return try show(point, at: place)
        }
        images.noteFirstUse(image.id)
        _ = consume lease
        return path
    }

    /// Takes an image's mount and its place away.
    func unmount(_ id: Digest, lazily: Bool) throws(EngineError) {
        let point = "\(mountPoints)/\(id.hex)"
        guard File.exists(point) else { return }
        try lockedMounts { () throws(EngineError) in
            try unmount(at: point, "image \(id.short)", lazily: lazily)
            if isCopy(point) { try removeCopy(point) }
            try? Directory.remove(point)
        }
    }

    /// One command at a time changes the mounts of images.
    func lockedMounts<T>(_ body: () throws(EngineError) -> T) throws(EngineError) -> T {
        let lock = try call("lock", mountPoints) { () throws(Errno) in
            try DirectoryLock(mountPoints, mode: .exclusive)
        }
        let result = try body()
        _ = consume lock
        return result
    }

    // MARK: Places

    /// Shows what is mounted at `point` at `place` too, and returns where the caller finds it.
    private func show(_ point: String, at place: String?) throws(EngineError) -> String {
        guard let place else { return point }
        let path = try Engine.absolute(place)
        if let real = try Engine.realPath(point), try HostMounts.read().mount(at: real) == nil {
            throw .invalid("cannot mount at \(path): the storage driver mounts nothing; a copy is at \(point)")
        }
        let copy = try call("copy the mount", point) { () throws(Errno) in
            let copy = try DetachedMount.copy(of: point)
            try DetachedMount.disarm(copy.raw)
            return copy
        }
        try Engine.attach(copy, at: path)
        return path
    }

    /// Takes one place away; the main one too where it was only made for this.
    private func unmount(place: String, force: Bool) throws(EngineError) -> String? {
        let path = try Engine.absolute(place)
        guard let real = try Engine.realPath(path) else { throw .invalid("\(path): no such directory") }
        let all = try mountedFiles(.all)
        guard let mounted = all.first(where: { $0.places.contains(real) }) else {
            throw .invalid("\(path) is no place that runimg has mounted anything at")
        }
        if real == mounted.places.first || mounted.places.count == 2 {
            return try unmount(mounted.id, force: force, .all)
        }
        if let stranger = try HostMounts.read().stranger(below: [real]) {
            throw .conflict("cannot unmount \(path): something else is mounted at \(stranger); unmount that first")
        }
        try HostMounts.unmount(real, path, lazily: force)
        return mounted.title
    }

    private static func attach(_ tree: consuming OwnedFD, at path: String) throws(EngineError) {
        let raw = tree.raw
        try call("mount on", path) { () throws(Errno) in
            let target = try Directory.open(path)
            try DetachedMount.attach(raw, to: target.raw)
            _ = consume target
        }
        _ = consume tree
    }

    /// Mounts at its place, for all of the host to see.
    private static func place(_ mount: RootfsMount, of name: String) throws(EngineError) {
        if try call(mountingFiles, name, { () throws(Errno) in try mount.serve() }) { return }
        try attach(try detached(mountingFiles, name) { () throws(Errno) in try mount.detached() }, at: mount.mountPoint)
    }

    /// A mount that `body` makes on a thread with a mount namespace and a working directory of its own.
    private static func detached(
        _ operation: String, _ subject: String, _ body: @escaping @Sendable () throws(Errno) -> OwnedFD
    ) throws(EngineError) -> OwnedFD {
        try call(operation, subject) { () throws(Errno) in
            OwnedFD(adopting: try PrivateMounts.with { () throws(Errno) in try body().release() })
        }
    }
}
