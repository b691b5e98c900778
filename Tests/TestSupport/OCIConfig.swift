package import OCI

/// A container's config.json, as a tree: what a runtime is told does not depend on how we read or write it.
package struct OCIConfig: Sendable {
    package var document: JSONValue

    /// The value at a path such as `process.user.uid`; nil takes it away.
    package subscript(path: String) -> JSONValue? {
        get { document[path: path] }
        set { document[path: path] = newValue }
    }

    package mutating func append(_ path: String, _ value: JSONValue) {
        self[path] = .array((self[path]?.array ?? []) + [value])
    }

    package mutating func mount(_ destination: String, _ type: String, _ source: String, _ options: String...) {
        append(
            "mounts",
            [
                "destination": .string(destination), "type": .string(type), "source": .string(source),
                "options": JSONValue(options),
            ])
    }

    package mutating func removeMount(_ destination: String) {
        self["mounts"] = .array(
            (self["mounts"]?.array ?? []).filter { $0["destination"]?.string != destination })
    }

    /// The namespace of a kind: new, joined by path, or the caller's.
    package enum Namespace { case new, joined(String), absent }

    package mutating func namespace(_ kind: String, _ state: Namespace) {
        var all = (self["linux.namespaces"]?.array ?? []).filter { $0["type"]?.string != kind }
        switch state {
        case .new: all.append(["type": .string(kind)])
        case .joined(let path): all.append(["type": .string(kind), "path": .string(path)])
        case .absent: break
        }
        self["linux.namespaces"] = .array(all)
    }

    /// A user namespace whose users 0 to 65535 are the host's from `first` on.
    package mutating func userNamespace(first: Int = 100_000) {
        namespace("user", .new)
        let map: JSONValue = [["containerID": 0, "hostID": JSONValue(first), "size": 65536]]
        self["linux.uidMappings"] = map
        self["linux.gidMappings"] = map
        // Its owner is no user of the container's, who mayn't mount the host's.
        self["mounts"] = .array((self["mounts"]?.array ?? []).filter { $0["type"]?.string != "cgroup" })
    }

    package mutating func hook(_ kind: String, _ script: String, timeout: Int? = nil) {
        var hook: JSONValue = [
            "path": "/bin/sh", "args": ["sh", "-c", .string(script)], "env": ["PATH=/usr/sbin:/usr/bin:/sbin:/bin"],
        ]
        if let timeout { hook[path: "timeout"] = JSONValue(timeout) }
        append("hooks.\(kind)", hook)
    }

    static let capabilities = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_MKNOD", "CAP_NET_RAW", "CAP_SETGID",
        "CAP_SETUID", "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL",
        "CAP_AUDIT_WRITE",
    ]

    /// What callers ask for by default.
    package init(cgroup: String) {
        let sets: JSONValue = [
            "bounding": JSONValue(OCIConfig.capabilities), "effective": JSONValue(OCIConfig.capabilities),
            "permitted": JSONValue(OCIConfig.capabilities),
        ]
        document = [
            "ociVersion": "1.0.2", "root": ["path": "rootfs"], "hostname": "oci-test",
            "process": [
                "args": ["true"], "env": ["PATH=/bin"], "cwd": "/", "user": ["uid": 0, "gid": 0], "capabilities": sets,
            ],
            "linux": [
                "cgroupsPath": .string(cgroup),
                "namespaces": [
                    ["type": "pid"], ["type": "mount"], ["type": "ipc"], ["type": "uts"], ["type": "network"],
                ],
            ],
        ]
        mount("/proc", "proc", "proc", "nosuid", "noexec", "nodev")
        mount("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k")
        mount("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620")
        mount("/dev/shm", "tmpfs", "shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k")
        mount("/sys", "sysfs", "sysfs", "nosuid", "noexec", "nodev", "ro")
    }
}
