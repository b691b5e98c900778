internal import Cgroups
internal import Glibc
internal import Images
package import OCI
internal import Sys

/// A container as far as somebody who types its name wants to know it.
package struct NamedContainer: Sendable, Hashable {
    package var id: String
    package var name: String
    /// As the user typed it.
    package var imageName: String
    /// It lives, or waits for its next start.
    package var isRunning = false
    package var isPaused = false

    package init(id: String, name: String, imageName: String) {
        self.id = id
        self.name = name
        self.imageName = imageName
    }
}

/// A name in a directory of a container.
package struct NamedFile: Sendable, Hashable {
    package var name: String
    package var isDirectory: Bool

    package init(name: String, isDirectory: Bool) {
        self.name = name
        self.isDirectory = isDirectory
    }
}

/// What can be typed for a name. Asked at every press of a key, beside whatever else runs: so nothing is cleaned up, no
/// lock is taken, nothing waits, and what can't be read is not there.
extension Engine {
    /// `withPauses` asks the kernel for one state more.
    package func containerNames(withPauses: Bool) -> [NamedContainer] {
        let entered = live.entered()
        let manager = withPauses && !entered.isEmpty ? try? cgroupManager() : nil
        return ((try? containers.identifiers()) ?? []).compactMap { id in
            guard let summary = containers.summary(id) else { return nil }
            var container = NamedContainer(id: id, name: summary.name, imageName: summary.imageName)
            container.isRunning =
                entered.contains(id) && (summary.state.status == .restarting || hasProcess(id))
            container.isPaused = withPauses && container.isRunning && isPaused(id, manager)
            return container
        }.sorted { $0.name < $1.name }
    }

    /// Names with a tag, as docker prints them, and what they stand for.
    package func imageNames() -> [(name: String, id: Digest)] { images.tagNames() }

    package func volumeNames() -> [String] { ((try? volumes.names()) ?? []).sorted() }

    /// The names in a directory of a running container, none of any other; a bounded number.
    package func entries(of directory: String, inContainer name: String) -> [NamedFile] {
        guard let record = try? container(named: name), let root = try? runningRoot(of: record),
            let opened = try? FileView.container(root.raw).open(directory, O_RDONLY | O_DIRECTORY | O_NONBLOCK),
            let entries = try? Directory.entries(opened.raw)
        else { return [] }
        return entries.prefix(2000).map { NamedFile(name: $0.name, isDirectory: Int32($0.type) == DT_DIR) }
            .sorted { $0.name < $1.name }
    }

    private func hasProcess(_ id: String) -> Bool {
        guard let process = live.state(of: id)?.process else { return false }
        return ProcessStatus.startTime(process.pid) == process.startTime
    }
}
