internal import Glibc
internal import OCI
internal import Sys

/// What a mount's source needs before it can be mounted.
enum MountPreparation {
    /// A volume, made when it is new; an empty one gets what the image has at `target` when `copyUp`.
    case volume(name: String, target: String, copyUp: Bool)
    /// A path of the host that must be there; made as a directory when `create`.
    case path(String, create: Bool)

    func carryOut(_ volumes: VolumeStore, _ seeder: VolumeSeeder) throws(EngineError) {
        switch self {
        case .volume(let name, let target, let copyUp):
            try volumes.make(name)
            let data = volumes.data(name)
            guard copyUp else { return }
            let entries = try call("list", data) { () throws(Errno) in try Directory.entries(data) }
            if entries.isEmpty { try seeder.fill(data, from: target) }
        case .path(let path, let create): try MountPreparation.find(path, create: create)
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

/// Decides where the mounts that the user and the image ask for come from. Touches nothing.
struct MountResolver {
    let volumes: VolumeStore
    /// Volumes without a name, which go when the container goes.
    private(set) var anonymous: [String] = []
    private(set) var preparations: [MountPreparation] = []

    init(volumes: VolumeStore) { self.volumes = volumes }

    /// The user's mounts, then the image's volumes that none of them covers.
    mutating func resolve(
        _ requests: [MountRequest], imageVolumes: [String: ImageConfig.Empty]
    ) throws(EngineError) -> [ResolvedMount] {
        var result: [ResolvedMount] = []
        var covered: Set<String> = []
        for request in requests {
            covered.insert(try SpecBuilder.clean(request.target))
            result.append(try resolve(request))
        }
        for target in imageVolumes.keys.sorted() {
            let path = try SpecBuilder.clean(target)
            if path == "/" || covered.contains(path) { continue }
            result.append(try resolve(MountRequest(kind: .anonymousVolume, target: path)))
        }
        return result
    }

    private mutating func resolve(_ request: MountRequest) throws(EngineError) -> ResolvedMount {
        let source: ResolvedMount.Source
        switch request.kind {
        case .bind(let path, let create):
            let absolute = try Engine.absolute(path)
            preparations.append(.path(absolute, create: create))
            source = .path(absolute)
        case .volume(let name): source = try volume(name, request)
        case .anonymousVolume:
            let name = VolumeStore.anonymousName()
            anonymous.append(name)
            source = try volume(name, request)
        case .tmpfs(let options): source = .tmpfs(options: options)
        }
        return ResolvedMount(
            source: source, target: request.target, readOnly: request.readOnly,
            propagation: request.propagation ?? "rprivate")
    }

    private mutating func volume(_ name: String, _ request: MountRequest) throws(EngineError) -> ResolvedMount.Source {
        try VolumeStore.check(name)
        let target = try SpecBuilder.clean(request.target)
        preparations.append(.volume(name: name, target: target, copyUp: request.copyUp))
        return .path(volumes.data(name))
    }
}
