internal import Glibc
internal import OCI
internal import Runtime
internal import Supervisor
internal import Sys

/// What a start needs that is decided by its draft alone: its pipes, and the plan, which a second thread compiles while
/// directories, cgroup and networks are made.
final class StartAhead {
    private var streams: ContainerStreams?
    /// Where the namespace of its networks will be once there is one: the plan names it.
    private var place: OwnedFD?
    private let number: Int32?
    /// What was planned.
    private let draft: ContainerDraft
    /// nil where what is planned depends on what is made.
    private let compiled: Aside<Compiled>?

    /// A `Result` asks the process for a conformance of its error's.
    private enum Compiled: Sendable {
        case plan(LaunchPlan)
        case failure(EngineError)
    }

    init(_ engine: Engine, _ draft: ContainerDraft, attached: Bool) throws(EngineError) {
        let record = draft.record
        let streams = try engine.makeStreams(record.request)
        if let place = try StartAhead.place(for: record.request.isolation.network) {
            number = place.raw
            self.place = consume place
        } else {
            number = nil
            place = nil
        }
        let planned = engine.planned(draft, namespace: number.map(StartAhead.path), attached: attached)
        let ends = ContainerStreams.ends(of: streams)
        // Another runtime, and files that a program mounts, are there when they have been made.
        let isDecided =
            record.runtime == nil && !engine.isEmulated && draft.mounted == nil
            && (draft.driver ?? engine.driver) == .overlay2
        compiled = isDecided ? Aside { StartAhead.compile(planned, engine, ends) } : nil
        self.draft = planned
        self.streams = streams
    }

    private static func compile(
        _ draft: ContainerDraft, _ engine: Engine, _ streams: (input: Int32, output: Int32, error: Int32)
    ) -> Compiled {
        do throws(EngineError) {
            return .plan(try engine.plan(draft, streams: streams))
        } catch {
            return .failure(error)
        }
    }

    /// Holds a number; nil for a network that nobody makes.
    private static func place(for network: NetworkMode) throws(EngineError) -> OwnedFD? {
        switch network {
        case .none, .host, .container: nil
        case .bridge, .named, .cni, .path, .user:
            try call("open", "/dev/null") { () throws(Errno) in try File.open("/dev/null", O_PATH) }
        }
    }

    private static func path(_ descriptor: Int32) -> String { "/proc/self/fd/\(descriptor)" }

    func takeStreams() -> ContainerStreams? { streams.take() }

    /// Puts the namespace where the plan looks for it; its path then.
    func settle(_ namespace: Int32) throws(EngineError) -> String {
        guard let number else { return StartAhead.path(namespace) }
        try call("keep", "the network namespace") { () throws(Errno) in
            _ = try check { dup3(namespace, number, O_CLOEXEC) }
        }
        return StartAhead.path(number)
    }

    /// Lets go of the namespace, once the container is in it: it lasts as long as that then.
    func leave() { place = nil }

    /// The plan, if it is that of `planned`; nil where it has to be made.
    func plan(of planned: ContainerDraft) throws(EngineError) -> LaunchPlan? {
        guard planned.spec == draft.spec, planned.driver == draft.driver, planned.mounted == nil else { return nil }
        switch compiled?.value() {
        case nil: return nil
        case .plan(let plan): return plan
        case .failure(let error): throw error
        }
    }
}
