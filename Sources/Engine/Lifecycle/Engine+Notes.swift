internal import Images
internal import Logs
internal import OCI
internal import Sys

/// What commands note in the event log: docker's actions with docker's attributes.
extension Engine {
    func note(_ action: String, _ record: ContainerRecord, _ details: [String: String] = [:]) {
        eventLog.append([Engine.event(action, record, details)])
    }

    private static func event(
        _ action: String, _ record: ContainerRecord, _ details: [String: String] = [:]
    ) -> Event {
        var attributes = record.labels
        attributes["image"] = record.imageName
        attributes["name"] = record.name
        attributes.merge(details) { $1 }
        return Event("container", action, actor: record.id, attributes: attributes)
    }

    /// The start of a container's process, in one write with what came with it.
    func noteStart(_ record: ContainerRecord, attached: Bool) {
        var events = attached ? [Engine.event("attach", record)] : []
        for mount in record.mounts {
            guard case .volume(let name) = mount.kind else { continue }
            let details = [
                "container": record.id, "destination": mount.target, "propagation": mount.propagation ?? "",
                "read/write": "\(!mount.readOnly)",
            ]
            events.append(Engine.volumeEvent("mount", name, details))
        }
        eventLog.append(events + [Engine.event("start", record)])
    }

    /// The end of a container's process, in one write with what went with it.
    func noteEnd(_ record: ContainerRecord, exitCode: Int32, of process: LiveState.Process?) {
        eventLog.append(endEvents(record, exitCode: exitCode, of: process))
    }

    /// The same, to be written with what follows.
    func endEvents(_ record: ContainerRecord, exitCode: Int32, of process: LiveState.Process?) -> [Event] {
        var events = record.state.oomKilled ? [Engine.event("oom", record)] : []
        let seconds = (process.map { ProcessStatus.age(startTime: $0.startTime) } ?? 0) / 1_000_000_000
        let details = ["execDuration": "\(seconds)", "exitCode": "\(exitCode)"]
        events.append(Engine.event("die", record, details))
        for mount in record.mounts {
            guard case .volume(let name) = mount.kind else { continue }
            events.append(Engine.volumeEvent("unmount", name, ["container": record.id]))
        }
        return events
    }

    static func destruction(of record: ContainerRecord) -> Event { event("destroy", record) }

    /// A further process that is about to be executed.
    func noteExec(_ record: ContainerRecord, _ command: [String], exec id: String) {
        let line = command.joined(separator: " ")
        eventLog.append(
            ["exec_create", "exec_start"].map { Engine.event("\($0): \(line)", record, ["execID": id]) })
    }

    /// The end of a prune of containers, images, volumes or networks, in docker's words also of one that found nothing.
    package func notePrune(_ type: String, reclaimed: Int64) {
        eventLog.append([Event(type, "prune", actor: "", attributes: ["reclaimed": "\(reclaimed)"])])
    }

    func noteVolume(_ action: String, _ name: String) { eventLog.append([Engine.volumeEvent(action, name)]) }

    /// `connect` and `disconnect` tell whose.
    func noteNetwork(_ action: String, _ record: NetworkRecord, container: String? = nil) {
        var attributes = ["name": record.name, "type": record.driver.rawValue]
        attributes["container"] = container
        eventLog.append([Event("network", action, actor: record.id, attributes: attributes)])
    }

    private static func volumeEvent(_ action: String, _ name: String, _ details: [String: String] = [:]) -> Event {
        Event("volume", action, actor: name, attributes: ["driver": "local"].merging(details) { $1 })
    }
}

/// Events of images: their labels are attributes for as long as they are there.
extension Engine {
    /// `name` as the worker says it; one that is none, as that of an archive without names, is told by the ID.
    func notePull(_ image: Digest, name: String) {
        let labels = (try? find(image.description))?.config.config?.labels ?? [:]
        let reference = try? Reference(parsing: name)
        noteImage(
            "pull", actor: reference?.familiar ?? image.description,
            name: reference?.familiarRepository ?? image.description, labels)
    }

    func noteImage(_ action: String, actor: String, name: String, _ labels: [String: String] = [:]) {
        eventLog.append([Event("image", action, actor: actor, attributes: labels.merging(["name": name]) { $1 })])
    }

    /// The removal of an image's names, and of the image itself.
    func noteRemoval(of image: Image, _ lines: [ImageRemoval]) {
        let id = image.id.description
        for line in lines {
            switch line {
            case .untagged: noteImage("untag", actor: id, name: id, image.config.config?.labels ?? [:])
            // Its layers are told as well, and are no images.
            case .deleted(let digest): if digest == image.id { noteImage("delete", actor: id, name: id) }
            }
        }
    }
}
