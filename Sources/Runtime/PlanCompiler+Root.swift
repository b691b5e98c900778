internal import OCI
internal import Rootfs

/// The container's root: where it comes from, how it is entered, and what of the host's later mounts shows in it.
extension PlanCompiler {
    /// rootfsPropagation (config-linux.md#rootfs-mount-propagation); private where the spec does not say.
    func rootPropagation() throws(RuntimeError) -> (kind: Propagation, recursive: Bool) {
        guard let word = spec.linux.rootfsPropagation, !word.isEmpty else { return (.private, true) }
        guard let found = MountOptions.propagations[word] else {
            throw .invalid("rootfsPropagation: there is no propagation \(word)")
        }
        return found
    }

    /// The host's mounts go on showing in slaves only; and shared ones get a group of their own once the root is entered,
    /// since pivot_root(2) refuses shared mounts.
    mutating func separateMounts() throws(RuntimeError) {
        if joins(.mount) { return }
        switch try rootPropagation().kind {
        case .slave, .shared: ops.append(.makeMountsSlaves)
        case .private, .unbindable: ops.append(.makeMountsPrivate)
        }
    }

    mutating func mountRoot() throws(RuntimeError) {
        let rootfs = request.rootfs
        switch rootfs.step {
        case .filesystem(let type, let options, let directory):
            if let directory { ops.append(.changeDirectory(directory)) }
            ops.append(.filesystem(root, type: type, options: options, []))
            ops.append(.attach(root, .host(rootfs.mountPoint), []))
        case .optionString(_, let options, let directory):
            ops.append(.changeDirectory(directory))
            ops.append(.overlay(mountPoint: rootfs.mountPoint, options: options))
            ops.append(.open(root, .host(rootfs.mountPoint), flags: PlanCompiler.pathOnlyDirectory, []))
        case .bind(let source):
            if joins(.mount) {
                ops.append(.open(root, .host(source), flags: PlanCompiler.pathOnlyDirectory, []))
                break
            }
            let isCopied = try take(root, CopiedSource(path: source, recursive: true))
            let keeps = [.slave, .shared].contains(try rootPropagation().kind)
            ops.append(.attributes(root, set: [], clear: [], keeps ? .slave : .private, recursive: true))
            // It must lie somewhere until it is entered. What leads to its own place may be closed to a user namespace;
            // of /etc no later step wants anything.
            ops.append(.attach(root, .host(isCopied ? "/etc" : rootfs.mountPoint), []))
        // Whoever starts the container lets it mount, and has what it made bound.
        case .program(let arguments):
            throw .invalid("a root file system that \(arguments.first ?? "") is still to mount")
        }
    }

    mutating func enterRoot() throws(RuntimeError) {
        if joins(.mount) {
            ops.append(.changeRoot(root))
        } else {
            ops.append(request.usesPivot ? .pivot(root) : .moveRoot(root))
        }
        let (kind, recursive) = try rootPropagation()
        if joins(.mount) || kind == .private || (kind == .slave && recursive) { return }
        ops.append(.attributes(root, set: [], clear: [], kind, recursive: recursive))
    }
}
