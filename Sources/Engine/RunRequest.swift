package import OCI

/// What the user asked of `run` or `create`: flags in order and as typed, checked for form only. Parsing touches no disk, so files
/// named here (env files, seccomp profiles) are read by the engine.
package struct RunRequest: Sendable, Hashable {
    package var image: String
    /// What is run instead of an image; `image` is its name then.
    package var rootDirectory: RootDirectory?
    /// What stands behind IMAGE; empty takes the image's own command.
    package var command: [String] = []
    package var name: String?
    package var interactive = false
    package var terminal = false
    package var remove = false
    package var useInit = false
    /// The OCI runtime by name or path; nil: the configured one or our own.
    package var runtime: String?
    package var readOnly = false
    package var quiet = false
    package var dryRun = false
    /// Whether it is told where the time went; of no use in a record.
    package var timing: Bool?
    /// Whether the command returns as soon as the container runs (`-d`).
    package var detach = false
    /// Which streams the command connects; nil: output and error, and input where it is interactive.
    package var attach: AttachedStreamSet?
    /// The key sequence that detaches; nil: the configured or docker's.
    package var detachKeys: String?
    package var signalProxy = true
    package var containerIDFile: String?
    package var pull = PullPolicy.missing
    package var platform: Platform?
    /// For the pull; nil, as in older records: none.
    package var registryRules: RegistryRules?
    /// For the pull, and never recorded: it may hold a password.
    package var registryAccess: RegistryAccess?
    package var process = ProcessOptions()
    package var isolation = IsolationOptions()
    package var resources = ResourceOptions()
    package var lifecycle = LifecycleOptions()
    /// nil, as in older records: nothing asked.
    package var networking: NetworkOptions?
    package var log = LogOptions()
    package var mounts: [MountRequest] = []
    /// Containers whose volumes are taken over: NAME[:ro|rw].
    package var volumesFrom: [String] = []
    package var devices: [DeviceRequest] = []

    package enum PullPolicy: String, Sendable, Hashable, CaseIterable { case always, missing, never }

    package init(image: String) { self.image = image }
}

/// What the process in the container is given.
package struct ProcessOptions: Sendable, Hashable {
    /// In order; a later one wins over an earlier one of the same name, and all win over files.
    package var environment: [EnvironmentEntry] = []
    package var environmentFiles: [String] = []
    /// nil: the image's; an empty list: none (`--entrypoint ""`).
    package var entrypoint: [String]?
    package var workingDirectory: String?
    /// `USER[:GROUP]` by name or number.
    package var user: String?
    package var additionalGroups: [String] = []
    package var hostname: String?
    package var domainname: String?
    package var stopSignal: String?
    package var ulimits: [Spec.Rlimit] = []
    package var labels: [EnvironmentEntry] = []
    package var labelFiles: [String] = []
    package var annotations: [EnvironmentEntry] = []

    package init() {}
}

/// `KEY=VALUE`, or `KEY` alone, which takes the caller's value and is left out where the caller has none.
package struct EnvironmentEntry: Sendable, Hashable {
    package internal(set) var name: String
    package internal(set) var value: String?

    package init(name: String, value: String?) {
        self.name = name
        self.value = value
    }
}

/// Namespaces and privileges.
package struct IsolationOptions: Sendable, Hashable {
    package var network = NetworkMode.bridge
    /// Set when `--network` was given, so that the default can say what it lacks.
    package var networkAsked = false
    package var pid = NamespaceMode.own
    package var ipc = IPCMode.isolated
    package var uts = NamespaceMode.own
    package var privileged = false
    /// Upper case with `CAP_`, or `ALL`.
    package var addedCapabilities: [String] = []
    package var droppedCapabilities: [String] = []
    package var capabilityProfile = CapabilityProfile.runimg
    /// nil: as the configuration says.
    package var noNewPrivileges: Bool?
    package var seccomp = SeccompChoice.standard
    /// Key and value as given, in order.
    package var sysctls: [EnvironmentEntry] = []

    package enum CapabilityProfile: String, Sendable, Hashable, CaseIterable { case runimg, docker, podman }
    package enum SeccompChoice: Sendable, Hashable {
        case standard
        case unconfined
        case profile(path: String)
    }

    package init() {}
}

/// Limits, in the units of the OCI runtime spec.
package struct ResourceOptions: Sendable, Hashable {
    /// Bytes.
    package var memory: Int64?
    package var memoryReservation: Int64?
    /// Memory and swap together, bytes; -1 is unlimited.
    package var memorySwap: Int64?
    /// Billionths of a CPU.
    package var nanoCPUs: Int64?
    /// Microseconds; with `cpuQuota` another way to say `nanoCPUs`.
    package var cpuPeriod: Int64?
    /// Microseconds of CPU time a period; -1 is unlimited.
    package var cpuQuota: Int64?
    package var cpuShares: UInt64?
    package var cpusetCPUs: String?
    package var cpusetMems: String?
    /// nil: the default; 0 or -1: unlimited.
    package var pidsLimit: Int64?
    /// 10 to 1000.
    package var blockIOWeight: UInt16?
    /// Bytes.
    package var shmSize: Int64?

    package init() {}
}

/// One `-v`, `--mount` or `--tmpfs`.
package struct MountRequest: Sendable, Hashable {
    package enum Kind: Sendable, Hashable {
        /// A host path, made when missing if `create` (`-v` does, `--mount` does not).
        case bind(source: String, create: Bool)
        /// A named volume.
        case volume(name: String)
        /// An anonymous volume.
        case anonymousVolume
        case tmpfs(options: [String])
    }

    package var kind: Kind
    package var target: String
    package var readOnly = false
    /// `rprivate`, `private`, `rshared`, `shared`, `rslave`, `slave`.
    package var propagation: String?
    /// Whether an empty volume is filled from the image (`nocopy` says no).
    package var copyUp = true

    package init(kind: Kind, target: String) {
        self.kind = kind
        self.target = target
    }
}

/// One `--device HOST[:CONTAINER[:rwm]]`.
package struct DeviceRequest: Sendable, Hashable {
    package var source: String
    package var target: String
    package var permissions: String

    package init(source: String, target: String, permissions: String = "rwm") {
        self.source = source
        self.target = target
        self.permissions = permissions
    }
}
