internal import Glibc
internal import OCI
internal import Rootfs

extension PlanCompiler {
    /// The nodes and links that every container has (runtime spec, config-linux.md#default-devices), and the spec's own.
    /// A /dev that the user bound is left as it is.
    mutating func makeDevices() throws(RuntimeError) {
        let bound = spec.mounts.contains { mount in
            PlanCompiler.clean(mount.destination) == "/dev"
                && (mount.type == "bind" || MountOptions(mount.options).isBind)
        }
        if bound { return }
        let dev = try openDev()
        for device in try devices() {
            let path = PlanCompiler.clean(device.path)
            guard PlanCompiler.isBelow(path, "/dev"), path != "/dev" else {
                try make(device, at: .within(root, path))
                continue
            }
            try make(device, at: .within(dev, String(path.dropFirst("/dev/".count))))
        }
        for (name, target) in PlanCompiler.links { ops.append(.link(.within(dev, name), target: target)) }
        let hasOwnPts = spec.mounts.contains { PlanCompiler.clean($0.destination) == "/dev/pts" }
        if hasOwnPts { ops.append(.link(.within(dev, "ptmx"), target: "pts/ptmx")) }
    }

    private static let links = [
        ("fd", "/proc/self/fd"), ("stdin", "/proc/self/fd/0"), ("stdout", "/proc/self/fd/1"),
        ("stderr", "/proc/self/fd/2"), ("core", "/proc/kcore"),
    ]

    private static let defaults: [(String, Int64, Int64)] = [
        ("null", 1, 3), ("zero", 1, 5), ("full", 1, 7), ("random", 1, 8), ("urandom", 1, 9), ("tty", 5, 0),
    ]

    private func devices() throws(RuntimeError) -> [Spec.Device] {
        let own = Set(spec.linux.devices.map(\.path))
        let defaults = PlanCompiler.defaults.map { name, major, minor in
            Spec.Device(path: "/dev/\(name)", type: "c", major: major, minor: minor, fileMode: 0o666)
        }
        return defaults.filter { !own.contains($0.path) } + spec.linux.devices
    }

    /// The fresh tmpfs, or the image's own directory, found without leaving the root.
    private mutating func openDev() throws(RuntimeError) -> Slot {
        if let dev { return dev }
        let opened = try slot("dev")
        ops.append(.makePath(.within(root, "/dev")))
        ops.append(.open(opened, .within(root, "/dev"), flags: PlanCompiler.pathOnlyDirectory, []))
        dev = opened
        return opened
    }

    /// A user namespace may not make device nodes, so the host's is bound in.
    private mutating func make(_ device: Spec.Device, at place: Place) throws(RuntimeError) {
        if device.type != "p", hasUserNamespace || !host.makesDevices {
            _ = try node(device)
            let host = try slot(place.path)
            ops.append(.cloneTree(host, .host(device.path), recursive: false))
            ops.append(.attach(host, place, [.makeLike, .noLinks]))
        } else {
            ops.append(.node(place, try node(device)))
        }
    }

    private func node(_ device: Spec.Device) throws(RuntimeError) -> DeviceNode {
        let kinds: [String: UInt32] = ["c": 0o020000, "u": 0o020000, "b": 0o060000, "p": 0o010000]
        guard let kind = kinds[device.type] else {
            throw .invalid("device \(device.path): the type \(device.type) is none of c, u, b and p")
        }
        guard let major = UInt32(exactly: device.major), let minor = UInt32(exactly: device.minor), major < 1 << 12,
            minor < 1 << 20
        else {
            throw .invalid("device \(device.path): \(device.major):\(device.minor) is no device number")
        }
        let mode = kind | (device.fileMode ?? 0o666) & 0o7777
        return DeviceNode(mode: mode, major: major, minor: minor, uid: device.uid ?? 0, gid: device.gid ?? 0)
    }

    /// The terminal comes from the container's own devpts, so that its name means the same inside; nil without one.
    mutating func makeTerminal() throws(RuntimeError) -> Slot? {
        if !spec.process.terminal { return nil }
        guard let devpts, let dev else {
            throw .invalid("a terminal needs a devpts mount on /dev/pts and a /dev that is the container's own")
        }
        let terminal = try slot("terminal")
        let size = spec.process.consoleSize
        ops.append(
            .pty(
                terminal, devpts: devpts, rows: size?.height ?? 0, columns: size?.width ?? 0,
                owner: spec.process.user.uid))
        let console = try slot("console")
        let place = Place.within(dev, "console")
        ops.append(.node(place, DeviceNode(mode: UInt32(S_IFREG) | 0o600, major: 0, minor: 0)))
        ops.append(.cloneTree(console, .within(terminal, ""), recursive: false))
        ops.append(.attach(console, place, .noLinks))
        return terminal
    }

    /// The container's /dev/null to read from and write to; nil where all of stdio is the caller's.
    mutating func openNull(for terminal: Slot?) throws(RuntimeError) -> Slot? {
        let io = request.stdio
        if terminal != nil || (io.input >= 0 && io.output >= 0 && io.error >= 0) { return nil }
        let null = try slot("stdnull")
        let place = dev.map { Place.within($0, "null") } ?? .within(root, "/dev/null")
        ops.append(.nullDevice(null, place, flags: O_RDWR))
        return null
    }
}
