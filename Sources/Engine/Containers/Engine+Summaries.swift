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
        sweep()
        let entered = live.entered()
        let manager = entered.isEmpty ? nil : try? cgroupManager()
        var found: [ContainerSummary] = []
        // What runs or waits for its next start is entered: without the others there is nothing else to read.
        for id in scope.all ? try containers.identifiers() : Array(entered) {
            guard var summary = containers.summary(id) else {
                if let damage = containers.damage(of: id) { problem("\(damage)") }
                continue
            }
            if entered.contains(id) { summary.condition = condition(of: id, recorded: summary.state.status) }
            if summary.condition == .starting, let damage = live.damage(of: id) { problem("\(damage)") }
            if summary.condition.isRunning { complete(&summary, manager) }
            if !scope.all, !summary.condition.isRunning, summary.condition != .restarting { continue }
            if scope.sizes { summary.size = size(of: id, image: summary.image) }
            found.append(summary)
        }
        if found.contains(where: { !$0.networks.isEmpty }) {
            let names = networkNamesByID()
            for index in found.indices { found[index].nameNetworks(names) }
        }
        return found.sorted { ($0.created, $0.id) > ($1.created, $1.id) }
    }

    /// The ID of the image that is named; nil when it is not here.
    package func imageID(named name: String) throws(EngineError) -> Digest? { try find(name)?.id }

    private func complete(_ summary: inout ContainerSummary, _ manager: CgroupManager?) {
        if case .running(_, let startedAt) = summary.condition, !startedAt.isEmpty {
            summary.state.startedAt = startedAt
        }
        summary.isPaused = isPaused(summary.id, manager)
        if summary.publishesAll || !summary.bindings.isEmpty {
            summary.published = live.state(of: summary.id)?.published ?? []
        }
        if summary.isChecked { summary.health = live.health(of: summary.id)?.status ?? .starting }
    }

    /// Whether the container's processes stand still.
    func isPaused(_ id: String, _ manager: CgroupManager?) -> Bool {
        let manager = rootless == nil ? manager : try? cgroupManager(of: id)
        let group = try? manager?.open(path: Engine.cgroupPath(id))
        return (try? group?.isFrozen()) ?? false
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
        guard let bytes = try? File.readAll("\(directory(id))/config.json"),
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
