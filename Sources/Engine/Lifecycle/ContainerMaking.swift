internal import Glibc
internal import Images
internal import OCI
internal import Sys

extension Engine {
    /// Makes a container without starting it; returns its record. Durable: after a power cut it is there, whole.
    package func create(_ request: RunRequest, observer: (EngineEvent) -> Void) throws(EngineError) -> ContainerRecord {
        try checkStart(request)
        let (image, lease) = try obtain(request, observer: observer)
        let record = try newRecord(request, image)
        // All that can be wrong with it is said now, not at the first start.
        let draft = try draft(record, image)
        let entry = try live.enter(record.id, dataRoot: dataRoot, isNew: true)
        do throws(EngineError) {
            try make(record, image)
            try makeVolumes(draft)
            _ = consume lease
            try containers.sync(record.id)
            try ContainerIDFile.write(record.id, to: request.containerIDFile)
        } catch {
            if undo(record) { try? entry.leave() }
            throw error
        }
        try entry.leave()
        return record
    }

    /// What can be said of a request before anything is touched.
    func checkStart(_ request: RunRequest) throws(EngineError) {
        if geteuid() != 0, !request.dryRun { throw .notSupportedYet("running a container without root (try sudo)") }
        try checkName(request.image)
        var attach = AttachOptions()
        attach.detachKeys = request.detachKeys
        _ = try attach.keys()
        try ContainerIDFile.check(request.containerIDFile)
        if let health = request.lifecycle.health { try HealthCheck.validate(health) }
    }

    /// The image, pulled where it is missing, and the lease that keeps its layers until a container's record names them.
    /// Not held while a pull runs: one that fails waits for the lease to end, to remove what it made.
    func obtain(
        _ request: RunRequest, observer: (EngineEvent) -> Void
    ) throws(EngineError) -> (Image, ImageLeaseHolder) {
        var lease = try leaseImages(request)
        var image = try present(request)
        if image == nil {
            lease = nil
            let pulled = try download(request, observer: observer)
            lease = try leaseImages(request)
            image = try find(pulled.description)
        }
        guard let image else { throw .noSuchImage(request.image) }
        warn(image, request, observer)
        return (image, lease ?? ImageLeaseHolder(nil))
    }

    /// Makes all that the container needs on disk before its first start.
    func make(_ record: ContainerRecord, _ image: Image) throws(EngineError) {
        // A name that a killed --rm container still holds is free.
        if let name = record.request.name, containers.owner(of: name) != nil { sweep() }
        try containers.create(record)
        note("create", record)
        try GeneratedFileWriter.write(
            GeneratedFileWriter.paths(in: containers.directory(record.id)), hostname: record.hostname,
            hostNetwork: record.request.isolation.network == .host)
    }

    /// The volumes are there before the first start, with what the image has in them, for `cp` and other containers.
    /// A path that is only asked for must be there; one that may be made is made by the start.
    private func makeVolumes(_ draft: ContainerDraft) throws(EngineError) {
        let seeder = VolumeSeeder(image: draft.image, layersDirectory: images.layout.layers)
        for source in draft.sources {
            switch source {
            case .volume, .path(_, create: false): try source.carryOut(volumes, seeder)
            case .path: break
            }
        }
    }

    /// Whether nothing is left of a start that failed. What can't be undone now stays entered, and the next command's
    /// sweep takes it up.
    func undo(_ record: ContainerRecord) -> Bool {
        do throws(EngineError) {
            try removeCgroup(of: record.id)
            try discard(record)
            return true
        } catch {
            return false
        }
    }

    /// The image that the container was made of, by its ID.
    func image(of record: ContainerRecord) throws(EngineError) -> Image {
        guard let image = try find(record.image.description) else { throw .noSuchImage(record.image.description) }
        return image
    }

    private func leaseImages(_ request: RunRequest) throws(EngineError) -> ImageLeaseHolder? {
        if request.dryRun { return nil }
        do throws(StoreError) {
            return ImageLeaseHolder(try images.lease())
        } catch {
            throw .store(error)
        }
    }

    private func warn(_ image: Image, _ request: RunRequest, _ observer: (EngineEvent) -> Void) {
        for entry in EnvironmentBuilder.unusable(image.config.config?.env ?? []) {
            observer(
                .warning("the image's environment entry \"\(ForeignText(entry))\" has no value and is left out"))
        }
        let own = Platform.current
        let wanted = image.config.platform
        if request.platform == nil, own.distance(to: wanted) == nil {
            observer(
                .warning(
                    "The requested image's platform (\(wanted)) does not match the detected host platform (\(own)) and no "
                        + "specific platform was requested"))
        }
    }
}

/// A lease in a tuple, where no noncopyable value goes: given back when the last reference is gone.
final class ImageLeaseHolder: Sendable {
    private let lease: ImageLease?

    init(_ lease: consuming ImageLease?) { self.lease = lease }
}
