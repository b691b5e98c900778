internal import Cgroups
internal import Glibc
internal import Images
package import OCI
internal import Sys

/// What an image is made of a container with.
package struct CommitOptions: Sendable, Hashable {
    package var author: String?
    package var message: String?
    /// Instructions of Dockerfiles, applied to the configuration in order.
    package var changes: [String] = []
    /// Whether a running container stands still meanwhile.
    package var pause = true
    /// `REPOSITORY[:TAG]`; nil: the image has no name.
    package var name: String?

    package init() {}
}

extension Engine {
    /// Makes an image of what a container changed, on top of its own image. When this returns, a power cut loses nothing of
    /// it; before, it is absent.
    package func commit(_ name: String, _ options: CommitOptions) throws(EngineError) -> Digest {
        var options = options
        options.name = options.name.map(meantNew)
        if let name = options.name { _ = try Engine.newName(name) { EngineError.invalid($0) } }
        let changes = try options.changes.map { text throws(EngineError) in try CommitChange(text) }
        let record = try container(named: name)
        if record.request.rootDirectory != nil {
            throw .invalid("cannot commit a container that uses an exploded rootfs")
        }
        let image = try image(of: record)
        var config = image.config
        config.created = Clock.timestamp
        config.author = options.author
        var execution = effectiveExecution(record)
        for change in changes { try change.apply(to: &execution) }
        config.config = execution
        var entry = ImageConfig.History()
        entry.created = config.created
        entry.author = options.author
        entry.createdBy = (record.request.command.isEmpty ? record.execution.cmd ?? [] : record.request.command)
            .joined(separator: " ")
        entry.comment = options.message
        config.history = (config.history ?? []) + [entry]
        var request = WorkerRequest(verb: .commit, source: "", dataRoot: dataRoot)
        request.ids = rootless?.workerIDs
        request.debug = self.options.logLevel == .debug
        request.commit = CommitRequest(
            container: record.id, lowers: image.layers.map(\.diff), config: config, excluded: OwnMountPoints.paths,
            name: options.name)
        let prepared = request
        let made = try standingStill(record, options.pause) { () throws(EngineError) in
            try settleCopy(of: record.id, isOurs: false)
            return try Worker.run(prepared) { _ in }.image
        }
        noteCommit(record, made, options)
        return made
    }

    private func noteCommit(_ record: ContainerRecord, _ image: Digest, _ options: CommitOptions) {
        let name = options.name.flatMap { try? Reference(parsing: $0).tagged.familiar }
        let id = image.description
        if let name { noteImage("tag", actor: id, name: name, record.labels) }
        let details = ["comment": options.message ?? "", "imageID": id, "imageRef": name ?? ""]
        note("commit", record, details)
    }

    /// The image's configuration with what the container was made with.
    private func effectiveExecution(_ record: ContainerRecord) -> ImageConfig.Execution {
        var execution = record.execution
        let process = record.request.process
        if let entrypoint = process.entrypoint {
            execution.entrypoint = entrypoint.isEmpty ? nil : entrypoint
            execution.cmd = nil
        }
        if !record.request.command.isEmpty { execution.cmd = record.request.command }
        if let user = process.user { execution.user = user }
        if let directory = process.workingDirectory { execution.workingDir = directory }
        if let signal = process.stopSignal { execution.stopSignal = signal }
        if !record.exposedPorts.isEmpty {
            execution.exposedPorts = Dictionary(
                uniqueKeysWithValues: record.exposedPorts.map { ($0.description, ImageConfig.Empty()) })
        }
        execution.healthcheck = record.healthcheck
        execution.labels = record.labels.isEmpty ? nil : record.labels
        execution.env = EnvironmentBuilder.merged(execution.env ?? [], record.environment)
        return execution
    }

    /// Freezes a running container for as long as `body` takes. One that the user has paused stays so.
    private func standingStill<T>(
        _ record: ContainerRecord, _ wanted: Bool, _ body: () throws(EngineError) -> T
    ) throws(EngineError) -> T {
        guard wanted, condition(of: record).isRunning else { return try body() }
        let group = try cgroups { () throws(CgroupError) in
            try cgroupManager(of: record.id).open(path: Engine.cgroupPath(record.id))
        }
        if group?.isNowhere ?? false {
            notice(
                "container \(record.shortID) is not paused during the commit: no cgroup of this machine is yours to use"
            )
            return try body()
        }
        guard let group, try !cgroups({ () throws(CgroupError) in try group.isFrozen() }) else { return try body() }
        // Until it goes on again no signal may end this command.
        let interrupts = SignalSet([SIGINT, SIGTERM, SIGHUP])
        let former = interrupts.block()
        defer { former.install() }
        try cgroups { () throws(CgroupError) in try group.freeze() }
        let result: T
        do throws(EngineError) {
            result = try body()
        } catch {
            try? group.thaw()
            throw error
        }
        try cgroups { () throws(CgroupError) in try group.thaw() }
        return result
    }
}
