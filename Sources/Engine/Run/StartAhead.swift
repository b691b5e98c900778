internal import Cgroups
internal import Glibc
internal import OCI
internal import Runtime
internal import Supervisor
internal import Sys

/// What a start needs that is decided by its draft alone, done by a second thread while its directories and networks are
/// made: its cgroup, and the plan. Begun when the entry is there, by which whoever finds it knows of the cgroup.
final class StartAhead {
    private struct Made: Sendable {
        var cgroup: Result<Cgroup, EngineError>
        /// nil where what is planned depends on what is made.
        var plan: Result<LaunchPlan, EngineError>?
    }

    private var streams: ContainerStreams?
    /// Where the namespace of its networks will be once there is one: the plan names it.
    private let place: OwnedFD?
    private let number: Int32?
    /// What was planned.
    private let draft: ContainerDraft
    private let made: Aside<Made>

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
        made = Aside {
            let cgroup = Result { () throws(EngineError) in
                try cgroups { () throws(CgroupError) in
                    try draft.manager.create(
                        path: draft.spec.linux.cgroupsPath ?? "", resources: draft.spec.linux.resources)
                }
            }
            guard isDecided else { return Made(cgroup: cgroup) }
            return Made(
                cgroup: cgroup, plan: Result { () throws(EngineError) in try engine.plan(planned, streams: ends) })
        }
        self.draft = planned
        self.streams = streams
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

    func cgroup() throws(EngineError) -> Cgroup { try made.value().cgroup.get() }

    /// The plan, if it is that of `planned`; nil where it has to be made.
    func plan(of planned: ContainerDraft) throws(EngineError) -> LaunchPlan? {
        guard planned.spec == draft.spec, planned.driver == draft.driver, planned.mounted == nil else { return nil }
        return try made.value().plan?.get()
    }

    /// Waits until nothing more is made.
    func wait() { _ = made.value() }
}
