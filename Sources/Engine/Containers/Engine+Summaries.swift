internal import Cgroups
internal import Images
package import OCI
internal import Sys

/// What a list asks for.
package struct SummaryScope: Sendable, Hashable {
    /// Also those that do not run.
    package var all: Bool
    /// What each takes of the disk: a walk through its layer.
    package var sizes: Bool

    package init(all: Bool = true, sizes: Bool = false) {
        self.all = all
        self.sizes = sizes
    }
}

extension Engine {
    /// Containers, newest first, as lists show them. A record that can't be read hides no other; `problem` is told of it.
    package func summaries(
        _ scope: SummaryScope, problem: (String) -> Void
    ) throws(EngineError) -> [ContainerSummary] {
        let seen = look().served
        let served = Dictionary(seen.map { ($0.id, $0) }) { first, _ in first }
        // What runs or waits for its next start is served: without the others there is nothing else to read.
        let ids = scope.all ? try containers.identifiers() : seen.map(\.id)
        let manager = seen.isEmpty ? nil : try? cgroupManager()
        let looked = SideBySide.map(ids.count) { look(at: ids[$0], served[ids[$0]], scope, manager) }
        var found: [ContainerSummary] = []
        for (summary, damage) in looked {
            if let damage { problem(damage) }
            if let summary { found.append(summary) }
        }
        if found.contains(where: { !$0.networks.isEmpty }) {
            let names = networkNamesByID()
            for index in found.indices { found[index].nameNetworks(names) }
        }
        return found.sorted { ($0.created, $0.id) > ($1.created, $1.id) }
    }

    /// The ID of the image that is named; nil when it is not here.
    package func imageID(named name: String) throws(EngineError) -> Digest? { try find(name)?.id }

    /// One container, where it is asked for, and what is wrong with its files. Called from several threads.
    private func look(
        at id: String, _ entry: SeenEntry?, _ scope: SummaryScope, _ manager: CgroupManager?
    ) -> (ContainerSummary?, String?) {
        guard var summary = containers.summary(id) else { return (nil, containers.damage(of: id).map { "\($0)" }) }
        var damage: String?
        var state: UInt8?
        // It may have been entered since.
        if entry != nil || summary.state.isUnderWay {
            (summary.condition, state) = condition(of: id, recorded: summary.state.status, entry?.glance)
            if summary.condition == .starting { damage = live.damage(of: id).map { "\($0)" } }
        }
        if summary.condition.isRunning { complete(&summary, manager, state) }
        if !scope.all, !summary.condition.isRunning, summary.condition != .restarting { return (nil, damage) }
        if scope.sizes { summary.size = size(of: id, image: summary.image) }
        return (summary, damage)
    }

    /// As `condition(of:recorded:)`, where what was seen of the entry a moment ago is good enough, and the state of the
    /// first process where that was looked at.
    private func condition(
        of id: String, recorded status: ContainerRecord.State.Status, _ glance: EntryGlance?
    ) -> (ContainerCondition, state: UInt8?) {
        if status == .running, let glance, let process = glance.process,
            let seen = ProcessStatus.look(at: process.pid), seen.startTime == process.startTime
        {
            return (.running(pid: process.pid, startedAt: glance.startedAt ?? ""), seen.state)
        }
        return (condition(of: id, recorded: status), nil)
    }

    private func complete(_ summary: inout ContainerSummary, _ manager: CgroupManager?, _ state: UInt8?) {
        if case .running(_, let startedAt) = summary.condition, !startedAt.isEmpty {
            summary.state.startedAt = startedAt
        }
        summary.isPaused = isPaused(summary.id, manager, state)
        if summary.publishesAll || !summary.bindings.isEmpty {
            summary.published = live.state(of: summary.id)?.published ?? []
        }
        if summary.isChecked { summary.health = live.health(of: summary.id)?.status ?? .starting }
    }

    /// Whether the container's processes stand still.
    ///
    /// - Parameter state: the first one's, where that is known.
    func isPaused(_ id: String, _ manager: CgroupManager?, _ state: UInt8? = nil) -> Bool {
        let manager = rootless == nil ? manager : try? cgroupManager(of: id)
        return (try? manager?.isFrozen(path: Engine.cgroupPath(id), state: state)) ?? false
    }

    /// nil where it can't be told, as for a container that is just removed.
    func size(of id: String, image: Digest) -> ContainerSize? {
        guard let own = try? DiskUsage.ofTree(containers.upper(id)) else { return nil }
        let below = (try? find(image.description))?.size ?? 0
        return ContainerSize(own: own, whole: own.addingReportingOverflow(below).partialValue)
    }
}

extension ContainerStore {
    /// What lists show of a container; nil where its record can't be read. As recorded: whoever is entered may run.
    func summary(_ id: String) -> ContainerSummary? {
        guard let bytes = try? File.readRecord("\(directory(id))/config.json", limit: 64 << 20),
            var summary = ContainerSummary(record: bytes), summary.id == id
        else { return nil }
        summary.condition = summary.state.status == .created ? .created : .exited
        return summary
    }

    /// What is wrong with a record that can't be used; nil where there is none (any more).
    func damage(of id: String) -> EngineError? {
        do throws(EngineError) {
            _ = try load(id)
            return nil
        } catch .system(let failure) where failure.errno == .noEntry {
            return nil
        } catch {
            return error
        }
    }
}
