internal import OCI
internal import Rootfs

/// Compiles a spec into the operations of its launch. Pure: what the host is like comes in as `HostFacts`.
///
/// The order is the kernel's: sources are taken from the host's view before anything of the image is mounted; then the
/// root, the mounts in the spec's order, the nodes of /dev, sysctls, and last what covers paths (masks, read-only), since
/// a cover must lie above everything else. Ids and capabilities come after all that needs root.
struct PlanCompiler {
    let request: LaunchRequest
    let host: HostFacts
    var ops: [PlanOp] = []
    var slots = 0
    var root: Slot
    /// The mounts at /proc, /dev and /dev/pts, once made.
    var proc: Slot?
    var dev: Slot?
    var devpts: Slot?
    /// Copies of bind sources by index of the mount.
    var sources: [Int: Slot] = [:]

    var spec: Spec { request.spec }

    static func compile(_ request: LaunchRequest, host: HostFacts) throws(RuntimeError) -> LaunchPlan {
        if let emulator = request.emulator { return try EmulatedCompiler.compile(request, emulator) }
        var compiler = PlanCompiler(request: request, host: host)
        return try compiler.compile()
    }

    private init(request: LaunchRequest, host: HostFacts) {
        self.request = request
        self.host = host
        root = Slot(index: 0, name: "root")
        slots = 1
    }

    private mutating func compile() throws(RuntimeError) -> LaunchPlan {
        try checkShape()
        let mounts = try classifyMounts()
        // Id maps come first of all; anything else that the parent does overlaps with the mounts.
        if makes(.user) { ops.append(.awaitRelease) }
        // The namespace's root is the cgroup that the process is in.
        ops.append(.joinCgroup)
        if makes(.cgroup) { ops.append(.unshare(.cgroup)) }
        for namespace in spec.linux.namespaces where namespace.type != .pid {
            if let path = namespace.path {
                ops.append(.joinNamespace(path: path, NamespaceFlags(namespace.type)))
            }
        }
        for (index, shared) in request.shared.enumerated() { ops.append(.share(target: index, shared.kinds)) }
        try takeSources(mounts)
        try borrow(mounts)
        ops.append(.makeMountsPrivate)
        try mountRoot()
        try mountAll(mounts)
        try makeDevices()
        let terminal = try makeTerminal()
        // A sysctl may be of an interface that a hook makes.
        if request.hasHooks { ops.append(.awaitHooks) }
        try writeSysctls()
        try coverPaths()
        if spec.process.cwd != "/" { ops.append(.makePath(.within(root, spec.process.cwd))) }
        if spec.root.readonly || request.rootfs.readOnly {
            ops.append(.attributes(root, set: .readOnly, clear: [], nil, recursive: false))
        }
        let null = try openNull(for: terminal)
        if !makes(.user), !request.hasHooks { ops.append(.awaitRelease) }
        ops.append(.pivot(root))
        ops.append(.workDirectory(.within(root, spec.process.cwd)))
        try finishProcess(terminal: terminal, null: null)
        return try plan()
    }

    /// A slot for one more descriptor of the child.
    mutating func slot(_ name: String) throws(RuntimeError) -> Slot {
        // CINIT_MAX_SLOTS, and below the usual soft limit of 1024 descriptors.
        if slots >= 768 { throw .invalid("the spec has more mounts than the \(slots) that a launch can hold open") }
        defer { slots += 1 }
        return Slot(index: Int16(slots), name: name)
    }

    func makes(_ kind: Spec.Namespace.Kind) -> Bool {
        spec.linux.namespaces.contains { $0.type == kind && $0.path == nil }
    }

    private func checkShape() throws(RuntimeError) {
        try steps.check()
        if !makes(.mount) { throw .invalid("the spec has no new mount namespace: the root would be the host's") }
        var kinds: Set<Spec.Namespace.Kind> = []
        for namespace in spec.linux.namespaces where !kinds.insert(namespace.type).inserted {
            throw .invalid("the spec names the \(namespace.type.rawValue) namespace twice")
        }
        if spec.linux.namespaces.contains(where: { $0.path != nil && ($0.type == .user || $0.type == .time) }) {
            throw .invalid("joining a user or time namespace is not supported yet")
        }
        try checkShared(kinds)
        let propagation = spec.linux.rootfsPropagation ?? "rprivate"
        if !["private", "rprivate", "slave", "rslave"].contains(propagation) {
            throw .invalid("the root's propagation \(propagation) is not supported: the root is always private")
        }
    }

    private mutating func mountRoot() throws(RuntimeError) {
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
            ops.append(.cloneTree(root, .host(source), recursive: true))
            ops.append(.attributes(root, set: [], clear: [], .private, recursive: true))
            ops.append(.attach(root, .host(rootfs.mountPoint), []))
        // Whoever starts the container lets it mount, and has what it made bound.
        case .program(let arguments):
            throw .invalid("a root file system that \(arguments.first ?? "") is still to mount")
        }
    }

    /// Another's pid namespace is entered last of all, as by a further process of its container (`ExecCompiler`).
    private var stubMode: StubMode {
        if request.passed.gate != nil { return .hold }
        if pidOwner == nil { return request.useInit ? .supervise : .replace }
        return .enter(
            terminal: spec.process.terminal, diesWithParent: request.diesWithParent, supervises: request.useInit)
    }

    private func plan() throws(RuntimeError) -> LaunchPlan {
        var flags: NamespaceFlags = []
        for namespace in spec.linux.namespaces where namespace.path == nil && namespace.type != .cgroup {
            flags.formUnion(NamespaceFlags(namespace.type))
        }
        var parent = LaunchPlan.ParentSteps()
        parent.oomScoreAdj = spec.process.oomScoreAdj
        parent.uidMappings = spec.linux.uidMappings ?? []
        parent.gidMappings = spec.linux.gidMappings ?? []
        parent.owners = request.shared.map(\.owner)
        parent.pidNamespace = spec.linux.namespaces.first { $0.type == .pid }?.path
        let process = spec.process
        let mode = stubMode
        let buffer = try PlanEncoder.encode(
            ops, clone: flags, arguments: steps.arguments(mode), environment: process.env)
        return LaunchPlan(
            id: request.id, cloneFlags: flags, ops: ops, stub: mode, arguments: process.args, environment: process.env,
            hasTerminal: process.terminal, parent: parent, buffer: buffer)
    }
}
