package import OCI

/// All that a spec is made of. Everything that needs the disk has been looked up: making the spec is a pure function.
package struct SpecInputs: Sendable {
    package var request: RunRequest
    package var image: ImageConfig.Execution
    package var containerID: String
    package var user: ResolvedUser
    /// `KEY=VALUE`, files first.
    package var userEnvironment: [String]
    package var hostname: String
    package var files: GeneratedFiles
    package var mounts: [ResolvedMount]
    package var devices: [ResolvedDevice]
    package var seccomp: Spec.Seccomp?
    package var host: HostFacts

    package init(
        request: RunRequest, image: ImageConfig.Execution, containerID: String, user: ResolvedUser,
        userEnvironment: [String], hostname: String, files: GeneratedFiles, mounts: [ResolvedMount],
        devices: [ResolvedDevice], seccomp: Spec.Seccomp?, host: HostFacts
    ) {
        self.request = request
        self.image = image
        self.containerID = containerID
        self.user = user
        self.userEnvironment = userEnvironment
        self.hostname = hostname
        self.files = files
        self.mounts = mounts
        self.devices = devices
        self.seccomp = seccomp
        self.host = host
    }
}

/// The three files that every container gets, as paths on the host.
package struct GeneratedFiles: Sendable, Hashable {
    package var hosts: String
    package var hostname: String
    package var resolvConf: String

    package init(hosts: String, hostname: String, resolvConf: String) {
        self.hosts = hosts
        self.hostname = hostname
        self.resolvConf = resolvConf
    }
}

/// A user's mount whose source exists.
package struct ResolvedMount: Sendable, Hashable {
    package enum Source: Sendable, Hashable {
        /// An absolute path of the host.
        case path(String)
        case tmpfs(options: [String])
    }

    package var source: Source
    package var target: String
    package var readOnly: Bool
    package var propagation: String

    package init(source: Source, target: String, readOnly: Bool = false, propagation: String = "rprivate") {
        self.source = source
        self.target = target
        self.readOnly = readOnly
        self.propagation = propagation
    }
}

/// A device of the host, with the access that the container is granted.
package struct ResolvedDevice: Sendable, Hashable {
    package var device: Spec.Device
    package var access: String

    package init(device: Spec.Device, access: String) {
        self.device = device
        self.access = access
    }
}

/// What the spec depends on of the machine.
package struct HostFacts: Sendable, Hashable {
    /// The caller's hard limit of open files; the default limit never exceeds it.
    package var openFilesLimit: UInt64
    /// The caller's hard limit of a core file's bytes.
    package var coreLimit: UInt64
    /// Whether the pids controller is there: its default limit is left out where it is not.
    package var hasPidsController: Bool
    package var cpuCount: Int
    /// Directories that tell how hot each CPU is, and so what others compute on it: masked where the machine has them.
    package var thermalThrottles: [String] = []
    /// nil for root.
    package var rootless: Rootless?

    package init(openFilesLimit: UInt64, coreLimit: UInt64, hasPidsController: Bool, cpuCount: Int) {
        self.openFilesLimit = openFilesLimit
        self.coreLimit = coreLimit
        self.hasPidsController = hasPidsController
        self.cpuCount = cpuCount
    }
}
