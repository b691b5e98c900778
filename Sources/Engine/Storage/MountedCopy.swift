internal import Glibc
internal import Images
internal import OCI
internal import Sys

/// `mount` where nobody else would see a mount, or nothing can be mounted: a copy in the same place.
extension Engine {
    /// An ordinary user's mounts are seen in that user's namespace only.
    var copiesForUsers: Bool { rootless != nil || driver == .copyup }

    /// Makes a copy of the container's files, or keeps the one that it runs in, until `unmount`.
    func showCopy(_ record: ContainerRecord) throws(EngineError) {
        if try keepCopy(of: record) { return note("mount", record) }
        switch condition(of: record) {
        case .created, .exited: break
        case .running, .restarting:
            throw .conflict(
                "cannot mount container \(record.name): its files are mounted in a namespace of its own, and a copy would "
                    + "not show what it changes; cp copies files from it")
        case .starting, .ending:
            throw .conflict("container \(record.id) is being started or stopped by another command")
        }
        // Nobody starts it meanwhile.
        let entry = try live.enter(record.id, dataRoot: dataRoot, isNew: false)
        do throws(EngineError) {
            try tidyLeft(record.id, isOurs: true)
            try makeCopy(of: record, isMounted: true)
        } catch {
            try? entry.leave()
            throw error
        }
        try entry.leave()
        note("mount", record)
    }

    /// Copies an image's files to `point`, whole or not at all. What somebody changes there is nobody else's.
    func showCopy(_ image: Image, at point: String) throws(EngineError) {
        let layers = Array(image.layers.reversed().map(\.diff))
        try withCopy(of: layers, image.id.short) { path throws(EngineError) in
            try call("move the copy to", point) { () throws(Errno) in
                // In the place of the empty directory.
                try File.rename(path, to: point)
            }
        }
    }

    /// Whether an image's files were copied to `point`.
    func isCopy(_ point: String) -> Bool {
        (try? Directory.entries(point))?.isEmpty == false
    }

    /// Takes an image's copy away.
    func removeCopy(_ point: String) throws(EngineError) {
        try call("remove", point) { () throws(Errno) in
            // Half of it would be taken for a copy.
            let dead = "\(mountPoints)/copy-\(Random.hex(bytes: 8))"
            try Directory.make(dead, mode: 0o700)
            try File.rename(point, to: "\(dead)/tree")
            try Directory.removeTree(dead)
        }
    }
}
