internal import Cgroups
internal import Supervisor
internal import Sys

/// What a wait can be for: podman's states and the conditions of docker's API.
package enum WaitCondition: String, Sendable, Hashable, CaseIterable {
    case configured, created, exited, healthy, initialized, paused, removing, running, stopped, stopping, unhealthy
    case notRunning = "not-running"
    case nextExit = "next-exit"
    case removed

    /// Whether there is an exit code to tell then. podman's -1 stands for none.
    fileprivate var isEnd: Bool {
        switch self {
        case .exited, .stopped, .notRunning, .nextExit, .removed, .removing: true
        case .configured, .created, .healthy, .initialized, .paused, .running, .stopping, .unhealthy: false
        }
    }

    /// Only a container that is checked can be so.
    fileprivate var isHealth: Bool { self == .healthy || self == .unhealthy }

    /// Whether a container that is gone fulfils it.
    fileprivate var isRemoval: Bool { self == .removed || self == .removing }
}

extension Engine {
    /// Waits until one of `conditions` holds. Returns the container's exit code where it ended, and -1 where it did not.
    /// It is woken by what changes: the entry, the event log, the monitor's word. `interval` is the most time between two
    /// looks, nanoseconds; nil: two seconds, in case an event could not be noted.
    package func wait(
        _ name: String, for conditions: [WaitCondition] = [.notRunning], interval: Int64? = nil
    ) throws(EngineError) -> Int32 {
        let first = try container(named: name)
        if conditions.allSatisfy(\.isHealth), HealthCheck(first) == nil {
            throw .invalid("container \(first.id) has no defined healthcheck")
        }
        var watched = WatchedContainer(first)
        let news = StateNews(interval: interval)
        while true {
            // Before each look, so that nothing that comes after it is missed.
            news.watch(log: dataRoot, entries: [live.directory, live.path(of: first.id)])
            guard let record = try existing(first.id) else {
                // Whoever removed it has still to say how it ended.
                try hear(&watched, first, milliseconds: WatchedContainer.patience)
                return try goneExitCode(watched, conditions, name)
            }
            let now = condition(of: record)
            if now == .exited, record.state.isUnderWay {
                // Its end was recorded since the record was read, or its monitor died and nobody has recorded that yet.
                if try !settleLost(first.id) {
                    _ = try call("wait for", record.shortID) { () throws(Errno) in try news.wait(nil) }
                }
                continue
            }
            watched.see(record)
            if let met = conditions.first(where: { isMet($0, record, now, watched) }) {
                return met.isEnd ? watched.exitCode ?? 0 : -1
            }
            if now.isRunning, watched.monitor == nil { watched.monitor = try? live.connect(record.id) }
            let isSpokenTo = try call("wait for", record.shortID) { () throws(Errno) in
                try news.wait(watched.monitor)
            }
            if isSpokenTo { try hear(&watched, record, milliseconds: 0) }
        }
    }

    private func hear(
        _ watched: inout WatchedContainer, _ record: ContainerRecord, milliseconds: Int32
    ) throws(EngineError) {
        do throws(Errno) {
            try watched.hear(milliseconds: milliseconds)
        } catch {
            throw .system(SystemFailure("wait for the end of", record.shortID, error))
        }
    }

    /// Whether its processes stand still.
    private func stands(_ id: String) -> Bool { isPaused(id, try? cgroupManager(of: id)) }

    private func goneExitCode(
        _ watched: WatchedContainer, _ conditions: [WaitCondition], _ name: String
    ) throws(EngineError) -> Int32 {
        if watched.hasEnded, conditions.contains(where: \.isEnd) { return watched.exitCode ?? 0 }
        guard conditions.contains(where: \.isRemoval) else { throw .noSuchContainer(name) }
        return watched.exitCode ?? 0
    }

    private func isMet(
        _ wanted: WaitCondition, _ record: ContainerRecord, _ now: ContainerCondition, _ watched: WatchedContainer
    ) -> Bool {
        switch wanted {
        case .configured, .created: now == .created
        case .initialized: now == .starting
        case .running: now.isRunning && !stands(record.id)
        case .paused: now.isRunning && stands(record.id)
        case .healthy: now.isRunning && health(of: record)?.status == .healthy
        case .unhealthy: now.isRunning && health(of: record)?.status == .unhealthy
        case .stopping: now == .ending || now.isRunning && live.isMarkedStopped(record.id)
        case .exited, .stopped: now == .exited || watched.hasEnded
        case .notRunning: now == .created || now == .exited || watched.hasEnded
        case .nextExit: watched.hasEnded
        case .removing, .removed: false
        }
    }
}

/// What is known of a container's ends while it is waited for.
private struct WatchedContainer {
    private let formerEnd: String?
    /// Since the wait began; also one that a restart followed.
    private(set) var hasEnded = false
    private(set) var exitCode: Int32?
    /// Tells the exit code of a container whose record goes with it.
    var monitor: MonitorConnection?

    init(_ record: ContainerRecord) { formerEnd = record.state.finishedAt }

    mutating func see(_ record: ContainerRecord) {
        guard !hasEnded else { return }
        exitCode = record.state.exitCode
        // A start takes the time of the last end away.
        if let end = record.state.finishedAt, end != formerEnd { hasEnded = true }
    }

    /// How long the word of a monitor that is leaving is waited for, milliseconds.
    static let patience: Int32 = 10_000

    /// Takes what the monitor says; it is let go of then.
    mutating func hear(milliseconds: Int32) throws(Errno) {
        if let code = try monitor?.awaitEnd(milliseconds: milliseconds) {
            hasEnded = true
            exitCode = code
        }
        monitor = nil
    }
}

/// Wakes a wait when something about containers changes.
private struct StateNews {
    /// nil where the user has no inotify left.
    private let changes = try? DirectoryWatch()
    private let milliseconds: Int32

    init(interval: Int64?) {
        let most = interval.map { max(1, $0 / 1_000_000) } ?? (changes == nil ? 100 : 2000)
        milliseconds = Int32(clamping: most)
    }

    /// Forgets the news up to now. A directory that is not there yet comes with news of its parent.
    func watch(log: String, entries: [String]) {
        try? changes?.add(log)
        for directory in entries { try? changes?.add(directory, namesOnly: true) }
        changes?.drain()
    }

    /// True when the monitor has something to say, or is gone.
    func wait(_ monitor: MonitorConnection?) throws(Errno) -> Bool {
        var items = [
            PollItem(changes?.descriptor ?? -1, .readable), PollItem(monitor?.socketNumber ?? -1, .readable),
        ]
        try PollItem.wait(&items, milliseconds: milliseconds)
        return !items[1].ready.isEmpty
    }
}
