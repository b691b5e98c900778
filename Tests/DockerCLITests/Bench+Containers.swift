import DockerCLI
import Engine

/// The verbs on containers: none is expected unless a test says so.
extension RecordingEngine: ContainerVerbs {
    private var unexpected: PlainFailure { PlainFailure(description: "not expected") }

    func create(_ request: RunRequest, observer: (EngineEvent) -> Void) throws -> ContainerRecord { throw unexpected }
    func container(named text: String) throws -> ContainerRecord { throw unexpected }
    func condition(of record: ContainerRecord) -> ContainerCondition { .exited }
    func list() throws -> [ListedContainer] { [] }
    func start(_ name: String) throws { throw unexpected }
    func startAttached(
        _ name: String, input: Bool, options: AttachOptions, observer: (EngineEvent) -> Void
    ) throws -> RunOutcome { throw unexpected }
    func attach(_ name: String, input: Bool, options: AttachOptions) throws -> RunOutcome { throw unexpected }
    func stop(_ name: String, signal: String?, timeout: Int?) throws { throw unexpected }
    func kill(_ name: String, signal: String?) throws { throw unexpected }
    func remove(_ name: String, force: Bool, volumes: Bool) throws { throw unexpected }
    func rename(_ name: String, to newName: String) throws { throw unexpected }
    func wait(_ name: String) throws -> Int32 { throw unexpected }
    func logs(_ request: LogsRequest, observer: any LogsObserver) throws {
        asked.append(request)
        for (entry, source) in logged where !observer.take(entry, of: source) { return }
    }
    func exec(_ name: String, _ options: ExecOptions) throws -> Int32 { throw unexpected }
    func concludeForMonitor(_ id: String) throws { throw unexpected }
}
