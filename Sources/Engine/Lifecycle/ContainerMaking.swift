internal import Glibc
internal import Images
internal import OCI
internal import Sys

extension Engine {
    /// Makes a container without starting it; returns its record. Durable: after a power cut it is there, whole.
    package func create(_ request: RunRequest, observer: (EngineEvent) -> Void) throws(EngineError) -> ContainerRecord {
        try checkStart(request)
        let request = meant(request)
        let (image, lease) = try obtain(request, observer: observer)
        var record = try newRecord(request, image)
        // All that can be wrong with it is said now, not at the first start.
        let draft = try draft(record, image)
        let entry = try live.enter(record.id, dataRoot: dataRoot, isNew: true)
        do throws(EngineError) {
            try make(&record, image)
            // For `cp` before the first start, which writes them anew.
            try GeneratedFileWriter.write(
                GeneratedFileWriter.paths(in: containers.directory(record.id)), record, configuration: configuration)
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
        try checkIsolation()
        if geteuid() != 0, !isEmulated, !request.dryRun {
            throw .notSupportedYet("running a container without root (try sudo)")
        }
        _ = try AttachOptions.keys(request.detachKeys)
        if request.rootDirectory == nil { try checkName(request.image) }
        try ContainerIDFile.check(request.containerIDFile)
        if let health = request.lifecycle.health { try HealthCheck.validate(health) }
    }

    /// The image, pulled where it is missing, and the lease that keeps its layers until a container's record names them.
    /// Not held while a pull runs: one that fails waits for the lease to end, to remove what it made.
    func obtain(
        _ request: RunRequest, observer: (EngineEvent) -> Void
    ) throws(EngineError) -> (Image, ImageLeaseHolder) {
        if let root = request.rootDirectory { return (try Engine.image(of: root), ImageLeaseHolder(nil)) }
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
    func make(_ record: inout ContainerRecord, _ image: Image) throws(EngineError) {
        // A name that a killed --rm container still holds is free.
        if let name = record.request.name, containers.owner(of: name) != nil { sweep() }
        try takeDirectories(&record)
        if record.request.rootDirectory == nil { images.noteFirstUse(image.id) }
        for case .volume(let name) in record.mounts.map(\.kind) where !record.anonymousVolumes.contains(name) {
            if ResourceName.isContainerID(name) { try volumes.markShared(name) }
        }
        note("create", record)
    }

    func freeName() -> String { NameGenerator.name { containers.owner(of: $0) != nil } }

    /// The volumes are there before the first start, with what the image has in them, for `cp` and other containers.
    /// A path that is only asked for must be there; one that may be made is made by the start.
    private func makeVolumes(_ draft: ContainerDraft) throws(EngineError) {
        let seeder = volumeSeeder(draft.image)
        for source in draft.sources {
            switch source {
            case .volume, .path(_, create: false):
                if let volume = try source.carryOut(volumes, seeder) { noteVolume("create", volume) }
            case .path: break
            }
        }
    }

    /// Makes the container's directories, under another name where somebody took the one that was thought up for it.
    private func takeDirectories(_ record: inout ContainerRecord) throws(EngineError) {
        while true {
            do throws(EngineError) {
                return try containers.create(record)
            } catch .conflict(let message) {
                if record.request.name != nil { throw .conflict(message) }
                record.name = freeName()
            }
        }
    }

    /// Whether nothing is left of a start that failed. What can't be undone now stays entered, and the next command's
    /// sweep takes it up.
    func undo(_ record: ContainerRecord) -> Bool {
        do throws(EngineError) {
            try removeCgroup(of: record.id)
            if let state = live.state(of: record.id) { try disconnect(record.id, state) }
            try discard(record)
            return true
        } catch {
            return false
        }
    }

    /// The image that the container was made of, by its ID.
    func image(of record: ContainerRecord) throws(EngineError) -> Image {
        if let root = record.request.rootDirectory { return try Engine.image(of: root) }
        if let image = try find(record.image.description) { return image }
        // `rmi -f` leaves a container what it stands on.
        if let top = record.topLayer {
            let left = try store { () throws(StoreError) in
                try images.remains(of: record.image, top: top, execution: record.execution)
            }
            if let left { return left }
        }
        throw .noSuchImage(record.image.description)
    }

    /// A directory that is there, in an image's place.
    private static func image(of root: RootDirectory) throws(EngineError) -> Image {
        let path = try absolute(root.path)
        do throws(Errno) {
            guard try File.status(path, follow: true).isDirectory else { throw Errno.notDirectory }
        } catch .noEntry {
            throw .invalid("stat \(path): no such file or directory")
        } catch {
            throw .system(SystemFailure("open the root directory", path, error))
        }
        return Image(directory: path)
    }

    private func leaseImages(_ request: RunRequest) throws(EngineError) -> ImageLeaseHolder? {
        request.dryRun ? nil : try lease()
    }

    func lease() throws(EngineError) -> ImageLeaseHolder {
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
