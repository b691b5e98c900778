internal import CInit
internal import Glibc
internal import OCI
internal import Rootfs

/// One mount of the spec with its options told apart.
struct ClassifiedMount {
    enum Kind { case bind, cgroup, filesystem, remount }

    let kind: Kind
    let type: String
    let source: String
    /// Absolute, without `.`, `..` and doubled slashes.
    let destination: String
    let options: MountOptions
    /// Of the files' owners, where those are not the host's.
    let mapping: CopiedSource.Mapping?

    /// Over one of the files of /proc that only say something.
    var isOnProc: Bool { destination != "/proc" && PlanCompiler.isBelow(destination, "/proc") }
}

extension PlanCompiler {
    static let pathOnlyDirectory = Int32(O_PATH) | Int32(O_DIRECTORY)

    func classifyMounts() throws(RuntimeError) -> [ClassifiedMount] {
        if let label = spec.linux.mountLabel, !label.isEmpty, host.modules?.hasSELinux != true {
            throw .invalid("the SELinux label \(label) of the mounts: SELinux is not enabled on this host")
        }
        var result: [ClassifiedMount] = []
        for mount in spec.mounts {
            let destination = try cleanDestination(mount.destination)
            let options = MountOptions(mount.options)
            let type = mount.type ?? "none"
            let kind: ClassifiedMount.Kind =
                options.isRemount
                ? .remount
                : options.isBind || type == "bind"
                    ? .bind : type == "cgroup" || type == "cgroup2" ? .cgroup : .filesystem
            let isProc = type == "proc" && kind == .filesystem
            try refuseOverProc(mount, kind, destination: destination, isProc: isProc)
            if kind == .bind, mount.source?.utf8.first != UInt8(ascii: "/") {
                throw .invalid("mount on \(destination): the source \(mount.source ?? "") is not an absolute path")
            }
            if options.copiesUp, type != "tmpfs" || kind != .filesystem {
                throw .invalid("mount on \(destination): tmpcopyup is for a tmpfs, not for \(type)")
            }
            result.append(
                ClassifiedMount(
                    kind: kind, type: type, source: mount.source ?? type, destination: destination, options: options,
                    mapping: try mapping(of: mount, kind, options)))
        }
        return result
    }

    /// Those of the mount, else those of the container's user namespace (config.md#mounts).
    private func mapping(
        of mount: Spec.Mount, _ kind: ClassifiedMount.Kind, _ options: MountOptions
    ) throws(RuntimeError) -> CopiedSource.Mapping? {
        let (users, groups) = (mount.uidMappings ?? [], mount.gidMappings ?? [])
        if users.isEmpty, groups.isEmpty, !options.isMapped { return nil }
        let name = "mount on \(mount.destination)"
        if kind != .bind { throw .invalid("\(name): only a bind mount can have other owners (idmap)") }
        if users.isEmpty != groups.isEmpty { throw .invalid("\(name): uidMappings and gidMappings come together") }
        try Spec.IDMapping.check(users, "\(name): uidMappings")
        try Spec.IDMapping.check(groups, "\(name): gidMappings")
        if !users.isEmpty { return .ids(user: users, group: groups) }
        if let path = spec.linux.namespaces.first(where: { $0.type == .user })?.path {
            return .namespace(path: path)
        }
        guard makes(.user), let users = spec.linux.uidMappings, let groups = spec.linux.gidMappings else {
            throw .invalid("\(name): idmap without mappings of the mount needs a user namespace of the container")
        }
        return .ids(user: users, group: groups)
    }

    /// A relative one is taken from the root (config.md#mounts).
    private func cleanDestination(_ path: String) throws(RuntimeError) -> String {
        let clean = PlanCompiler.clean(path)
        if clean == "/" { throw .invalid("mount destination \(path) is the container's root") }
        return clean
    }

    /// Without `.`, `..` and doubled slashes; `..` of the root is the root.
    static func clean(_ path: String) -> String {
        var parts: [Substring.UTF8View] = []
        for part in Substring(path).utf8.split(separator: UInt8(ascii: "/")) where !part.elementsEqual(".".utf8) {
            if part.elementsEqual("..".utf8) { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.map { String(Substring($0)) }.joined(separator: "/")
    }

    static func isBelow(_ path: String, _ parent: String) -> Bool {
        path == parent || path.utf8.starts(with: (parent + "/").utf8)
    }

    /// Files of /proc from which programs read what the machine is like: lxcfs answers in their place. Nothing that the
    /// runtime writes goes there. Not those of /proc/net: the kernel drops what is mounted on them at the next look.
    private static let tellingFiles: Set<String> = [
        "/proc/cpuinfo", "/proc/diskstats", "/proc/loadavg", "/proc/meminfo", "/proc/slabinfo",
        "/proc/stat", "/proc/swaps", "/proc/uptime", "/proc/sys/crypto/fips_enabled",
        "/proc/sys/kernel/ns_last_pid",
    ]

    /// Whoever mounts over /proc makes later writes to labels and sysctls land in a file of his.
    private func refuseOverProc(
        _ mount: Spec.Mount, _ kind: ClassifiedMount.Kind, destination: String, isProc: Bool
    ) throws(RuntimeError) {
        if !PlanCompiler.isBelow(destination, "/proc") || (destination == "/proc" && (isProc || kind == .remount)) {
            return
        }
        if kind == .bind, PlanCompiler.tellingFiles.contains(destination) { return }
        // The host's own, where the pid namespace is the host's as well: who has only a user namespace can mount no other.
        if kind == .bind, destination == "/proc", mount.source == "/proc", !makes(.pid), !joins(.mount) {
            return
        }
        throw .invalid(
            "mount \(mount.source ?? mount.type ?? "") on \(mount.destination): mounts on /proc are refused,"
                + " since they could redirect what the runtime writes there; choose another destination")
    }

    /// Copies the host's trees before anything of the image is in the view, and before the namespace's own mounts become
    /// private: a copy stays in its peer group, which is what `rslave` and `rshared` are about.
    mutating func takeSources(_ mounts: [ClassifiedMount]) throws(RuntimeError) {
        for (index, mount) in mounts.enumerated() where mount.kind == .bind {
            let copy = try slot("bind\(index)")
            keep(copy, asSourceOf: index)
            try take(
                copy,
                CopiedSource(
                    path: mount.source, recursive: mount.options.bindIsRecursive,
                    mapsBelow: mount.options.mapsBelow, mapping: mount.mapping))
            setAttributes(copy, mount.options)
        }
    }

    /// A user namespace has no rights over the directories that lead to a source, nor to a mount without those below it:
    /// there the parent copies, as it does where owners change. Returns whether it does.
    @discardableResult
    mutating func take(_ slot: Slot, _ source: CopiedSource) throws(RuntimeError) -> Bool {
        let isFull = copied.count == Int(CINIT_MAX_INHERITED)
        if source.mapping != nil, isFull {
            throw .invalid("the spec has more than \(copied.count) mounts with other owners (idmap)")
        }
        let isParents = hasUserNamespace && !joins(.mount) && !host.mapsOnlyItself && !isFull
        if source.mapping == nil, !isParents {
            ops.append(.cloneTree(slot, .host(source.path), recursive: source.recursive))
            return false
        }
        ops.append(.inherit(slot, copied.count))
        copied.append(source)
        return true
    }

    /// In one call, where the mount itself and those below are to be the same.
    private mutating func setAttributes(_ copy: Slot, _ options: MountOptions) {
        let propagation = options.propagation ?? .private
        let isSeparate = options.propagation == nil || options.propagationIsRecursive || !options.bindIsRecursive
        let whole = options.bindIsRecursive ? options.whole : options.all
        if isSeparate || !whole.isEmpty {
            ops.append(
                .attributes(
                    copy, set: whole.set, clear: whole.clear, isSeparate ? propagation : nil, recursive: true))
        }
        let own = options.bindIsRecursive ? options.own : MountOptions.Change()
        if !isSeparate || !own.isEmpty {
            ops.append(
                .attributes(copy, set: own.set, clear: own.clear, isSeparate ? nil : propagation, recursive: false))
        }
    }

    mutating func mountAll(_ mounts: [ClassifiedMount]) throws(RuntimeError) {
        for (index, mount) in mounts.enumerated() {
            switch mount.kind {
            case .bind:
                if let source = source(of: index) { try attach(source, mount) }
            case .filesystem:
                if let source = source(of: index) {
                    try attach(source, mount)
                } else {
                    try mountFilesystem(mount, index: index)
                }
            case .cgroup: try mountCgroups(mount)
            case .remount: try remount(mount, index: index)
            }
        }
    }

    private mutating func attach(_ mount: Slot, _ classified: ClassifiedMount) throws(RuntimeError) {
        let destination = classified.destination
        if classified.isOnProc {
            guard let proc else {
                throw .invalid("mount on \(destination): the container's own proc must be mounted on /proc before it")
            }
            // Straight from the procfs: the image has no say in the way there.
            ops.append(.attach(mount, .within(proc, String(destination.dropFirst("/proc/".count))), []))
            return
        }
        let system = destination == "/proc" || destination == "/sys"
        var rules: TargetRules = classified.kind == .bind ? .makeLike : [.makeDirectory, .directory]
        // The image's own link or file at these places is an attack, not a layout.
        rules.formUnion(system ? [.noLinks, .directory] : .notProc)
        ops.append(.attach(mount, .within(root, destination), rules))
        switch destination {
        case "/proc": proc = mount
        case "/dev": dev = mount
        case "/dev/pts": devpts = classified.type == "devpts" ? mount : nil
        default: break
        }
    }

    private mutating func mountFilesystem(_ mount: ClassifiedMount, index: Int) throws(RuntimeError) {
        if mount.type == "none" { throw .invalid("mount on \(mount.destination): the type is missing") }
        let made = try slot(mount.destination == "/dev/pts" ? "pts" : name(of: mount.destination, index))
        var options = [MountOption("source", mount.source)] + mount.options.data
        if let label = spec.linux.mountLabel, !label.isEmpty, !PlanCompiler.unlabelled.contains(mount.type) {
            options.append(MountOption("context", label))
        }
        let attributes = mount.options.all.set
        let protects = mount.options.copiesUp && attributes.contains(.readOnly)
        ops.append(
            .filesystem(
                made, type: mount.type, options: options, protects ? attributes.subtracting(.readOnly) : attributes))
        if mount.options.copiesUp { ops.append(.copyUp(made, .within(root, mount.destination))) }
        if protects || mount.options.propagation != nil {
            ops.append(
                .attributes(
                    made, set: protects ? .readOnly : [], clear: [], mount.options.propagation, recursive: false))
        }
        try attach(made, mount)
    }

    /// File systems whose files have labels of their own.
    private static let unlabelled: Set<String> = ["proc", "sysfs", "mqueue"]

    /// What is mounted there already gets other attributes, and its file system other options where such are named.
    private mutating func remount(_ mount: ClassifiedMount, index: Int) throws(RuntimeError) {
        let place = Place.within(root, mount.destination)
        if !mount.options.isBind, !mount.options.data.isEmpty {
            ops.append(.reconfigure(place, options: mount.options.data))
        }
        let (own, whole, propagation) = (mount.options.own, mount.options.whole, mount.options.propagation)
        if own.isEmpty, whole.isEmpty, propagation == nil { return }
        let found = try slot("remount\(index)")
        ops.append(.open(found, place, flags: O_PATH, mount.destination == "/proc" ? .noLinks : []))
        if !own.isEmpty {
            ops.append(.attributes(found, set: own.set, clear: own.clear, nil, recursive: false))
        }
        if !whole.isEmpty {
            ops.append(.attributes(found, set: whole.set, clear: whole.clear, nil, recursive: true))
        }
        if let propagation {
            ops.append(
                .attributes(
                    found, set: [], clear: [], propagation, recursive: mount.options.propagationIsRecursive))
        }
    }

    private func name(of destination: String, _ index: Int) -> String {
        switch destination {
        case "/proc", "/sys", "/dev": String(destination.dropFirst())
        default: "mount\(index)"
        }
    }
}
