import DockerCLI
import Engine
import OCI

/// Names are those of what else the recording engine has.
extension RecordingEngine: NameVerbs {
    func containerNames(withPauses: Bool) -> [NamedContainer] {
        containers.map { summary in
            var container = NamedContainer(id: summary.id, name: summary.name, imageName: summary.imageName)
            container.isRunning = summary.condition.isRunning || summary.condition == .restarting
            container.isPaused = withPauses && summary.isPaused
            return container
        }
    }

    func imageNames() -> [(name: String, id: Digest)] {
        summaries.flatMap { image in image.repoTags.map { (name: $0, id: image.id) } }
    }

    func volumeNames() -> [String] { volumeList.map(\.name) }

    func networkNames() -> [String] { networkList.map(\.record.name) }

    func entries(of directory: String, inContainer name: String) -> [NamedFile] {
        files["\(name):\(directory)"] ?? []
    }
}
