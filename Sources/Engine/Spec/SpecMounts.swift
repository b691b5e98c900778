internal import OCI

extension SpecBuilder {
    static let defaultShmSize: Int64 = 64 << 20
    /// The mount that goes with the IPC namespace; by its source no user's mount is taken for it.
    static let sharedMemory = (target: "/dev/shm", source: "shm")

    /// The file systems of every container, then its generated files, then the user's mounts, parents before children.
    /// A user's mount on one of the default targets takes its place.
    static func mounts(_ inputs: SpecInputs) throws(EngineError) -> [Spec.Mount] {
        let user = try userMounts(inputs)
        let taken = Set(user.map(\.destination))
        let standard = standardMounts(inputs.request, inputs.host.rootless) + fileMounts(inputs.files)
        return standard.filter { !taken.contains($0.destination) } + user
    }

    private static func standardMounts(_ request: RunRequest, _ rootless: Rootless?) -> [Spec.Mount] {
        let privileged = request.isolation.privileged
        let guarded = ["nosuid", "noexec", "nodev"]
        let writing = privileged ? "rw" : "ro"
        let shmSize = request.resources.shmSize ?? defaultShmSize
        var result = [
            Spec.Mount(destination: "/proc", type: "proc", source: "proc", options: guarded),
            Spec.Mount(
                destination: "/dev", type: "tmpfs", source: "tmpfs",
                options: ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            Spec.Mount(
                destination: "/dev/pts", type: "devpts", source: "devpts",
                options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"]
                    + (rootless.map { $0.groupCount > terminalGroup } ?? true ? ["gid=\(terminalGroup)"] : [])),
            rootless != nil && isOthers(request.isolation.network)
                ? hostSystem
                : Spec.Mount(destination: "/sys", type: "sysfs", source: "sysfs", options: guarded + [writing]),
            Spec.Mount(
                destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
                options: guarded + ["relatime", writing]),
        ]
        // A queue file system shows the queues of the IPC namespace that it is mounted in, so the host's as well; the host
        // itself need not have mounted one.
        result.append(Spec.Mount(destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: guarded))
        switch request.isolation.ipc {
        case .unmounted: break
        // The host's shared memory itself: that is what was asked for.
        case .host:
            result.append(Spec.Mount(destination: "/dev/shm", type: "bind", source: "/dev/shm", options: ["rbind"]))
        case .isolated, .shareable, .container:
            result.append(
                Spec.Mount(
                    destination: sharedMemory.target, type: "tmpfs", source: sharedMemory.source,
                    options: guarded + ["mode=1777", "size=\(shmSize)"]))
        }
        return result
    }

    /// Whether the network namespace is one that the caller's user namespace may not own.
    private static func isOthers(_ network: NetworkMode) -> Bool {
        if case .path = network { return true }
        return network == .host
    }

    /// Debian's group tty, as everybody's.
    private static let terminalGroup: UInt32 = 5

    /// sysfs shows the network namespace that it is mounted in, so who does not own that may not mount it.
    private static let hostSystem = Spec.Mount(
        destination: "/sys", type: "bind", source: "/sys",
        options: ["rbind", "rslave", "rnosuid", "rnoexec", "rnodev", "rro"])

    private static func fileMounts(_ files: GeneratedFiles) -> [Spec.Mount] {
        [
            ("/etc/resolv.conf", files.resolvConf), ("/etc/hostname", files.hostname), ("/etc/hosts", files.hosts),
        ].map { target, source in
            Spec.Mount(destination: target, type: "bind", source: source, options: ["rbind", "rprivate"])
        }
    }

    private static func userMounts(_ inputs: SpecInputs) throws(EngineError) -> [Spec.Mount] {
        var result: [Spec.Mount] = []
        for mount in inputs.mounts {
            let target = try clean(mount.target)
            if target == "/" { throw .invalid("invalid mount target \"\(mount.target)\": destination can't be '/'") }
            if result.contains(where: { $0.destination == target }) {
                throw .invalid("Duplicate mount point: \(target)")
            }
            switch mount.source {
            case .path(let path):
                result.append(
                    Spec.Mount(
                        destination: target, type: "bind", source: path,
                        // Of what is mounted below as well: a writable one would be a hole.
                        options: ["rbind", mount.propagation] + (mount.readOnly ? ["rro"] : [])))
            case .tmpfs(let options):
                result.append(
                    Spec.Mount(
                        destination: target, type: "tmpfs", source: "tmpfs",
                        options: tmpfsOptions(options) + (mount.readOnly ? ["ro"] : [])))
            }
        }
        // A stable order by depth: a mount below another must come after it.
        return result.enumerated().sorted { left, right in
            let depths = (depth(left.element), depth(right.element))
            return depths.0 == depths.1 ? left.offset < right.offset : depths.0 < depths.1
        }.map(\.element)
    }

    private static func depth(_ mount: Spec.Mount) -> Int { mount.destination.split(separator: "/").count }

    /// docker's defaults, each of which an option of the user's can turn round.
    static func tmpfsOptions(_ options: [String]) -> [String] {
        let opposites = ["noexec": "exec", "nosuid": "suid", "nodev": "dev", "rw": "ro"]
        let defaults = ["rw", "nosuid", "nodev", "noexec"].filter { name in
            !options.contains(name) && !options.contains(opposites[name] ?? name)
        }
        return defaults + options
    }
}
