package import OCI
internal import Sys

/// What is known of a container between the commands on it: `state.json` in its directory, beside a copy of its
/// `config.json`.
package struct ContainerState: Sendable, Hashable {
    package let id: String
    /// Of the container's first process, as our pid namespace sees it; 0 before there is one.
    package internal(set) var pid: Int32 = 0
    /// With `pid` it names a process for good, in clock ticks since the boot.
    var startTime: UInt64 = 0
    /// Absolute.
    package let bundle: String
    package let rootfs: String
    /// RFC 3339.
    package let created: String
    /// The user who made it.
    package let owner: UInt32
    /// Below the roots of the hierarchies; nil where it has no cgroup of its own.
    package internal(set) var cgroupPath: String?
    /// The unit whose cgroup that is; nil where no systemd keeps it.
    var unit: ContainerUnit?
    /// `create` is through with it.
    var isComplete = false
    package let ociVersion: String
    package let annotations: [String: String]

    var json: JSONValue {
        .members([
            "id": .string(id), "pid": .number(pid), "startTime": .number(startTime), "bundle": .string(bundle),
            "rootfs": .string(rootfs), "created": .string(created), "owner": .number(owner),
            "cgroupPath": cgroupPath.map { .string($0) }, "unit": unit?.json, "isComplete": .bool(isComplete),
            "ociVersion": .string(ociVersion), "annotations": .object(annotations.mapValues { .string($0) }),
        ])
    }

    init(
        id: String, bundle: String, rootfs: String, owner: UInt32, spec: Spec
    ) {
        self.id = id
        self.bundle = bundle
        self.rootfs = rootfs
        self.owner = owner
        created = Clock.timestamp
        ociVersion = spec.ociVersion
        annotations = spec.annotations ?? [:]
    }

    /// nil for what no command of ours has written.
    init?(_ json: JSONValue) {
        guard let id = json["id"]?.string, let pid = json["pid"]?.integer.flatMap({ Int32(exactly: $0) }), pid >= 0,
            let startTime = json["startTime"]?.integer.flatMap({ UInt64(exactly: $0) }),
            let bundle = json["bundle"]?.string, let rootfs = json["rootfs"]?.string,
            let created = json["created"]?.string,
            let owner = json["owner"]?.integer.flatMap({ UInt32(exactly: $0) }),
            let isComplete = json["isComplete"]?.bool, let version = json["ociVersion"]?.string,
            let annotations = json["annotations"]?.stringMap
        else { return nil }
        self.id = id
        self.pid = pid
        self.startTime = startTime
        self.bundle = bundle
        self.rootfs = rootfs
        self.created = created
        self.owner = owner
        self.isComplete = isComplete
        cgroupPath = json["cgroupPath"]?.string
        unit = json["unit"].flatMap { ContainerUnit($0) }
        ociVersion = version
        self.annotations = annotations
    }

    /// What goes with the listener of a filter (config-linux.md#containerprocessstate).
    func seccompReport(_ spec: Spec, _ pid: Int32, _ status: ContainerStatus) -> [UInt8] {
        let report = JSONValue.members([
            "ociVersion": .string(ociVersion), "fds": .array([.string("seccompFd")]), "pid": .number(pid),
            "metadata": spec.linux.seccomp?.listenerMetadata.map { .string($0) }, "state": self.report(status),
        ])
        return Array(report.text.utf8)
    }

    /// What `state` prints and hooks read (runtime.md#state), with the members that runc adds.
    package func report(_ status: ContainerStatus) -> JSONValue {
        .members([
            "ociVersion": .string(ociVersion), "id": .string(id), "status": .string(status.rawValue),
            "pid": .number(status == .stopped ? 0 : pid), "bundle": .string(bundle), "rootfs": .string(rootfs),
            "created": .string(created), "owner": .string(UserNames.name(of: owner)),
            "annotations": annotations.isEmpty ? nil : .object(annotations.mapValues { .string($0) }),
        ])
    }
}

/// runtime.md#state, and what `pause` adds to it.
package enum ContainerStatus: String, Sendable, Hashable {
    case creating, created, running, paused, stopped
}
