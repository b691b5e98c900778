internal import Cgroups
internal import Glibc
internal import Images
internal import Network
internal import OCI
internal import Runtime
internal import Supervisor
internal import Sys

/// How a container is started.
struct StartOptions {
    /// The command stays and gets the output.
    var attached = false
    /// The container's input ends with the command.
    var inputOnce = false
    /// Takes the time.
    var timeline: Timeline?
    /// What was begun as soon as the container was decided.
    var ahead: StartAhead?
}

/// A container that runs, served by its monitor.
struct StartedContainer: ~Copyable {
    let pidfd: OwnedFD
    let connection: MonitorConnection
    let state: LiveState
}

extension Engine {
    /// Starts the container's process below a monitor of its own, which from then on holds the entry's lock. Returns when
    /// the process has executed the user's command. After a failure nothing of it is left but the entry.
    func launch(
        _ draft: ContainerDraft, _ entry: inout LiveContainer, _ options: StartOptions
    ) throws(EngineError) -> StartedContainer {
        try checkIsolation()
        noteEmulation()
        do throws(EngineError) {
            return try launchOnce(draft, &entry, options)
        } catch .runtime(.rootMount(let step, let detail, let remedy)) {
            let failure = EngineError.runtime(.rootMount(step: step, detail: detail, remedy: remedy))
            guard draft.mounted == nil, let other = try fallback(from: draft.driver ?? driver) else { throw failure }
            var again = draft
            again.driver = other
            var retried = options
            retried.ahead = nil
            return try launchOnce(again, &entry, retried)
        } catch {
            throw error
        }
    }

    private func launchOnce(
        _ asked: ContainerDraft, _ entry: inout LiveContainer, _ options: StartOptions
    ) throws(EngineError) -> StartedContainer {
        var draft = asked
        let spec = draft.spec
        let ahead =
            if let begun = options.ahead { begun } else { try StartAhead(self, draft, attached: options.attached) }
        let owners = try namespaceOwners(of: draft.record)
        if rootless != nil { try entry.record(draft.manager.layout.hierarchies) }
        let cgroup = try cgroups { () throws(CgroupError) in
            try draft.manager.create(path: spec.linux.cgroupsPath ?? "", resources: spec.linux.resources)
        }
        do throws(EngineError) {
            try prepareRoot(&draft, &entry)
            options.timeline?.mark(.files)
            let started = try launch(draft, ahead, cgroup, owners, &entry, options)
            noteStart(draft.record, attached: options.attached)
            // One that was made just now is noted already.
            if !entry.state.isNew { images.noteUse(draft.record.image) }
            return started
        } catch {
            // Whoever undoes the start looks for what is left of the cgroup once more.
            try? cgroup.killAll()
            _ = leaveRuntime(draft.record.id, entry.state)
            try? cgroup.remove()
            try? disconnect(draft.record.id, entry.state)
            try? settleRoot(of: draft.record.id, entry.state, goes: entry.state.isNew)
            // The cause may be that one whose namespaces were to be joined has ended meanwhile.
            if !owners.isEmpty { _ = try namespaceOwners(of: draft.record) }
            throw error
        }
    }

    private func launch(
        _ draft: ContainerDraft, _ ahead: StartAhead, _ cgroup: Cgroup, _ owners: [NamespaceOwner],
        _ entry: inout LiveContainer, _ options: StartOptions
    ) throws(EngineError) -> StartedContainer {
        let id = draft.record.id
        let attached = try attach(draft.record, &entry)
        options.timeline?.mark(.network)
        try carryOut(draft, attached)
        var descriptors = MonitorDescriptors()
        let directory = entry.directoryDescriptor
        let listener = try call("listen for commands on", entry.path) { () throws(Errno) in
            // A monitor before this one left its own.
            try? File.unlink(MonitorConnection.socketName, at: directory)
            return try PacketSocket.listen(MonitorConnection.socketName, in: directory)
        }
        descriptors.listener = listener.raw
        if HealthCheck(draft.record) != nil { try live.forgetHealth(of: id) }
        let logs = try call("open", containers.directory(id)) { () throws(Errno) in
            try Directory.open(containers.directory(id))
        }
        descriptors.logDirectory = logs.raw
        let startedAt = Clock.timestamp
        let launch = MonitorLaunch(
            arguments: MonitorSettings.arguments(id: id), lock: entry.lockDescriptor, kept: rootless?.lock ?? -1)
        let streams = ahead.takeStreams()
        let ends = ContainerStreams.ends(of: streams)
        var namespace: String?
        if let attached { namespace = try ahead.settle(attached.namespace.descriptor) }
        let planned = planned(draft, namespace: namespace, attached: options.attached)
        let held = try writeBundle(of: planned, owners, &entry)
        options.timeline?.mark(.files)
        let known = try ahead.plan(of: planned)
        let plan = if let known { known } else { try plan(planned, streams: ends) }
        options.timeline?.mark(.plan)
        var holder: LiveState.Process?
        let started = try start(plan, cgroup, owners, launch, options.timeline?.clock) { pidfd throws(EngineError) in
            guard let attached else { return }
            try leadOutward(draft.record, attached.namespace, pidfd: pidfd)
            holder = try holdPorts(attached, of: draft.record, pidfd: pidfd)
        }
        options.timeline?.markExec()
        // Another runtime has opened what these lead to by their numbers.
        withExtendedLifetime((held, attached?.namespace)) {}
        ahead.leave()
        let process = LiveState.Process(
            pid: started.process.pid, startTime: ProcessStatus.startTime(started.process.pid) ?? 0)
        try entry.record(process, startedAt: startedAt, published: attached?.published, holder: holder)
        var settings = monitorSettings(draft, options)
        settings.isSuccessor = started.isSuccessor
        if settings.isSuccessor { descriptors.process = started.process.pidfd.raw }
        let tasks = settings.sharesPids ? try openTasks(cgroup).release() : -1
        defer { if tasks >= 0 { _ = Glibc.close(tasks) } }
        descriptors.tasks = tasks
        let state = entry.state
        let handed = try hand(started, settings, descriptors, streams, state, id)
        // Open until the monitor has its own.
        _ = consume listener
        _ = consume logs
        return handed
    }

    /// Runs the plan, and `connect` with the container's process before that runs its program.
    private func start(
        _ plan: LaunchPlan, _ cgroup: Cgroup, _ owners: [NamespaceOwner], _ monitor: MonitorLaunch,
        _ clock: LaunchClock?, connect: (Int32) throws(EngineError) -> Void
    ) throws(EngineError) -> MonitoredProcess {
        var failure: EngineError?
        do throws(RuntimeError) {
            return try Launcher.start(
                plan, cgroup: cgroup, joining: owners.map { $0.pidfd.raw }, monitor: monitor, clock: clock
            ) { (pidfd) throws(RuntimeError) in
                do throws(EngineError) {
                    try connect(pidfd)
                } catch {
                    failure = error
                    throw .setup(step: "connect the network", detail: "\(error)", remedy: nil)
                }
            }
        } catch {
            throw failure ?? .runtime(error)
        }
    }

    /// The list by which the monitor ends what would outlive the container's first process.
    private func openTasks(_ cgroup: Cgroup) throws(EngineError) -> OwnedFD {
        let path = cgroup.processList
        return try call("open", path) { () throws(Errno) in try File.open(path, O_RDONLY) }
    }

    /// Gives the monitor what it works with.
    private func hand(
        _ started: consuming MonitoredProcess, _ settings: MonitorSettings, _ passed: MonitorDescriptors,
        _ streams: consuming ContainerStreams?, _ state: LiveState, _ id: String
    ) throws(EngineError) -> StartedContainer {
        var descriptors = passed
        let connection = MonitorConnection(control: started.control)
        do throws(Errno) {
            if let streams {
                let ours = streams.keepOurs()
                descriptors.output = ours.outputNumber
                descriptors.error = ours.errorNumber
                descriptors.input = ours.inputNumber
                // The monitor waits in its poll only.
                if ours.inputNumber >= 0 { try check { fcntl(ours.inputNumber, F_SETFL, O_NONBLOCK) } }
                try connection.go(settings, descriptors)
                // Open until the monitor has its own.
                _ = consume ours
            } else {
                let terminal = started.process.terminalNumber
                try check { fcntl(terminal, F_SETFL, O_RDWR | O_NONBLOCK) }
                descriptors.output = terminal
                if settings.hasInput { descriptors.input = terminal }
                try connection.go(settings, descriptors)
            }
            return StartedContainer(
                pidfd: try started.process.pidfd.duplicate(), connection: connection, state: state)
        } catch {
            throw .system(SystemFailure("start the monitor of", id, error))
        }
    }

    /// What is planned: the draft in the namespace of its networks.
    func planned(_ draft: ContainerDraft, namespace: String?, attached: Bool) -> ContainerDraft {
        var planned = draft
        if let namespace { planned.spec.join(.network, at: namespace) }
        // A program may ask for it before the command's first word about it.
        if attached, draft.record.request.terminal { planned.spec.process.consoleSize = .ofCaller }
        return planned
    }

    /// Pipes; nil for a container with a terminal.
    func makeStreams(_ request: RunRequest) throws(EngineError) -> ContainerStreams? {
        if request.terminal { return nil }
        return try call("make pipes for", request.image) { () throws(Errno) in
            try ContainerStreams(interactive: request.interactive)
        }
    }

    /// What the start needs on disk: sources of mounts, generated files.
    private func carryOut(_ draft: ContainerDraft, _ attached: AttachedNetworks?) throws(EngineError) {
        let record = draft.record
        // On networks it has them already, with the lines of others.
        if attached?.endpoints.isEmpty ?? true {
            try GeneratedFileWriter.write(
                GeneratedFileWriter.paths(in: containers.directory(record.id)), record, configuration: configuration)
        }
        let seeder = volumeSeeder(draft.image, shown: draft.mounted)
        for source in draft.sources {
            if let volume = try source.carryOut(volumes, seeder) { noteVolume("create", volume) }
        }
        guard let emulator = try emulator(of: record, draft.spec) else { return }
        try runtime(emulator.writeStub)
        try makePlaces(draft, emulator)
    }

    private func monitorSettings(_ draft: ContainerDraft, _ options: StartOptions) -> MonitorSettings {
        let record = draft.record
        var settings = MonitorSettings()
        settings.hasTerminal = record.request.terminal
        settings.sharesPids = record.request.isolation.pid != .own
        settings.hasInput = record.request.interactive
        settings.inputOnce = options.inputOnce
        settings.attached = options.attached
        settings.starterConcludes = options.attached && record.request.lifecycle.restart.kind == .no
        settings.logName = Engine.logName(record.id)
        settings.logAttributes = draft.logAttributes
        settings.endArguments = ownCommandLine("monitor-end", record.id)
        if let check = HealthCheck(record) {
            settings.healthArguments = ownCommandLine("monitor-health", record.id)
            settings.healthDelay = check.monitorDelay(.starting, age: 0)
        }
        let log = LogSettings(record.request.log)
        settings.logDriver = log.driver
        settings.logSize = log.maxSize
        settings.logFiles = log.maxFiles
        return settings
    }

    /// A command line of ours over the same data root and configuration.
    func ownCommandLine(_ words: String..., lock: Int32 = MonitorLegacy.namespaceLock) -> [String] {
        var line = ["runimg", "--data-root", dataRoot]
        if let driver = options.storageDriver { line += ["--storage-driver", driver] }
        if let rootless {
            line += ["--rootless", rootless.text(lock: lock)]
            if options.configFile == nil, let file = configuration.file { line += ["--config-file", file] }
        }
        if let file = options.configFile { line += ["--config-file", file] }
        return line + words
    }
}

func runtime<T: ~Copyable>(_ body: () throws(RuntimeError) -> T) throws(EngineError) -> T {
    do throws(RuntimeError) {
        return try body()
    } catch {
        throw .runtime(error)
    }
}
