internal import Glibc
internal import OCI
internal import Sys

/// What a mount's source needs before it can be mounted.
enum MountPreparation {
    /// A volume, made when it is new; an empty one gets what the image has at `target` when `copyUp`.
    case volume(name: String, target: String, copyUp: Bool)
    /// A path of the host that must be there; made as a directory when `create`.
    case path(String, create: Bool)

    /// The name of a volume that was made.
    func carryOut(_ volumes: VolumeStore, _ seeder: VolumeSeeder) throws(EngineError) -> String? {
        switch self {
        case .volume(let name, let target, let copyUp):
            let isNew =
                copyUp ? try volumes.make(name, filledFrom: target, by: seeder) : try volumes.make(name)
            return isNew ? name : nil
        case .path(let path, let create):
            try MountPreparation.find(path, create: create)
            return nil
        }
    }

    private static func find(_ path: String, create: Bool) throws(EngineError) {
        do throws(Errno) {
            // Followed: the source is the user's, and may be a link.
            _ = try File.status(path, follow: true)
            return
        } catch .noEntry {
            guard create else {
                throw .invalid("invalid mount config for type \"bind\": bind source path does not exist: \(path)")
            }
        } catch {
            throw .system(SystemFailure("open the mount source", path, error))
        }
        try system { () throws(SystemFailure) in try Directory.makePath(path, mode: 0o755) }
    }
}

extension Engine {
    /// Settles the container's mounts: the user's, those of other containers, and the image's volumes that none of them
    /// covers. A volume without a name gets one, a path becomes absolute.
    func settleMounts(_ record: inout ContainerRecord) throws(EngineError) {
        var covered: Set<String> = []
        var mounts: [MountRequest] = []
        func add(_ request: MountRequest, to record: inout ContainerRecord) throws(EngineError) {
            var mount = request
            mount.target = try SpecBuilder.clean(request.target)
            switch request.kind {
            case .bind(let path, let create): mount.kind = .bind(source: try Engine.absolute(path), create: create)
            case .anonymousVolume:
                let name = VolumeStore.anonymousName()
                record.anonymousVolumes.append(name)
                mount.kind = .volume(name: name)
            case .volume(let name): try VolumeStore.check(name)
            case .tmpfs: break
            }
            covered.insert(mount.target)
            mounts.append(mount)
        }
        for request in record.request.mounts { try add(request, to: &record) }
        for mount in try borrowedMounts(record.request.volumesFrom) where !covered.contains(mount.target) {
            try add(mount, to: &record)
        }
        for target in (record.execution.volumes ?? [:]).keys.sorted() {
            let path = try SpecBuilder.clean(target)
            if path == "/" || covered.contains(path) { continue }
            try add(MountRequest(kind: .anonymousVolume, target: path), to: &record)
        }
        record.mounts = mounts
    }

    /// The volumes and paths of the containers that `--volumes-from` names.
    private func borrowedMounts(_ names: [String]) throws(EngineError) -> [MountRequest] {
        var result: [MountRequest] = []
        for text in names {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            let mode = parts.count > 1 ? parts[1] : ""
            guard ["", "ro", "rw", "z", "Z"].contains(mode) else {
                throw .invalid("invalid mode for volumes-from: \(mode)")
            }
            for mount in try container(named: String(parts[0])).mounts {
                if case .tmpfs = mount.kind { continue }
                var mount = mount
                if mode == "ro" { mount.readOnly = true }
                result.append(mount)
            }
        }
        return result
    }
}

/// Finds what settled mounts are made of. Touches nothing.
struct MountResolver {
    let volumes: VolumeStore
    private(set) var preparations: [MountPreparation] = []

    init(volumes: VolumeStore) { self.volumes = volumes }

    mutating func resolve(_ requests: [MountRequest]) throws(EngineError) -> [ResolvedMount] {
        var result: [ResolvedMount] = []
        for request in requests { result.append(try resolve(request)) }
        return result
    }

    private mutating func resolve(_ request: MountRequest) throws(EngineError) -> ResolvedMount {
        let source: ResolvedMount.Source
        switch request.kind {
        case .bind(let path, let create):
            preparations.append(.path(path, create: create))
            source = .path(path)
        case .volume(let name):
            // A record may be damaged.
            try VolumeStore.check(name)
            preparations.append(.volume(name: name, target: request.target, copyUp: request.copyUp))
            source = .path(volumes.data(name))
        case .anonymousVolume:
            throw .invalid("the mount at \(request.target) is of a volume without a name")
        case .tmpfs(let options): source = .tmpfs(options: options)
        }
        return ResolvedMount(
            source: source, target: request.target, readOnly: request.readOnly,
            propagation: request.propagation ?? "rprivate")
    }
}
