internal import OCI
internal import Rootfs

/// What namespaces of the spec mean for the order of a launch.
extension PlanCompiler {
    func makes(_ kind: Spec.Namespace.Kind) -> Bool {
        spec.linux.namespaces.contains { $0.type == kind && $0.path == nil }
    }

    func joins(_ kind: Spec.Namespace.Kind) -> Bool {
        spec.linux.namespaces.contains { $0.type == kind && $0.path != nil }
    }

    var hasUserNamespace: Bool { makes(.user) || joins(.user) }

    /// Whether others are joined before the child is made: where a user namespace is made or joined, since from inside the
    /// others are out of reach and what the clone makes belongs to it; and for the kinds that only a process by itself can
    /// join.
    var joinsEarly: Bool {
        if joins(.user) || joins(.mount) || joins(.time) { return true }
        return makes(.user) && spec.linux.namespaces.contains { $0.path != nil }
    }

    func checkNamespaces() throws(RuntimeError) {
        if !makes(.mount), !joins(.mount) {
            throw .invalid("the spec has no new mount namespace: the root would be the host's")
        }
        var kinds: [Spec.Namespace.Kind] = []
        for namespace in spec.linux.namespaces {
            if !kinds.contains(namespace.type) {
                kinds.append(namespace.type)
                continue
            }
            throw .invalid("the spec names the \(namespace.type.rawValue) namespace twice")
        }
        try checkShared(kinds)
        try checkMappings()
        if joins(.mount) { try checkJoinedMounts() }
    }

    private func checkMappings() throws(RuntimeError) {
        let (users, groups) = (spec.linux.uidMappings ?? [], spec.linux.gidMappings ?? [])
        try Spec.IDMapping.check(users, "uidMappings")
        try Spec.IDMapping.check(groups, "gidMappings")
        if !makes(.user) {
            if users.isEmpty, groups.isEmpty { return }
            // A joined one has its own; they are named again for mounts.
            if joins(.user) { return }
            throw .invalid("the spec has uidMappings or gidMappings and no user namespace")
        }
        for (mappings, field) in [(users, "uidMappings"), (groups, "gidMappings")] {
            if !mappings.contains(where: { $0.containerID == 0 }) {
                throw .invalid("the new user namespace has no root: \(field) must map the id 0")
            }
            if host.mapsOnlyItself, mappings.count != 1 || mappings.contains(where: { $0.size != 1 }) {
                throw .invalid(
                    "\(field): an ordinary user may map no more than the own id into a user namespace; enter one by"
                        + " newuidmap and newgidmap first (podman unshare, or runimg itself), and run this there")
            }
        }
        if host.mapsOnlyItself, !spec.process.user.additionalGids.isEmpty {
            throw .invalid("additionalGids: in an ordinary user's own user namespace groups can't be set")
        }
    }

    private func checkJoinedMounts() throws(RuntimeError) {
        guard case .bind = request.rootfs.step else {
            throw .invalid("in a mount namespace that is joined the root must be a directory that is there")
        }
        if spec.root.readonly || request.rootfs.readOnly {
            throw .invalid("a read-only root in a mount namespace that is joined: it would be so for all in it")
        }
        if spec.linux.rootfsPropagation != nil {
            throw .invalid("rootfsPropagation in a mount namespace that is joined: it would be so for all in it")
        }
    }

    /// Namespaces that the child itself joins; it then has the rights of the host.
    mutating func joinNamespaces() {
        if joinsEarly { return }
        for namespace in spec.linux.namespaces where namespace.type != .pid {
            if let path = namespace.path {
                ops.append(.joinNamespace(path: path, NamespaceFlags(namespace.type)))
            }
        }
    }

    var earlyJoins: [JoinedNamespace] {
        if !joinsEarly { return [] }
        let all = spec.linux.namespaces.compactMap { namespace in
            namespace.path.map { JoinedNamespace(namespace.type, path: $0) }
        }
        // Paths lead elsewhere behind the mount namespace, but files are opened before; it still comes behind what needs
        // the host's /proc.
        return all.filter { $0.kind != .mount } + all.filter { $0.kind == .mount }
    }

    var cloneFlags: NamespaceFlags {
        var flags: NamespaceFlags = []
        for namespace in spec.linux.namespaces where namespace.path == nil && namespace.type != .cgroup {
            flags.formUnion(NamespaceFlags(namespace.type))
        }
        // Its clocks are set before the child is in it.
        if spec.linux.timeOffsets?.isEmpty == false { flags.subtract(.time) }
        return flags
    }

    /// A line each, as /proc/PID/timens_offsets takes them; nil where the clocks are the host's.
    func timeOffsets() throws(RuntimeError) -> String? {
        guard let offsets = spec.linux.timeOffsets, !offsets.isEmpty else { return nil }
        if !makes(.time) { throw .invalid("timeOffsets need a new time namespace") }
        var lines = ""
        for (clock, offset) in offsets.sorted(by: { $0.key < $1.key }) {
            if clock != "monotonic" && clock != "boottime" {
                throw .invalid("timeOffsets: there is no offset for the clock \(clock), only monotonic and boottime")
            }
            if offset.nanosecs > 999_999_999 {
                throw .invalid("timeOffsets: \(offset.nanosecs) nanoseconds of \(clock) are more than a second")
            }
            lines += "\(clock) \(offset.secs) \(offset.nanosecs)\n"
        }
        return lines
    }
}
