internal import Cgroups
internal import Images
package import OCI
internal import Sys

/// All of a container that `inspect` shows.
package struct ContainerDetails: Sendable {
    package var record: ContainerRecord
    package var condition: ContainerCondition
    package var isPaused = false
    package var health: ContainerHealth?
    /// Of the generated files and the log.
    package var files = Files()
    package var layers: LayerPaths
    /// What mounts them, or would.
    package var driver = StorageDriver.overlay2
    /// Where each mount's contents are, in the order of the record's mounts.
    package var sources: [String] = []
    package var maskedPaths: [String] = []
    package var readonlyPaths: [String] = []
    package var pidsLimit: Int64?
    package var shmSize: Int64 = 0
    package var size: ContainerSize?
    /// Those of one that runs, as `Engine.ports(of:)` has them.
    package var ports: [ContainerPort: [PublishedPort]] = [:]
    /// Its places on networks, while it runs.
    package var endpoints: [Endpoint] = []
    /// Of the networks that its record names, by ID.
    package var networkNames: [String: String] = [:]

    package struct Files: Sendable {
        package var hostname = ""
        package var hosts = ""
        package var resolvConf = ""
        package var log = ""

        package init() {}
    }

    package init(record: ContainerRecord, condition: ContainerCondition, layers: LayerPaths) {
        self.record = record
        self.condition = condition
        self.layers = layers
    }
}

/// What an overlay mount is made of.
package struct LayerPaths: Sendable, Hashable {
    /// The upper one of two stands first.
    package var lower: [String]
    package var merged: String
    package var upper: String
    package var work: String

    package init(lower: [String], merged: String, upper: String, work: String) {
        self.lower = lower
        self.merged = merged
        self.upper = upper
        self.work = work
    }
}

extension Engine {
    /// A container with all that is known of it.
    package func details(of name: String, withSize: Bool) throws(EngineError) -> ContainerDetails {
        sweep()
        let record = try container(named: name)
        let id = record.id
        let image = try? image(of: record)
        var details = ContainerDetails(
            record: record, condition: condition(of: record),
            layers: LayerPaths(
                lower: image?.layers.reversed().map(\.diff) ?? [], merged: containers.merged(id),
                upper: containers.upper(id), work: containers.work(id)))
        details.health = health(of: record)
        let entry = live.state(of: id)
        details.driver = entry?.driver ?? driver
        details.endpoints = entry?.endpoints ?? []
        if record.request.networking?.endpoints.isEmpty == false { details.networkNames = networkNamesByID() }
        if case .running(_, let startedAt) = details.condition {
            details.isPaused = isPaused(id, try? cgroupManager(of: id))
            if !startedAt.isEmpty { details.record.state.startedAt = startedAt }
        }
        let directory = containers.directory(id)
        let files = shownFiles(of: record)
        details.files.hostname = files.hostname
        details.files.hosts = files.hosts
        details.files.resolvConf = files.resolvConf
        if record.request.log.driver ?? .usual == .jsonFile { details.files.log = "\(directory)/\(id)-json.log" }
        details.sources = record.mounts.map { mount in
            switch mount.kind {
            case .bind(let source, _): source
            case .volume(let name): volumes.data(name)
            case .anonymousVolume, .tmpfs: ""
            }
        }
        if !record.request.isolation.privileged {
            details.maskedPaths = SpecBuilder.maskedPaths
            details.readonlyPaths = SpecBuilder.readonlyPaths
        }
        details.pidsLimit = record.request.resources.pidsLimit ?? SpecBuilder.defaultPidsLimit
        details.shmSize = record.request.resources.shmSize ?? SpecBuilder.defaultShmSize
        details.ports = ports(of: record)
        if withSize { details.size = size(of: id, image: record.image) }
        return details
    }
}
