internal import Cgroups
internal import Glibc
internal import Images
internal import OCI
internal import Rootfs
internal import Runtime
internal import Sys

/// A container that is decided but not made: what a dry run prints and a run carries out.
struct ContainerDraft {
    var request: RunRequest
    var image: Image
    var record: ContainerRecord
    var spec: Spec
    var hostname: String
    var manager: CgroupManager
    /// What the mounts' sources still need.
    var sources: [MountPreparation]
}

extension Engine {
    /// Decides everything about the container; makes nothing.
    func draft(_ request: RunRequest, _ image: Image) throws(EngineError) -> ContainerDraft {
        let id = Random.hex(bytes: 32)
        var request = request
        request.isolation.noNewPrivileges = request.isolation.noNewPrivileges ?? configuration.noNewPrivileges
        let manager = try cgroups { () throws(CgroupError) in try CgroupManager.detect() }
        let execution = image.config.config ?? ImageConfig.Execution()
        let user = try resolveUser(request, execution, image)
        let hostname =
            request.process.hostname ?? (sharesHostname(request) ? HostFacts.hostname() : String(id.prefix(12)))
        var record = ContainerRecord(
            id: id, name: request.name ?? NameGenerator.name(), image: image.id, imageName: request.image,
            arguments: try SpecBuilder.arguments(request, execution), autoRemove: request.remove)
        record.topLayer = image.layers.last?.chainID
        for label in request.process.labels { record.labels[label.name] = label.value ?? "" }
        var resolver = MountResolver(volumes: volumes)
        let mounts = try resolver.resolve(request.mounts, imageVolumes: execution.volumes ?? [:])
        record.anonymousVolumes = resolver.anonymous
        let inputs = SpecInputs(
            request: request, image: execution, containerID: id, user: user,
            userEnvironment: try userEnvironment(request.process), hostname: hostname,
            files: GeneratedFileWriter.paths(in: containers.directory(id)), mounts: mounts,
            devices: try devices(request),
            seccomp: try SpecBuilder.seccomp(request.isolation) { path throws(EngineError) in
                try call("open the seccomp profile", path) { () throws(Errno) in try File.readAll(path, limit: 4 << 20)
                }
            },
            host: HostFacts.lookUp(hasPidsController: manager.layout.hierarchy(of: "pids") != nil))
        return ContainerDraft(
            request: request, image: image, record: record, spec: try SpecBuilder.build(inputs), hostname: hostname,
            manager: manager, sources: resolver.preparations)
    }

    private func sharesHostname(_ request: RunRequest) -> Bool {
        request.isolation.hostUts || request.isolation.network == .host
    }

    private func resolveUser(
        _ request: RunRequest, _ execution: ImageConfig.Execution, _ image: Image
    ) throws(EngineError) -> ResolvedUser {
        let view = LayerView(layers: image.layers.reversed().map(\.diff))
        let limit = 10 << 20
        let passwd = try system { () throws(SystemFailure) in try view.readFile("/etc/passwd", limit: limit) }
        let group = try system { () throws(SystemFailure) in try view.readFile("/etc/group", limit: limit) }
        let database = UserDatabase(passwd: passwd ?? [], group: group ?? [])
        return try database.resolve(
            request.process.user ?? execution.user ?? "", additionalGroups: request.process.additionalGroups)
    }

    /// Files first, so that `-e` wins.
    private func userEnvironment(_ options: ProcessOptions) throws(EngineError) -> [String] {
        var entries: [EnvironmentEntry] = []
        for path in options.environmentFiles {
            let bytes = try call("open", path) { () throws(Errno) in try File.readAll(path, limit: 16 << 20) }
            do throws(EnvironmentFile.ParseError) {
                entries += try EnvironmentFile.parse(bytes, file: path)
            } catch {
                throw .invalid("invalid env file: \(error)")
            }
        }
        return EnvironmentBuilder.resolve(entries + options.environment) { Environment[$0] }
    }

    private func devices(_ request: RunRequest) throws(EngineError) -> [ResolvedDevice] {
        var result = request.isolation.privileged ? DeviceLookup.all() : []
        for device in request.devices { result += try DeviceLookup.resolve(device) }
        return result
    }

    /// What the runtime is to do, in full.
    func plan(
        _ draft: ContainerDraft, streams: (input: Int32, output: Int32, error: Int32)
    ) throws(EngineError) -> LaunchPlan {
        let id = draft.record.id
        var stack = LayerStack(
            base: images.layout.layers, layers: draft.image.layers.reversed().map(\.diff),
            upper: containers.upper(id), work: containers.work(id), mountPoint: containers.merged(id))
        stack.readOnly = draft.request.readOnly
        // Without `volatile` the unmount writes back the whole file system below (ovl_sync_fs), 40 ms beside a busy
        // disk, for a layer that is deleted next. After a power cut the container is swept away whole.
        stack.discardable = draft.request.remove
        let rootfs: RootfsMount
        do throws(RootfsError) {
            rootfs = try Overlay2().mount(stack)
        } catch {
            throw .rootfs(error)
        }
        var request = LaunchRequest(id: id, spec: draft.spec, rootfs: rootfs)
        request.useInit = draft.request.useInit
        request.stdio = StandardIO(input: streams.input, output: streams.output, error: streams.error)
        do throws(RuntimeError) {
            return try Launcher.plan(request, host: Runtime.HostFacts(cgroups: draft.manager.layout))
        } catch {
            throw .runtime(error)
        }
    }
}
