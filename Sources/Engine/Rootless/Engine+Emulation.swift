internal import Glibc
internal import OCI
internal import Rootfs
internal import Runtime
internal import Supervisor
internal import Sys

/// Containers of somebody who can have no namespace: under proot, which shows them other files and closes nothing off.
extension Engine {
    var isEmulated: Bool { rootless?.obstacle != nil }

    /// Throws where no container can be run at all.
    func checkIsolation() throws(EngineError) {
        if let obstacle = rootless?.obstacle, Emulator.installed == nil { throw obstacle.error }
    }

    /// Says, once a boot, what such a container is not.
    func noteEmulation() {
        guard let rootless, isEmulated else { return }
        let mark = "\(rootless.places.runDirectory)/userns.told"
        guard (try? File.open(mark, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o600)) != nil else { return }
        notice(
            "no user namespace can be had here, so containers run under \(Emulator.name) and are closed off from nothing: "
                + "their processes are yours, with all your files, the host's network, processes and devices; run in them "
                + "only what you would run without")
    }

    /// What shows a container its files; nil where namespaces do. Throws for what only they could do.
    func emulator(of record: ContainerRecord, _ spec: Spec) throws(EngineError) -> Emulator? {
        guard isEmulated else { return nil }
        try checkIsolation()
        guard
            var emulator = Emulator(
                root: containers.merged(record.id), stub: "\(containers.directory(record.id))/init")
        else { return nil }
        if let root = record.request.rootDirectory, !root.isOverlaid { emulator.root = root.path }
        try checkRequest(record)
        emulator.binds = Engine.hostsDirectories.map { Emulator.Bind($0, $0) }
        for mount in spec.mounts where !Engine.isHosts(mount) {
            emulator.binds.append(try Engine.bind(mount))
        }
        return emulator
    }

    /// Asked for and not done would be worse than refused.
    private func checkRequest(_ record: ContainerRecord) throws(EngineError) {
        let request = record.request
        let isolation = request.isolation
        var isCustom = false
        if case .profile = isolation.seccomp { isCustom = true }
        let asked = [
            (request.readOnly, "a read-only root"), (!isolation.shared.isEmpty, "another container's namespaces"),
            (isolation.networkAsked && isolation.network != .host, "a network of its own"),
            (request.process.hostname != nil || request.process.domainname != nil, "a host name of its own"),
            (!isolation.sysctls.isEmpty, "kernel parameters of its own"),
            (request.resources.shmSize != nil, "a /dev/shm of its own"), (isCustom, "a seccomp profile"),
        ]
        for (isAsked, what) in asked where isAsked { throw Engine.unemulated(what) }
    }

    private static let hostsDirectories = ["/proc", "/sys", "/dev"]

    /// What namespaces would have there instead of the host's own.
    private static func isHosts(_ mount: Spec.Mount) -> Bool {
        let path = mount.destination
        if mount.type == "bind", mount.source != path { return false }
        return hostsDirectories.contains { path == $0 || path.hasPrefix($0 + "/") }
    }

    private static func bind(_ mount: Spec.Mount) throws(EngineError) -> Emulator.Bind {
        let target = mount.destination
        if mount.type != "bind" { throw unemulated("\(mount.type ?? "a mount") on \(target)") }
        if mount.options.contains(where: ["ro", "rro"].contains) { throw unemulated("\(target) read-only") }
        return Emulator.Bind(mount.source ?? "", target)
    }

    static func unemulated(_ what: String) -> EngineError {
        .invalid("\(what) takes namespaces, and none can be had here; leave it out, or run with root's rights")
    }

    /// Makes what a container finds made in its root: its working directory, and a place for each mount. No link leads out.
    func makePlaces(_ draft: ContainerDraft, _ emulator: Emulator) throws(EngineError) {
        let path = draft.spec.process.cwd
        try call("make places in", emulator.root) { () throws(Errno) in
            let directory = try Directory.open(emulator.root)
            for bind in emulator.binds { try Engine.makePlace(bind, in: directory.raw) }
            try Engine.makeDirectories(path, in: directory.raw)
            _ = try FileView.container(directory.raw).open(path, O_RDONLY | O_DIRECTORY)
            _ = consume directory
        }
    }

    private static func makePlace(_ bind: Emulator.Bind, in root: Int32) throws(Errno) {
        if hostsDirectories.contains(where: { bind.target.hasPrefix($0 + "/") }) { return }
        if try File.status(bind.source, follow: true).isDirectory { return try makeDirectories(bind.target, in: root) }
        let (parent, name) = Path.split(bind.target)
        try makeDirectories(parent, in: root)
        let directory = try FileView.container(root).open(parent, O_RDONLY | O_DIRECTORY)
        do throws(Errno) {
            _ = try File.open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode: 0o644, at: directory.raw)
        } catch {
            if error != .exists { throw error }
        }
    }

    /// Signals go to the command itself.
    var deliver: SignalDelivery {
        if isEmulated { return { (signal, pidfd) throws(Errno) in try Emulator.send(signal, to: pidfd) } }
        return { (signal, pidfd) throws(Errno) in try Pidfd.send(signal, to: pidfd) }
    }

    /// What is mounted in the container is not among its files: it is on the host only.
    func checkUnmounted(_ path: String, _ record: ContainerRecord) throws(EngineError) {
        guard isEmulated else { return }
        let asked = try SpecBuilder.clean("/" + path)
        for mount in record.mounts where asked == mount.target || asked.hasPrefix(mount.target + "/") {
            let place: String =
                switch mount.kind {
                case .bind(let source, _): source
                case .volume(let name): volumes.data(name)
                case .anonymousVolume, .tmpfs: "the host"
                }
            throw .invalid("\(mount.target) of container \(record.name) is \(place); copy from there, or to it")
        }
    }

    /// A further process: the same emulator once more.
    func emulatedPlan(_ request: ExecRequest, _ record: ContainerRecord) throws(EngineError) -> LaunchPlan {
        var spec = try draft(record, try image(of: record)).spec
        spec.process = request.process
        let root = RootfsMount(directory: containers.merged(record.id), readOnly: false)
        var launch = LaunchRequest(id: record.id, spec: spec, rootfs: root)
        launch.emulator = try emulator(of: record, spec)
        launch.stdio = request.stdio
        launch.diesWithParent = request.diesWithParent
        do throws(RuntimeError) {
            return try Launcher.plan(launch)
        } catch {
            throw .runtime(error)
        }
    }
}
