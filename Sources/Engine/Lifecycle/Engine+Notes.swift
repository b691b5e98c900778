internal import Images
internal import Logs
internal import OCI
internal import Sys

/// What commands note in the event log: docker's actions with docker's attributes.
extension Engine {
    func note(_ action: String, _ record: ContainerRecord, _ details: [String: String] = [:]) {
        var attributes = record.labels
        attributes["image"] = record.imageName
        attributes["name"] = record.name
        attributes.merge(details) { $1 }
        eventLog.append(Event("container", action, actor: record.id, attributes: attributes))
    }

    /// The end of a container's process.
    func noteEnd(_ record: ContainerRecord, exitCode: Int32, of process: LiveState.Process?) {
        if record.state.oomKilled { note("oom", record) }
        let seconds = (process.map { ProcessStatus.age(startTime: $0.startTime) } ?? 0) / 1_000_000_000
        note("die", record, ["execDuration": "\(seconds)", "exitCode": "\(exitCode)"])
    }

    func notePull(_ name: Reference) {
        eventLog.append(
            Event("image", "pull", actor: name.familiar, attributes: ["name": name.familiarRepository]))
    }

    /// The removal of an image's names, and of the image itself.
    func noteRemoval(of image: Digest, _ lines: [ImageRemoval]) {
        for line in lines {
            let action: String
            switch line {
            case .untagged: action = "untag"
            case .deleted(let digest):
                // Its layers are told as well, and are no images.
                if digest != image { continue }
                action = "delete"
            }
            eventLog.append(
                Event("image", action, actor: image.description, attributes: ["name": image.description]))
        }
    }
}
