internal import Cgroups
internal import Glibc
internal import Network
internal import OCI
internal import Sys

/// What `/run/runimg/ID/state.json` says of a container that is served.
struct LiveState: Sendable, Hashable {
    static let currentVersion = 1

    /// Of this format; nil: the first.
    var version: Int? = LiveState.currentVersion
    var dataRoot: String
    /// Who made the entry. A monitor that takes over is told by the lock alone.
    var pid: Int32
    /// Made by the command that starts it for the first time: one that dies before leaves nothing worth keeping.
    var isNew: Bool
    var process: Process?
    /// What is mounted for it on the host and has to be settled at its end; nil: nothing.
    var driver: StorageDriver?
    /// When it was started, RFC 3339.
    var startedAt: String?
    /// Set where the end came and could not be recorded: the next command does that.
    var failure: Failure?
    /// Where an ordinary user's container has its cgroup.
    var cgroups: [CgroupLayout.Hierarchy]?
    /// Its places on networks, and the network namespace of the host that these are in (`NamespaceIdentity`).
    var endpoints: [Endpoint]?
    var networkNamespace: String?
    /// What of the host leads to it, and the process that holds that.
    var published: [PublishedPort]?
    var holder: Process?
    /// Its places on networks of CNI's, before anything is made of them.
    var attachments: [CNIAttachment]?
    /// The runtime that makes its processes, where that is not our own.
    var runtime: RuntimeChoice?
    /// Set where that process serves all of it, and the kernel none.
    var proxiesPorts: Bool?

    struct Failure: Sendable, Hashable {
        var exitCode: Int32
        var reason: String
    }

    /// The container's first process.
    struct Process: Sendable, Hashable {
        var pid: Int32
        /// Clock ticks since the boot.
        var startTime: UInt64
    }
}

/// What a command that ends a container writes into its entry.
enum StopMark: String {
    case stopped = ""
    /// It is to be started again, whatever `--rm` says.
    case kept
    /// It is removed then: its record need not survive a power cut.
    case going
}

/// One container that this process serves, or is about to hand to a monitor.
struct LiveContainer: ~Copyable {
    let path: String
    private let directory: OwnedFD
    private let lock: OwnedFD
    private(set) var state: LiveState

    /// A command of docker's kind stopped it: no policy starts it again.
    static let stopMark = "stopped"
    /// There while a program leads outward that watches it. Alone in a directory: pasta looks at the first only of several
    /// files that go at once.
    static let networkMark = "\(networkDirectory)/namespace"
    static let networkDirectory = "network"
    /// What another runtime is given, and has of it.
    static let bundleDirectory = "bundle"

    init(path: String, directory: consuming OwnedFD, lock: consuming OwnedFD, state: LiveState) {
        self.path = path
        self.directory = directory
        self.lock = lock
        self.state = state
    }

    /// The run directory, and the locked descriptor for whoever takes over.
    var directoryDescriptor: Int32 { directory.raw }
    var lockDescriptor: Int32 { lock.raw }

    /// Writes down which process the container's first is.
    mutating func record(
        _ process: LiveState.Process, startedAt: String, published: [PublishedPort]?, holder: LiveState.Process?
    ) throws(EngineError) {
        state.process = process
        state.startedAt = startedAt
        state.published = published
        state.holder = holder
        try write()
    }

    /// Writes down what is about to be mounted for it on the host.
    mutating func record(_ driver: StorageDriver?) throws(EngineError) {
        state.driver = driver
        try write()
    }

    /// Writes down which runtime is about to make it.
    mutating func record(_ runtime: RuntimeChoice) throws(EngineError) {
        state.runtime = runtime
        try write()
    }

    /// Writes down in which hierarchies the container gets a cgroup, before it does.
    mutating func record(_ cgroups: [CgroupLayout.Hierarchy]) throws(EngineError) {
        state.cgroups = cgroups
        try write()
    }

    /// Writes down a place on the host's networks, before anything is made of it.
    mutating func record(
        _ endpoints: [Endpoint], in namespace: String, _ published: [PublishedPort]?, proxies: Bool
    ) throws(EngineError) {
        state.endpoints = endpoints
        state.networkNamespace = namespace
        state.published = published
        state.proxiesPorts = proxies ? true : nil
        state.holder = nil
        try write()
    }

    /// Writes down places on networks of CNI's, and what was given there so far.
    mutating func record(
        _ attachments: [CNIAttachment], _ endpoints: [Endpoint], in namespace: String, _ published: [PublishedPort]
    ) throws(EngineError) {
        state.attachments = attachments
        state.endpoints = endpoints
        state.published = published
        state.networkNamespace = namespace
        state.proxiesPorts = nil
        state.holder = nil
        try write()
    }

    /// Leaves to the next command what nobody can be told now.
    mutating func record(_ failure: LiveState.Failure) throws(EngineError) {
        state.failure = failure
        try write()
    }

    /// Whole at any moment for whoever reads; gone with the machine, so not synced.
    borrowing func write() throws(EngineError) {
        let bytes = FieldWriter.line(state)
        let directory = directory.raw
        try call("write the state of", path) { () throws(Errno) in try LiveContainers.write(bytes, in: directory) }
    }

    /// Forgets the container, once nothing of it is left to clean up.
    consuming func leave() throws(EngineError) { try LiveContainers.forget(path) }
}
