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
    /// Copies of bind sources, at the index of the mount.
    private var sources: [Slot?] = []
    /// What the parent copies, since that takes the host's rights.
    var copied: [CopiedSource] = []

    var spec: Spec { request.spec }

    mutating func keep(_ copy: Slot, asSourceOf index: Int) {
        while sources.count <= index { sources.append(nil) }
        sources[index] = copy
    }

    func source(of index: Int) -> Slot? { index < sources.count ? sources[index] : nil }

    static func compile(_ request: LaunchRequest, host: HostFacts) throws(RuntimeError) -> LaunchPlan {
        if let emulator = request.emulator { return try EmulatedCompiler.compile(request, emulator) }
        var compiler = PlanCompiler(request: request, host: host)
        if let external = request.external { return try compiler.handOver(to: external) }
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
        if makes(.user) { ops.append(host.mapsOnlyItself ? .awaitMapping : .awaitRelease) }
        let label = try openLabel()
        // The namespace's root is the cgroup that the process is in.
        ops.append(.joinCgroup)
        if makes(.cgroup) { ops.append(.unshare(.cgroup)) }
        joinNamespaces()
        for (index, shared) in request.shared.enumerated() { ops.append(.share(target: index, shared.kinds)) }
        try takeSources(mounts)
        try borrow(mounts)
        try separateMounts()
        try mountRoot()
        // The host's paths have been opened as the host's root, to whom they may be open alone.
        if hasUserNamespace { ops.append(.becomeRoot) }
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
        try enterRoot()
        ops.append(.workDirectory(.within(root, spec.process.cwd)))
        try finishProcess(terminal: terminal, null: null, label: label)
        return try plan()
    }

    /// A slot for one more descriptor of the child.
    mutating func slot(_ name: String) throws(RuntimeError) -> Slot {
        // CINIT_MAX_SLOTS, and below the usual soft limit of 1024 descriptors.
        if slots >= 768 { throw .invalid("the spec has more mounts than the \(slots) that a launch can hold open") }
        defer { slots += 1 }
        return Slot(index: Int16(slots), name: name)
    }

    private func checkShape() throws(RuntimeError) {
        try steps.check()
        try checkNamespaces()
        if spec.hostname ?? spec.domainname != nil, !hasOwn(.uts) {
            throw .invalid("a host name is asked for, and no UTS namespace that it could be of: the host would get it")
        }
        _ = try rootPropagation()
    }

    /// Another's pid namespace is entered last of all, as by a further process of its container (`ExecCompiler`).
    private var stubMode: StubMode {
        if request.passed.gate != nil { return .hold(hasCommand: request.hasCommand) }
        if pidOwner == nil { return request.useInit ? .supervise : .replace }
        return .enter(
            terminal: spec.process.terminal, diesWithParent: request.diesWithParent, supervises: request.useInit)
    }

    private func plan() throws(RuntimeError) -> LaunchPlan {
        var parent = LaunchPlan.ParentSteps()
        parent.oomScoreAdj = spec.process.oomScoreAdj
        if makes(.user) {
            parent.uidMappings = spec.linux.uidMappings ?? []
            parent.gidMappings = spec.linux.gidMappings ?? []
        }
        parent.owners = request.shared.map(\.owner)
        parent.joins = earlyJoins
        if parent.joins.isEmpty { parent.pidNamespace = spec.linux.namespaces.first { $0.type == .pid }?.path }
        parent.timeOffsets = try timeOffsets()
        parent.deniesGroups = makes(.user) && host.mapsOnlyItself
        parent.copied = copied
        parent.seccompListener = try steps.listener()
        if hasUserNamespace { parent.limits = try steps.limits() }
        let flags = cloneFlags
        let process = spec.process
        let mode = stubMode
        let buffer = try PlanEncoder.encode(
            ops, clone: flags, arguments: steps.arguments(mode), environment: process.env)
        return LaunchPlan(
            id: request.id, cloneFlags: flags, ops: ops, stub: mode, arguments: process.args, environment: process.env,
            hasTerminal: process.terminal, parent: parent, buffer: buffer)
    }
}
