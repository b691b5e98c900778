internal import Runtime
internal import Sys

/// What a `run` spends its time on, in order.
package enum RunPhase: String, Sendable, Hashable, CaseIterable {
    case load, resolve, spec, store, network, files, plan, clone, mounts, exec, container
    case cleanUp = "clean-up"

    /// What is done in it, for the user.
    package var meaning: String {
        switch self {
        case .load: "load the program, read command line and configuration (CPU time)"
        case .resolve: "find the image and its layers, or pull them"
        case .spec: "decide the container: name, user, mounts, limits"
        case .store: "make its directories and its record"
        case .network: "bring it onto its networks"
        case .files: "make its cgroup, its generated files and its volumes"
        case .plan: "compile the launch: mounts, capabilities, seccomp filter"
        case .clone: "clone the monitor and the process with its namespaces"
        case .mounts: "mount its files and enter its root"
        case .exec: "give up rights, execute the command"
        case .container: "the command itself"
        case .cleanUp: "record the end, remove what was made"
        }
    }
}

/// Takes the time of a `run`, phase by phase, where the user asked for that.
final class Timeline {
    /// Nanoseconds of each phase that came to its end.
    private(set) var spent: [RunPhase: Int64] = [:]
    /// Where the child notes its times.
    let clock: LaunchClock
    private var last = Clock.monotonicNanoseconds

    init() throws(EngineError) {
        clock = try runtime { () throws(RuntimeError) in try LaunchClock() }
        // The start of a process is known to ten milliseconds only.
        spent[.load] = Clock.processNanoseconds
    }

    /// `phase` ends here; what was before it has ended at the mark before.
    func mark(_ phase: RunPhase) { mark(phase, at: Clock.monotonicNanoseconds) }

    /// The command was executed; by the child's own notes, how long it took to come there.
    func markExec() {
        if let begun = clock.begun { mark(.clone, at: begun) }
        if let rooted = clock.rooted { mark(.mounts, at: rooted) }
        mark(.exec)
    }

    private func mark(_ phase: RunPhase, at time: Int64) {
        spent[phase, default: 0] += max(0, time - last)
        last = max(time, last)
    }
}
