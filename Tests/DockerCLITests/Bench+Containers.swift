import DockerCLI
import Engine
import OCI

/// The verbs on containers: none is expected unless a test says so.
extension RecordingEngine: ContainerVerbs {
    private var unexpected: PlainFailure { PlainFailure(description: "not expected") }

    func create(_ request: RunRequest, observer: (EngineEvent) -> Void) throws -> ContainerRecord { throw unexpected }
    func container(named text: String) throws -> ContainerRecord {
        guard let found = details[text] else { throw EngineError.noSuchContainer(text) }
        return found.record
    }
    func details(of name: String, withSize: Bool) throws -> ContainerDetails {
        guard var found = details[name] else { throw EngineError.noSuchContainer(name) }
        if withSize { found.size = ContainerSize(own: 7, whole: 1007) }
        return found
    }
    func createVolume(_ name: String?, labels: [String: String]) throws -> VolumeDetails {
        var volume = VolumeDetails(name: name ?? "anonymous", path: "/volumes", created: "2025-11-21T16:00:00Z")
        volume.labels = labels
        volumeList.append(volume)
        return volume
    }
    func volume(named name: String) throws -> VolumeDetails {
        guard let found = volumeList.first(where: { $0.name == name }) else { throw EngineError.noSuchVolume(name) }
        return found
    }
    func allVolumes() throws -> [VolumeDetails] { volumeList }
    func removeVolume(_ name: String) throws {
        let volume = try volume(named: name)
        if volume.isUsed { throw EngineError.conflict("remove \(name): volume is in use - [abc]") }
        volumeList.removeAll { $0.name == name }
    }
    func notePrune(_ type: String, reclaimed: Int64) { notedPrunes.append("\(type) \(reclaimed)") }
    func pruneVolumes(_ names: [String]) throws -> Reclaimed {
        var result = Reclaimed()
        result.names = names
        result.bytes = 1234
        return result
    }
    func condition(of record: ContainerRecord) -> ContainerCondition { .exited }
    func list() throws -> [ListedContainer] { [] }
    func summaries(_ scope: SummaryScope, problem: (String) -> Void) throws -> [ContainerSummary] {
        scopes.append(scope)
        return containers
    }
    func start(_ name: String) throws { verbs.append("start \(name)") }
    func startAttached(
        _ name: String, input: Bool, options: AttachOptions, observer: (EngineEvent) -> Void
    ) throws -> RunOutcome { throw unexpected }
    func attach(_ name: String, input: Bool, options: AttachOptions) throws -> RunOutcome { throw unexpected }
    func stop(_ name: String, signal: String?, timeout: Int?) throws { verbs.append("stop \(name)") }
    func restart(_ name: String, signal: String?, timeout: Int?) throws { verbs.append("restart \(name)") }
    func kill(_ name: String, signal: String?) throws { verbs.append("kill \(name)") }
    func stopUntilBoot(_ name: String, signal: String?, timeout: Int?) throws {
        verbs.append("stop until boot \(name)")
    }
    func remove(_ names: [String], force: Bool, volumes: Bool) -> [EngineError?] {
        names.map { name in
            guard containers.contains(where: { $0.id == name }), !force, !volumes else {
                return .conflict("not expected")
            }
            removedContainers.append(name)
            return nil
        }
    }
    func deleteGarbage() throws { throw unexpected }
    func rename(_ name: String, to newName: String) throws { throw unexpected }
    func wait(_ name: String, for conditions: [WaitCondition], interval: Int64?) throws -> Int32 {
        guard containers.contains(where: { $0.id == name || $0.name == name }) else {
            throw EngineError.noSuchContainer(name)
        }
        verbs.append("wait \(name) \(conditions.map(\.rawValue).joined(separator: ",")) \(interval ?? -1)")
        return 7
    }
    func logs(_ request: LogsRequest, observer: any LogsObserver) throws {
        asked.append(request)
        for (entry, source) in logged where !observer.take(entry, of: source) { return }
    }
    func exec(_ name: String, _ options: ExecOptions) throws -> RunOutcome { throw unexpected }
    func concludeForMonitor(_ id: String) throws { throw unexpected }
    func checkHealthForMonitor(_ id: String) throws -> UInt32 { throw unexpected }
    func checkHealth(_ name: String) throws -> ContainerHealth.Result { throw unexpected }
}
