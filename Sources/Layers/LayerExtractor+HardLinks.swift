internal import Sys

extension LayerExtractor {
    /// Links to what this layer has, or to a copy of what the layers below have. The name is not followed when it is a
    /// symbolic link; owner, mode and attributes of the header are not applied, they are the target's.
    func makeHardLink(_ entry: TarEntry, _ place: Place) throws(LayerError) {
        let target = try EntryPath(entry.linkName, limits: tree.limits)
        if target.isRoot { throw refused(entry, "a hard link to the root") }
        guard let parent = try tree.parent(target.parent, missing: .inherit) else { throw missing(entry) }
        let source = Place(directory: parent, name: target.base)
        if source.path == place.path { throw refused(entry, "a hard link to itself") }
        try prepare(source, entry)
        // From here on it is this layer's too, as its copy is where layers are kept apart.
        tree.touch(source.path)
        try tree.replacing("create hard link", place.name, place.path, in: place.directory) { () throws(Errno) in
            try File.link(source.name, at: source.directory.fd, to: place.name, at: place.directory.fd)
        }
    }

    private func missing(_ entry: TarEntry) -> LayerError {
        refused(entry, "its hard link target \"\(PathBytes.printable(entry.linkName))\" does not exist")
    }

    /// Sees to it that the target is a file of this layer.
    private func prepare(_ source: Place, _ entry: TarEntry) throws(LayerError) {
        let status: FileStatus
        do throws(Errno) {
            status = try File.status(source.name, at: source.directory.fd)
        } catch .noEntry {
            guard let found = try tree.lowerUnlessHidden(source.name, in: source.directory) else {
                throw missing(entry)
            }
            if found.status.isDirectory { throw refused(entry, "a hard link to a directory") }
            return try tree.copyUp(found, to: source.name, source.path, in: source.directory)
        } catch {
            throw .system(operation: "look at", entry: "/\(source.path)", error)
        }
        if status.isDirectory { throw refused(entry, "a hard link to a directory") }
        if try tree.isWhiteout(source.name, status, source.path, in: source.directory) { throw missing(entry) }
    }
}
