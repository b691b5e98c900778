internal import Cgroups
internal import Glibc
internal import Images
internal import OCI
internal import Rootfs
internal import Runtime
internal import Sys

/// A container that is decided: what a dry run prints and a start carries out.
struct ContainerDraft {
    var image: Image
    var record: ContainerRecord
    var spec: Spec
    var manager: CgroupManager
    /// What the mounts' sources still need.
    var sources: [MountPreparation]
    /// What each entry of the log says of the container.
    var logAttributes: String
    /// Where the container's files are mounted on the host already: that mount is its root then.
    var mounted: String?
    /// What mounts them otherwise; nil: the engine's driver.
    var driver: StorageDriver?
}

extension Engine {
    /// Decides a new container: its ID and all that its starts have in common. Makes nothing.
    func newRecord(_ asked: RunRequest, _ image: Image) throws(EngineError) -> ContainerRecord {
        let id = Random.hex(bytes: 32)
        var request = asked
        request.timing = nil
        try settleOwners(&request.isolation)
        try settleNetwork(&request.isolation)
        try settleEndpoints(&request)
        request.isolation.noNewPrivileges = request.isolation.noNewPrivileges ?? configuration.noNewPrivileges
        let execution = image.config.config ?? ImageConfig.Execution()
        var record = ContainerRecord(
            id: id, name: request.name ?? freeName(), image: image.id, request: request,
            execution: execution, arguments: try SpecBuilder.arguments(request, execution))
        let shared = try sharedHostname(request.isolation)
        record.hostname =
            request.process.hostname ?? shared
            ?? (sharesHostname(request) ? HostFacts.hostname() : String(id.prefix(12)))
        if let path = image.layers.last?.diff, request.rootDirectory != nil {
            record.request.rootDirectory?.path = path
        } else {
            record.topLayer = image.layers.last?.chainID
        }
        record.runtime = try chooseRuntime(request)
        try settle(&record)
        try settleMounts(&record)
        return record
    }

    /// Decides one start of the container; makes nothing.
    func draft(_ record: ContainerRecord, _ image: Image) throws(EngineError) -> ContainerDraft {
        let request = record.request
        let manager = try cgroups { () throws(CgroupError) in try cgroupManager() }
        if request.isolation.pid != .own, manager.layout.hierarchies.isEmpty {
            throw .invalid(
                "sharing a pid namespace takes a cgroup, by which the container's processes are found at its end, and "
                    + "no cgroup of this machine is yours to use; run with root's rights, or leave --pid out")
        }
        var resolver = MountResolver(volumes: volumes)
        let mounts = try resolver.resolve(record.mounts)
        let inputs = SpecInputs(
            request: request, image: record.execution, containerID: record.id, user: try resolveUser(record, image),
            userEnvironment: record.environment, hostname: record.hostname,
            files: try generatedFiles(of: record), mounts: mounts,
            devices: try devices(request),
            seccomp: try SpecBuilder.seccomp(request.isolation) { path throws(EngineError) in
                try Engine.seccompProfile(of: record, path)
            },
            host: HostFacts.lookUp(
                hasPidsController: manager.layout.hierarchy(of: "pids") != nil, rootless: rootless))
        return ContainerDraft(
            image: image, record: record, spec: try SpecBuilder.build(inputs), manager: manager,
            sources: resolver.preparations, logAttributes: try LogAttributes.json(of: record))
    }

    private func sharesHostname(_ request: RunRequest) -> Bool {
        request.isolation.uts == .host || request.isolation.network == .host
    }

    /// By the databases that the container would read: its own layer over the image's.
    private func resolveUser(_ record: ContainerRecord, _ image: Image) throws(EngineError) -> ResolvedUser {
        let view = LayerView(
            layers: [containers.upper(record.id)] + image.layers.reversed().map(\.diff), marks: marks)
        let limit = 10 << 20
        let passwd = try system { () throws(SystemFailure) in try view.readFile("/etc/passwd", limit: limit) }
        let group = try system { () throws(SystemFailure) in try view.readFile("/etc/group", limit: limit) }
        let database = UserDatabase(passwd: passwd ?? [], group: group ?? [])
        let process = record.request.process
        return try database.resolve(
            process.user ?? record.execution.user ?? "", additionalGroups: process.additionalGroups)
    }

    private func devices(_ request: RunRequest) throws(EngineError) -> [ResolvedDevice] {
        var result = request.isolation.privileged ? DeviceLookup.all() : []
        for device in request.devices { result += try DeviceLookup.resolve(device) }
        return result
    }

    /// /dev/shm goes with the IPC namespace, unless the user has something else there.
    func borrowedMounts(_ draft: ContainerDraft, _ shared: [SharedNamespaces]) -> [String: Int] {
        let memory = SpecBuilder.sharedMemory
        guard let owner = shared.firstIndex(where: { $0.kinds.contains(.ipc) }),
            draft.spec.mounts.contains(where: { $0.destination == memory.target && $0.source == memory.source })
        else { return [:] }
        return [memory.target: owner]
    }

    /// What the container's process mounts, or a program before it.
    func rootfs(_ draft: ContainerDraft) throws(EngineError) -> RootfsMount {
        let record = draft.record
        if let shown = draft.mounted {
            return RootfsMount(
                step: .bind(source: shown), mountPoint: containers.merged(record.id), readOnly: record.request.readOnly)
        }
        if let root = record.request.rootDirectory, !root.isOverlaid {
            return RootfsMount(
                step: .bind(source: root.path), mountPoint: containers.merged(record.id),
                readOnly: record.request.readOnly)
        }
        var stack = stack(of: record, draft.image.layers.reversed().map(\.diff))
        stack.readOnly = record.request.readOnly
        // Without `volatile` the unmount writes back the whole file system below (ovl_sync_fs), 40 ms beside a busy
        // disk, for a layer that is deleted next. After a power cut the container is swept away whole.
        stack.discardable = record.autoRemove
        return try compose(stack, by: draft.driver)
    }

    /// What the runtime is to do, in full.
    func plan(
        _ draft: ContainerDraft, streams: (input: Int32, output: Int32, error: Int32)
    ) throws(EngineError) -> LaunchPlan {
        let id = draft.record.id
        var rootfs = try rootfs(draft)
        // Mounted when it comes to that: this is a dry run.
        if case .program = rootfs.step {
            rootfs = RootfsMount(
                step: .bind(source: rootfs.mountPoint), mountPoint: rootfs.mountPoint, readOnly: rootfs.readOnly)
        }
        var request = LaunchRequest(id: id, spec: draft.spec, rootfs: rootfs)
        request.emulator = try emulator(of: draft.record, draft.spec)
        request.external = externalRuntime(of: draft.record)?.container(terminal: draft.spec.process.terminal)
        request.shared = draft.record.request.isolation.shared
        request.borrowed = borrowedMounts(draft, request.shared)
        request.useInit = draft.record.request.useInit
        request.stdio = StandardIO(input: streams.input, output: streams.output, error: streams.error)
        do throws(RuntimeError) {
            var host = Runtime.HostFacts(cgroups: draft.manager.layout)
            host.makesDevices = rootless == nil
            host.keepsGroups = rootless?.hasOneID ?? false
            return try Launcher.plan(request, host: host)
        } catch {
            throw .runtime(error)
        }
    }
}
