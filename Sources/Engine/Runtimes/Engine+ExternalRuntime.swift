internal import Cgroups
internal import Glibc
internal import OCI
internal import Rootfs
internal import Runtime
internal import Sys

/// Containers that another OCI runtime makes: what it is given, what it makes further, and what it leaves.
extension Engine {
    /// nil for a container of our own runtime.
    func externalRuntime(of record: ContainerRecord) -> ExternalRuntime? {
        record.runtime.map { external($0, record.id) }
    }

    private func external(_ choice: RuntimeChoice, _ id: String) -> ExternalRuntime {
        ExternalRuntime(
            name: Path.split(choice.name).name, path: choice.path, arguments: choice.arguments, id: id,
            bundle: "\(live.path(of: id))/\(LiveContainer.bundleDirectory)")
    }

    /// Writes the bundle for a start: the container's spec, with namespaces and mounts of others as paths. What is returned
    /// is to be kept until the runtime has opened these.
    func writeBundle(
        of draft: ContainerDraft, _ owners: [NamespaceOwner], _ entry: inout LiveContainer
    ) throws(EngineError) -> [OwnedDescriptor] {
        guard let choice = draft.record.runtime else { return [] }
        let runtime = external(choice, draft.record.id)
        // First, so that whoever finds the entry has it take back what it made.
        try entry.record(choice)
        try call("make", runtime.bundle) { () throws(Errno) in
            try Directory.removeTree(runtime.bundle)
            try Directory.make(runtime.bundle, mode: 0o700)
        }
        var held: [OwnedDescriptor] = []
        var spec = draft.spec
        spec.ociVersion = Engine.portableVersion(spec)
        spec.root.path = containers.merged(draft.record.id)
        spec.root.readonly = spec.root.readonly || draft.record.request.readOnly
        if draft.manager.layout.hierarchies.isEmpty {
            // An ordinary user without any cgroup: runtimes pass over what they can't make only where no path is asked for.
            spec.linux.cgroupsPath = nil
            spec.linux.resources = Spec.Resources()
        }
        for index in spec.linux.namespaces.indices {
            // The network's is a descriptor of ours.
            guard let path = spec.linux.namespaces[index].path, path.hasPrefix(Engine.ownDescriptors) else { continue }
            let number = path.dropFirst(Engine.ownDescriptors.count)
            spec.linux.namespaces[index].path = "/proc/\(getpid())/fd/\(number)"
        }
        try share(draft, owners, runtime, in: &spec, holding: &held)
        if draft.record.request.useInit {
            let path = try Engine.runtimeCall { () throws(RuntimeError) in try runtime.writeInit() }
            spec.mounts.append(
                Spec.Mount(
                    destination: ExternalRuntime.initPlace, type: "bind", source: path,
                    options: ["bind", "ro", "nosuid", "nodev"]))
            spec.process.args = ExternalRuntime.underInit(spec.process)
        }
        let bytes = spec.json
        try system { () throws(SystemFailure) in
            try File.replace("\(runtime.bundle)/config.json", with: bytes, mode: 0o600, durably: false)
        }
        return held
    }

    /// By descriptors of ours, each opened while its owner is held and alive: a number may be another's by then.
    private func share(
        _ draft: ContainerDraft, _ owners: [NamespaceOwner], _ runtime: ExternalRuntime, in spec: inout Spec,
        holding held: inout [OwnedDescriptor]
    ) throws(EngineError) {
        let shared = draft.record.request.isolation.shared
        for (owner, shared) in zip(owners, shared) {
            for (kind, type, name) in Engine.sharedKinds where shared.kinds.contains(kind) {
                let file = try open("ns/\(name)", of: owner, shared.owner)
                spec.join(type, at: "/proc/\(getpid())/fd/\(file.raw)")
                held.append(file)
            }
        }
        for target in borrowedMounts(draft, shared).keys {
            guard let place = spec.mounts.firstIndex(where: { $0.destination == target }) else { continue }
            let source = runtime.place(of: target)
            try call("make", source) { () throws(Errno) in try Directory.make(source, mode: 0o700) }
            spec.mounts[place] = Spec.Mount(
                destination: target, type: "bind", source: source,
                options: ["bind"] + spec.mounts[place].options.filter(Engine.mountFlags.contains))
        }
    }

    private static let mountFlags: Set<String> = ["nosuid", "nodev", "noexec", "ro"]
    private static let ownDescriptors = "/proc/self/fd/"

    private static let sharedKinds: [(NamespaceFlags, Spec.Namespace.Kind, String)] = [
        (.network, .network, "net"), (.ipc, .ipc, "ipc"), (.uts, .uts, "uts"), (.pid, .pid, "pid"),
    ]

    private func open(
        _ name: String, of owner: NamespaceOwner, _ id: String
    ) throws(EngineError) -> OwnedDescriptor {
        try call("open \(name) of", "container \(id.prefix(12))") { () throws(Errno) in
            let file = try File.open("/proc/\(try Pidfd.number(of: owner.pidfd.raw))/\(name)", O_RDONLY)
            // Alive still, so the number was its own.
            try Pidfd.send(0, to: owner.pidfd.raw)
            return OwnedDescriptor(file)
        }
    }

    /// Has the container's runtime start a further process.
    func startBeside(_ runtime: ExternalRuntime, _ asked: ExecRequest) throws(EngineError) -> RunningProcess {
        let directory = "\(runtime.bundle)/exec-\(Random.hex(bytes: 8))"
        try call("make", directory) { () throws(Errno) in try Directory.make(directory, mode: 0o700) }
        defer { try? Directory.removeTree(directory) }
        let process = runtime.process(in: directory, terminal: asked.process.terminal)
        let bytes = asked.process.json
        try system { () throws(SystemFailure) in
            try File.replace(process.description, with: bytes, mode: 0o600, durably: false)
        }
        var request = asked
        request.external = process
        return try Engine.runtimeCall { () throws(RuntimeError) in
            try Launcher.start(try Launcher.plan(request))
        }
    }

    /// Has the runtime that made a container take back what is left of it; for one whose processes have ended. What it says
    /// it could not remove is told, and not tried again: all that is not its own is gone by then.
    func leaveRuntime(_ id: String, _ state: LiveState) -> String? {
        guard let choice = state.runtime else { return nil }
        let runtime = external(choice, id)
        guard File.exists(runtime.bundle) else { return nil }
        var problem: String?
        do throws(RuntimeError) {
            try runtime.delete()
        } catch {
            problem = "\(error)"
        }
        do throws(Errno) {
            try Directory.removeTree(runtime.bundle)
        } catch {
            problem = problem ?? "remove \(runtime.bundle): \(error)"
        }
        return problem
    }

    private static func runtimeCall<T: ~Copyable>(_ body: () throws(RuntimeError) -> T) throws(EngineError) -> T {
        try runtime(body)
    }
}
