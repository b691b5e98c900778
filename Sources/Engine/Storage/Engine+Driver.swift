internal import Images
internal import Rootfs
internal import Sys

/// The driver that root file systems are made by, and why it is that one.
package struct DriverChoice: Sendable, Hashable {
    package var driver: StorageDriver
    package var reason: String
}

extension Engine {
    /// The driver of everything that is done now. Unless one is asked for this is overlay2, untried: whether it works is
    /// asked when a mount fails (`fallback`), so that a start pays for no probe.
    var driver: StorageDriver {
        if rootless?.obstacle != nil { return .copyup }
        return askedDriver ?? (unreadable(by: .overlay2) == nil ? .overlay2 : .copyup)
    }

    /// The names of overlayfs's marks in layers here.
    var marks: OverlayMarks { images.marks }

    /// Why `driver` would show files that are deleted: where the data root is on overlayfs a whiteout is a marked file
    /// (`OverlayMarks.isWhiteout`). nil: it knows those, or there are none.
    private func unreadable(by driver: StorageDriver) -> String? {
        let layers = images.layout.layers
        switch driver {
        case .overlay2:
            if !FileSystemName.isOverlay(layers) || MountAPI.overlayAppendsLayers { return nil }
            return "\(layers) is on overlayfs itself, whose whiteouts overlayfs before Linux 6.7 does not know"
        case .fuseOverlayfs: return FuseOverlayfs.obstacle(on: layers)
        case .copyup: return nil
        }
    }

    /// What `info` tells: the driver that a start comes to here.
    func chooseDriver() -> DriverChoice {
        if rootless?.obstacle != nil {
            return DriverChoice(driver: .copyup, reason: "nothing can be mounted without a user namespace")
        }
        if let askedDriver {
            let place = options.storageDriver?.isEmpty ?? true ? configuration.file ?? "" : "--storage-driver"
            return DriverChoice(driver: askedDriver, reason: "asked for by \(place)")
        }
        guard File.exists(images.layout.layers) else {
            return DriverChoice(driver: .overlay2, reason: "the default; nothing is stored yet to try it on")
        }
        do throws(EngineError) {
            guard let obstacle = try overlayObstacle() else {
                return DriverChoice(driver: .overlay2, reason: "overlayfs of the kernel works on the data root")
            }
            if let lack = FuseOverlayfs.obstacle ?? unreadable(by: .fuseOverlayfs) {
                return DriverChoice(driver: .copyup, reason: "\(obstacle); \(lack)")
            }
            return DriverChoice(driver: .fuseOverlayfs, reason: "\(obstacle)")
        } catch {
            return DriverChoice(driver: .overlay2, reason: "the default; it could not be tried: \(error)")
        }
    }

    /// What to go on with after the kernel's overlayfs failed to mount: nil where it works, so that something else was
    /// wrong. Throws where nothing else can take its place.
    func fallback(from used: StorageDriver) throws(EngineError) -> StorageDriver? {
        guard used == .overlay2, let obstacle = try overlayObstacle() else { return nil }
        if askedDriver != nil { throw .driverUnusable(.overlay2, "\(obstacle)") }
        return FuseOverlayfs.obstacle == nil && unreadable(by: .fuseOverlayfs) == nil ? .fuseOverlayfs : .copyup
    }

    /// What `call` is told when files are mounted for a command of ours: by that a refused mount is known.
    static let mountingFiles = "mount the files of"

    /// Runs `body`, which mounts with the driver that it is given before it does anything else; once more with another
    /// one where the kernel refuses that.
    func withDriver<T: ~Copyable>(_ body: (StorageDriver) throws(EngineError) -> T) throws(EngineError) -> T {
        do throws(EngineError) {
            return try body(driver)
        } catch .system(let failure) where failure.operation == Engine.mountingFiles {
            guard let other = try fallback(from: driver) else { throw .system(failure) }
            return try body(other)
        }
    }

    /// Tries overlayfs in the data root.
    private func overlayObstacle() throws(EngineError) -> OverlayObstacle? {
        try system { () throws(SystemFailure) in try Directory.makePath(mountPoints, mode: 0o710) }
        return try lockedMounts { () throws(EngineError) in
            let path = mountPoints + "/probe"
            defer { try? Directory.removeTree(path) }
            return try system { () throws(SystemFailure) in
                try? Directory.removeTree(path)
                try Directory.makePath(path, mode: 0o700)
                return try OverlayProbe.obstacle(in: path, userAttributes: rootless != nil)
            }
        }
    }

    /// Has the container's files put together on the host, where the driver does that before the launch. Noted before, so
    /// that a kill at any moment leaves it to the sweep.
    func prepareRoot(_ draft: inout ContainerDraft, _ entry: inout LiveContainer) throws(EngineError) {
        let used = draft.driver ?? driver
        if draft.mounted != nil {
            if try copyMark(of: draft.record.id) != nil { try entry.record(.copyup) }
            return
        }
        let isPlain = draft.record.request.rootDirectory.map { !$0.isOverlaid } ?? false
        if used == .overlay2 || isPlain { return }
        let mount = try rootfs(draft)
        if used == .copyup {
            try entry.record(used)
            try makeCopy(of: draft.record)
            draft.mounted = mount.mountPoint
        }
        guard case .program = mount.step else { return }
        try entry.record(used)
        try markServed(draft.record.id)
        // A user's namespace has to last as long as the program, or nobody could unmount what it serves.
        let kept = rootless.map { [$0.lock] } ?? []
        _ = try call(Engine.mountingFiles, draft.record.shortID) { () throws(Errno) in try mount.serve(keeping: kept) }
        draft.mounted = mount.mountPoint
    }

    /// Takes away what was put together on the host for a container that has ended. What it wrote is in its layer when this
    /// returns, unless it `goes` with that anyway.
    func settleRoot(of id: String, _ state: LiveState, goes: Bool) throws(EngineError) {
        if state.driver == .copyup {
            if !goes { try settleCopy(of: id, isOurs: true) }
            return
        }
        guard state.driver != nil, let point = try Engine.realPath(containers.merged(id)) else { return }
        let mounts = try HostMounts.read()
        // One that somebody had shown at a further place is his until he unmounts it.
        guard let main = mounts.mount(at: point), mounts.places(of: main).count == 1 else { return }
        do throws(EngineError) {
            try mounts.unmount(main, "container \(id.prefix(12))", lazily: false)
        } catch .conflict {
            try mounts.unmount(main, "container \(id.prefix(12))", lazily: true)
        }
        try tidy(id)
    }

    /// The mount that a stack of layers is.
    func compose(_ asked: LayerStack, by driver: StorageDriver? = nil) throws(EngineError) -> RootfsMount {
        var stack = asked
        stack.usesUserAttributes = rootless != nil
        let used = driver ?? self.driver
        if let reason = unreadable(by: used) { throw .driverUnusable(used, reason) }
        do throws(RootfsError) {
            return try used.driver.mount(stack)
        } catch {
            throw .rootfs(error)
        }
    }
}
