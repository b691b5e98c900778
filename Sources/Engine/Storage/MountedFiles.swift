internal import Images
package import OCI
internal import Sys

/// Files that are mounted on the host.
package struct MountedFiles: Sendable, Hashable {
    package enum Owner: Sendable, Hashable {
        case container(id: String, name: String)
        case image(id: Digest, names: [String], digests: [Digest])
    }

    package var owner: Owner
    /// The main place first.
    package var places: [String]

    /// What `unmount` says is gone: podman's container by its name, and its image by its ID.
    package var title: String {
        switch owner {
        case .container(_, let name): name
        case .image(let id, _, _): id.hex
        }
    }

    /// A name that only this one has.
    package var id: String {
        switch owner {
        case .container(let id, _): id
        case .image(let id, _, _): id.hex
        }
    }
}

/// Whose files a command on mounts is about.
package enum MountScope: Sendable, Hashable {
    case containers
    case images
    case all
}

extension Engine {
    /// All that is mounted, containers first.
    package func mountedFiles(_ scope: MountScope) throws(EngineError) -> [MountedFiles] {
        let mounts = try HostMounts.read()
        var result: [MountedFiles] = []
        if scope != .images, let layers = try Engine.realPath(images.layout.layers) {
            for id in try containers.identifiers().sorted() {
                let point = "\(layers)/\(id)/merged"
                let isCopy = try copyMark(of: id)?.isMounted ?? false
                guard let places = mounts.mount(at: point).map(mounts.places) ?? (isCopy ? [point] : nil) else {
                    continue
                }
                let name = (try? containers.load(id))?.name ?? String(id.prefix(12))
                result.append(MountedFiles(owner: .container(id: id, name: name), places: places))
            }
        }
        guard scope != .containers, let points = try Engine.realPath(mountPoints) else { return result }
        let entries = try call("list", points) { () throws(Errno) in try Directory.entries(points) }
        for id in entries.map(\.name).sorted().compactMap({ Digest(sha256: $0) }) {
            let point = "\(points)/\(id.hex)"
            guard let places = mounts.mount(at: point).map(mounts.places) ?? (isCopy(point) ? [point] : nil) else {
                continue
            }
            let image = try? find(id.description)
            result.append(
                MountedFiles(
                    owner: .image(
                        id: id, names: image?.names.map(\.description) ?? [],
                        digests: image?.digests.compactMap(\.digest) ?? []),
                    places: places))
        }
        return result
    }
}
