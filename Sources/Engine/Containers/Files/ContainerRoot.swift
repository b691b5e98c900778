internal import Glibc
internal import Images
internal import OCI
internal import Rootfs
internal import Sys

/// What is wanted of a container's files.
enum RootAccess: Sendable, Hashable {
    /// The image's files and what the container changed in them, without what is mounted there.
    case image
    /// The image's files alone.
    case lower
    /// All that the container sees.
    case read
    case write
}

extension Engine {
    /// Calls `body` with a container's root directory. A running one's is what its process sees; another's is mounted for
    /// that, in a mount namespace of its own, and can't be started meanwhile where it is written to.
    func withRoot<T: Sendable>(
        of record: ContainerRecord, _ access: RootAccess,
        _ body: @escaping @Sendable (Int32) throws(EngineError) -> T
    ) throws(EngineError) -> T {
        if access == .read || access == .write, condition(of: record).isRunning {
            let root = try runningRoot(of: record)
            return try body(root.raw)
        }
        guard access == .write else { return try withStoredRoot(of: record, access, body) }
        let entry = try live.enter(record.id, dataRoot: dataRoot, isNew: false)
        let result: T
        do throws(EngineError) {
            result = try withStoredRoot(of: record, access, body)
        } catch {
            try? entry.leave()
            throw error
        }
        try entry.leave()
        return result
    }

    /// The root that the container's first process has, held by a descriptor.
    func runningRoot(of record: ContainerRecord) throws(EngineError) -> OwnedFD {
        let process = try process(of: record)
        if isEmulated {
            let path = containers.merged(record.id)
            return try call("open", path) { () throws(Errno) in try Directory.open(path) }
        }
        let pid = process.pid
        let root = try call("open the root of", record.shortID) { () throws(Errno) in
            try File.open("/proc/\(pid)/root", O_PATH | O_DIRECTORY)
        }
        // Still there, so the number meant it all the while.
        let pidfd = process.pidfd.raw
        do throws(Errno) {
            try Pidfd.send(0, to: pidfd)
        } catch {
            throw .notRunning(record.id)
        }
        return root
    }

    /// Calls `body` with the root of an image's files, mounted for that as a container's are.
    func withRoot<T: Sendable>(
        of image: Image, _ body: @escaping @Sendable (Int32) throws(EngineError) -> T
    ) throws(EngineError) -> T {
        try system { () throws(SystemFailure) in try Directory.makePath(mountPoints, mode: 0o710) }
        let layers = Array(image.layers.reversed().map(\.diff))
        let name = image.id.short
        return try withDriver { driver throws(EngineError) in
            try withView(of: layers, at: mountPoints, by: driver, name) { mount throws(EngineError) in
                try withRoot(StoredRoot(mount: mount), name, body)
            }
        }
    }

    // MARK: Mounted

    /// One private mount of a container's files.
    private struct StoredRoot: Sendable {
        var mount: RootfsMount
        /// Sources and targets of what is mounted inside, outer ones first.
        var mounts: [(source: String, target: String, readOnly: Bool)] = []
    }

    private func withStoredRoot<T: Sendable>(
        of record: ContainerRecord, _ access: RootAccess,
        _ body: @escaping @Sendable (Int32) throws(EngineError) -> T
    ) throws(EngineError) -> T {
        try withDriver { driver throws(EngineError) in
            try tidyLeft(record.id, isOurs: access == .write)
            let mounts = access == .read || access == .write ? mountedPaths(record) : []
            return try withStoredMount(of: record, access, by: driver) { mount throws(EngineError) in
                try withRoot(StoredRoot(mount: mount, mounts: mounts), record.shortID, body)
            }
        }
    }

    private func withRoot<T: Sendable>(
        _ root: StoredRoot, _ name: String, _ body: @escaping @Sendable (Int32) throws(EngineError) -> T
    ) throws(EngineError) -> T {
        // Nothing can be mounted, and what would be mounted inside is not there.
        if rootless?.obstacle != nil, case .bind(let path) = root.mount.step { return try Engine.opened(path, body) }
        return try Engine.mounted(root, name, body)
    }

    private func withStoredMount<T>(
        of record: ContainerRecord, _ access: RootAccess, by driver: StorageDriver,
        _ body: (RootfsMount) throws(EngineError) -> T
    ) throws(EngineError) -> T {
        let image = try image(of: record)
        let lowers = Array(image.layers.reversed().map(\.diff))
        let id = record.id
        let point = containers.merged(id)
        try system { () throws(SystemFailure) in try Directory.makePath(point, mode: 0o700) }
        if let directory = record.request.rootDirectory, !directory.isOverlaid {
            return try body(
                RootfsMount(step: .bind(source: directory.path), mountPoint: point, readOnly: access != .write))
        }
        switch access {
        case .write: return try withWritableMount(of: record, lowers, by: driver, body)
        case .lower: return try withView(of: lowers, at: point, by: driver, record.shortID, body)
        case .image, .read:
            let layers = [containers.upper(id)] + lowers
            return try withView(of: layers, at: point, by: driver, record.shortID, body)
        }
    }

    private func withWritableMount<T>(
        of record: ContainerRecord, _ lowers: [String], by driver: StorageDriver,
        _ body: (RootfsMount) throws(EngineError) -> T
    ) throws(EngineError) -> T {
        let id = record.id
        try containers.renewWork(id)
        if let shown = try mountedPath(of: id) {
            return try body(
                RootfsMount(step: .bind(source: shown), mountPoint: containers.merged(id), readOnly: false))
        }
        let mount = try compose(stack(of: record, lowers), by: driver)
        if driver == .copyup { try makeCopy(of: record) }
        guard case .program = mount.step else {
            let result = try body(mount)
            try settleCopy(of: id, isOurs: true)
            return result
        }
        try markServed(id)
        let result = try body(mount)
        try tidy(id)
        return result
    }

    /// Volumes, paths and the files that are made for every container; what was in memory is gone.
    private func mountedPaths(_ record: ContainerRecord) -> [(source: String, target: String, readOnly: Bool)] {
        let files = shownFiles(of: record)
        let generated = [
            (source: files.hosts, target: "/etc/hosts", readOnly: false),
            (source: files.hostname, target: "/etc/hostname", readOnly: false),
            (source: files.resolvConf, target: "/etc/resolv.conf", readOnly: false),
        ]
        let asked: [(source: String, target: String, readOnly: Bool)] = record.mounts.compactMap { mount in
            switch mount.kind {
            case .bind(let source, _): (source, mount.target, mount.readOnly)
            case .volume(let name): (volumes.data(name), mount.target, mount.readOnly)
            case .anonymousVolume, .tmpfs: nil
            }
        }
        return (generated + asked).sorted { $0.target < $1.target }
    }

    private static func opened<T>(
        _ path: String, _ body: (Int32) throws(EngineError) -> T
    ) throws(EngineError) -> T {
        let root = try call("open", path) { () throws(Errno) in try Directory.open(path) }
        let result = try body(root.raw)
        _ = consume root
        return result
    }

    private static func mounted<T: Sendable>(
        _ root: StoredRoot, _ name: String, _ body: @escaping @Sendable (Int32) throws(EngineError) -> T
    ) throws(EngineError) -> T {
        let result = try call(Engine.mountingFiles, name) { () throws(Errno) in
            try PrivateMounts.with { () throws(Errno) -> Result<T, EngineError> in
                let top = try root.mount.attached()
                for mount in root.mounts { try attach(mount, in: top.raw, makes: !root.mount.readOnly) }
                try root.mount.letGo()
                do throws(EngineError) {
                    return .success(try body(top.raw))
                } catch {
                    return .failure(error)
                }
            }
        }
        return try result.get()
    }

    /// Mounts what the container would find there. What has no place yet is left out where nothing may be made.
    private static func attach(
        _ mount: (source: String, target: String, readOnly: Bool), in root: Int32, makes: Bool
    ) throws(Errno) {
        let view = FileView.container(root)
        guard let source = try? File.open(mount.source, O_PATH) else { return }
        if makes, try File.status(source.raw).isDirectory { try makeDirectories(mount.target, in: root) }
        let target: OwnedFD
        do throws(Errno) {
            target = try view.open(mount.target, O_PATH)
        } catch {
            if error == .noEntry || error == .notDirectory { return }
            throw error
        }
        try PrivateMounts.bind(source.raw, onto: target.raw)
        guard mount.readOnly else { return }
        let mounted = try view.open(mount.target, O_PATH)
        try PrivateMounts.makeReadOnly(mounted.raw)
    }

    static func makeDirectories(_ path: String, in root: Int32) throws(Errno) {
        let view = FileView.container(root)
        var done = ""
        for part in Path.parts(path) {
            let parent = try view.open(done.isEmpty ? "/" : done, O_RDONLY | O_DIRECTORY)
            done += "/" + part
            do throws(Errno) {
                try Directory.make(part, mode: 0o755, at: parent.raw)
            } catch .exists {
                continue
            }
        }
    }
}
