extension Spec {
    /// What `runc spec` begins a bundle with: a shell on a terminal in a read-only `rootfs`, confined.
    /// - Parameters:
    ///   - isRootless: for an ordinary user: a user namespace, the host's network, no limits. `uid` and `gid`, the user's
    ///     own, are root in it.
    package static func template(isRootless: Bool, uid: UInt32 = 0, gid: UInt32 = 0) -> Spec {
        var spec = Spec(process: .template, root: Root(path: "rootfs", readonly: true))
        spec.hostname = "runimg"
        spec.mounts = Mount.template(isRootless: isRootless)
        spec.linux.maskedPaths = [
            "/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
            "/proc/timer_stats", "/proc/sched_debug", "/sys/firmware", "/proc/scsi",
        ]
        spec.linux.readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
        let kinds: [Namespace.Kind] = [.pid, isRootless ? .user : .network, .ipc, .uts, .mount, .cgroup]
        spec.linux.namespaces = kinds.map { Namespace($0) }
        if isRootless {
            spec.linux.uidMappings = [IDMapping(containerID: 0, hostID: uid, size: 1)]
            spec.linux.gidMappings = [IDMapping(containerID: 0, hostID: gid, size: 1)]
        } else {
            spec.linux.resources.devices = [DeviceRule(allow: false, access: "rwm")]
        }
        return spec
    }
}

extension Spec.Process {
    fileprivate static var template: Spec.Process {
        var process = Spec.Process(args: ["sh"])
        process.terminal = true
        process.env = ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"]
        let capabilities = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
        process.capabilities.bounding = capabilities
        process.capabilities.effective = capabilities
        process.capabilities.permitted = capabilities
        process.rlimits = [Spec.Rlimit(type: "RLIMIT_NOFILE", soft: 1024, hard: 1024)]
        process.noNewPrivileges = true
        return process
    }
}

extension Spec.Mount {
    fileprivate static func template(isRootless: Bool) -> [Spec.Mount] {
        let closed = ["nosuid", "noexec", "nodev"]
        // Group 5 has no name in a user namespace of one id, and a new sysfs wants a network namespace of the same user's.
        let terminals =
            ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"] + (isRootless ? [] : ["gid=5"])
        let system =
            isRootless
            ? Spec.Mount(destination: "/sys", type: "none", source: "/sys", options: ["rbind"] + closed + ["ro"])
            : Spec.Mount(destination: "/sys", type: "sysfs", source: "sysfs", options: closed + ["ro"])
        return [
            Spec.Mount(destination: "/proc", type: "proc", source: "proc"),
            Spec.Mount(
                destination: "/dev", type: "tmpfs", source: "tmpfs",
                options: ["nosuid", "strictatime", "mode=755", "size=65536k"]),
            Spec.Mount(destination: "/dev/pts", type: "devpts", source: "devpts", options: terminals),
            Spec.Mount(
                destination: "/dev/shm", type: "tmpfs", source: "shm",
                options: closed + ["mode=1777", "size=65536k"]),
            Spec.Mount(destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: closed),
            system,
            Spec.Mount(
                destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
                options: closed + ["relatime", "ro"]),
        ]
    }
}
