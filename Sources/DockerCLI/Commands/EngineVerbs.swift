package import Engine
package import Logs

/// What the commands need of the engine. They throw when something failed.
package protocol EngineVerbs: ContainerVerbs, ImageVerbs, UsageVerbs, FileVerbs, ArchiveVerbs, AssemblyVerbs,
    VolumeVerbs, NetworkVerbs, NameVerbs, RegistryVerbs, ImageFileVerbs
{
    func run(_ request: RunRequest, observer: (EngineEvent) -> Void) throws -> RunOutcome
    /// Why each was not had; nil for those that were.
    func pull(_ requests: [PullRequest], observer: (Int, EngineEvent) -> Void) throws -> [EngineError?]
    func events(
        _ query: EventQuery, outputs: [Int32], take: @escaping (Event) -> Bool, notice: @escaping (LogNotice) -> Void)
        throws
    /// Absolute.
    var dataRoot: String { get }
    func info() throws -> SystemInfo
    func version() -> VersionInfo
}

/// The verbs on volumes.
package protocol VolumeVerbs {
    func createVolume(_ name: String?, labels: [String: String]) throws -> VolumeDetails
    func volume(named name: String) throws -> VolumeDetails
    func allVolumes() throws -> [VolumeDetails]
    func removeVolume(_ name: String) throws
    func pruneVolumes(_ names: [String]) throws -> Reclaimed
}

/// The verbs on containers that are there. Names may be names, IDs or the beginnings of IDs.
package protocol ContainerVerbs {
    func create(_ request: RunRequest, observer: (EngineEvent) -> Void) throws -> ContainerRecord
    func container(named text: String) throws -> ContainerRecord
    func condition(of record: ContainerRecord) -> ContainerCondition
    func list() throws -> [ListedContainer]
    func summaries(_ scope: SummaryScope, problem: (String) -> Void) throws -> [ContainerSummary]
    func details(of name: String, withSize: Bool) throws -> ContainerDetails
    func start(_ name: String) throws
    func startAttached(
        _ name: String, input: Bool, options: AttachOptions, observer: (EngineEvent) -> Void
    ) throws -> RunOutcome
    func attach(_ name: String, input: Bool, options: AttachOptions) throws -> RunOutcome
    func stop(_ name: String, signal: String?, timeout: Int?) throws
    func stopUntilBoot(_ name: String, signal: String?, timeout: Int?) throws
    func restart(_ name: String, signal: String?, timeout: Int?) throws
    func kill(_ name: String, signal: String?) throws
    /// Why each was not removed; nil for those that were.
    func remove(_ names: [String], force: Bool, volumes: Bool) -> [EngineError?]
    /// At the end of a prune of containers; those of images and volumes do it themselves.
    func notePrune(_ type: String, reclaimed: Int64)
    func rename(_ name: String, to newName: String) throws
    func wait(_ name: String, for conditions: [WaitCondition], interval: Int64?) throws -> Int32
    func logs(_ request: LogsRequest, observer: any LogsObserver) throws
    func exec(_ name: String, _ options: ExecOptions) throws -> RunOutcome
    func concludeForMonitor(_ id: String) throws
    func checkHealthForMonitor(_ id: String) throws -> UInt32
    func checkHealth(_ name: String) throws -> ContainerHealth.Result
    func deleteGarbage() throws
}

/// An error that may know its exit code (126, 127); nil takes the command's own.
package protocol ExitCodeError: Error {
    var exitCode: Int32? { get }
}

/// An error that may say that what was named is not there.
package protocol MissingObjectError: Error {
    var isMissingObject: Bool { get }
}

extension Engine: EngineVerbs {}
extension EngineError: ExitCodeError {}
extension EngineError: MissingObjectError {}
