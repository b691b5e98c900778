internal import Cgroups
internal import Glibc
internal import Images
internal import OCI
internal import Rootfs
internal import Runtime
internal import Supervisor
internal import Sys

extension Engine {
    /// Runs a container to its end and returns its exit code: the process's own, or 128 and its signal's number. Whatever
    /// a start that failed had made is undone.
    package func run(_ request: RunRequest, observer: (EngineEvent) -> Void) throws(EngineError) -> Int32 {
        if request.terminal, request.interactive, !request.dryRun, !Terminal.isTerminal(STDIN_FILENO) {
            throw .notATerminal
        }
        if geteuid() != 0, !request.dryRun { throw .notSupportedYet("running a container without root (try sudo)") }
        try checkName(request.image)
        try ContainerIDFile.check(request.containerIDFile)
        // Held until the container's record names the layers: no removal may take them in between. Not while a pull runs:
        // one that fails waits for the lease to end, to remove what it made.
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
        let draft = try draft(request, image)
        if request.dryRun {
            observer(.plan("\(try plan(draft, streams: (-1, -1, -1)))"))
            return 0
        }
        // Until all is undone again: a second signal must not end us half-way through that.
        let foreground = try call("watch signals for", draft.record.shortID) { () throws(Errno) in try Foreground() }
        let entry = try live.enter(draft.record.id, dataRoot: dataRoot)
        let end: ContainerEnd
        do throws(EngineError) {
            try create(draft)
            _ = consume lease
            end = try serve(draft, foreground, observer)
        } catch {
            if undo(draft.record) { try? entry.leave() }
            throw error
        }
        // When the end cannot be recorded the container stays entered: what it wrote is not ours to throw away.
        if end.record.autoRemove { try discard(end.record) } else { try containers.save(end.record) }
        if end.hasLeftCgroup { try entry.leave() }
        return end.record.state.exitCode ?? 0
    }

    /// Whether nothing is left of a start that failed. What can't be undone now stays entered, and the next command's
    /// sweep takes it up.
    private func undo(_ record: ContainerRecord) -> Bool {
        do throws(EngineError) {
            try removeCgroup(of: record.id)
            try discard(record)
            return true
        } catch {
            return false
        }
    }

    /// What a container that was served to its end leaves to be done.
    private struct ContainerEnd {
        var record: ContainerRecord
        /// Whether its cgroup is gone; if not, the container stays entered for the next command's sweep.
        var hasLeftCgroup: Bool
    }

    /// Makes all that the container needs on disk.
    private func create(_ draft: ContainerDraft) throws(EngineError) {
        // A name that a killed --rm container still holds is free.
        if let name = draft.request.name, containers.owner(of: name) != nil { sweep() }
        try containers.create(draft.record)
        try GeneratedFileWriter.write(
            GeneratedFileWriter.paths(in: containers.directory(draft.record.id)), hostname: draft.hostname,
            hostNetwork: draft.request.isolation.network == .host)
        let seeder = VolumeSeeder(image: draft.image, layersDirectory: images.layout.layers)
        for source in draft.sources { try source.carryOut(volumes, seeder) }
    }

    private func leaseImages(_ request: RunRequest) throws(EngineError) -> ImageLease? {
        if request.dryRun { return nil }
        do throws(StoreError) {
            return try images.lease()
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

    /// Starts the container and serves it to its end, which the record that comes back tells. Its ID is in the ID file
    /// before it starts, and not after a start that failed.
    private func serve(
        _ draft: ContainerDraft, _ foreground: borrowing Foreground, _ observer: (EngineEvent) -> Void
    ) throws(EngineError) -> ContainerEnd {
        var record = draft.record
        let spec = draft.spec
        let manager = draft.manager
        let cgroup = try cgroups { () throws(CgroupError) in
            try manager.create(path: spec.linux.cgroupsPath ?? "", resources: spec.linux.resources)
        }
        record.state.startedAt = Clock.timestamp
        var oomKilled = false
        let afterExit = {
            oomKilled = ((try? cgroup.oomKills()) ?? 0) > 0
            // With the host's pid namespace the first process leaves its children behind.
            if draft.request.isolation.hostPid { try? cgroup.killAll() }
        }
        let exit: Spawn.Exit
        do throws(EngineError) {
            try ContainerIDFile.write(record.id, to: draft.request.containerIDFile)
            exit = try attach(draft, cgroup, foreground, afterExit)
        } catch {
            ContainerIDFile.remove(record.id, from: draft.request.containerIDFile)
            throw error
        }
        record.state.oomKilled = oomKilled
        var hasLeftCgroup = true
        do throws(CgroupError) {
            try cgroup.remove()
        } catch {
            // The container has done its work: its exit code is what counts.
            observer(.warning("\(error)"))
            hasLeftCgroup = false
        }
        if oomKilled { observer(.warning(Engine.outOfMemory(draft.request))) }
        record.state.status = .exited
        record.state.exitCode = exit.code
        record.state.finishedAt = Clock.timestamp
        return ContainerEnd(record: record, hasLeftCgroup: hasLeftCgroup)
    }

    private static func outOfMemory(_ request: RunRequest) -> String {
        let limit = request.resources.memory.map { " of \($0) bytes (-m raises it)" } ?? ""
        return "the kernel killed a process of the container: out of memory, limit\(limit)"
    }

    private func attach(
        _ draft: ContainerDraft, _ cgroup: Cgroup, _ foreground: borrowing Foreground, _ afterExit: () -> Void
    ) throws(EngineError) -> Spawn.Exit {
        let request = draft.request
        if request.terminal {
            let process = try start(try plan(draft, streams: (-1, -1, -1)), cgroup)
            sweepAside()
            do throws(Errno) {
                return try foreground.serve(
                    pidfd: process.pidfd.raw, terminal: process.terminalNumber, interactive: request.interactive,
                    afterExit: afterExit)
            } catch {
                throw .system(SystemFailure("serve", draft.record.shortID, error))
            }
        }
        let streams = try call("make pipes for", draft.record.shortID) { () throws(Errno) in
            try ContainerStreams(interactive: request.interactive)
        }
        let process = try start(try plan(draft, streams: streams.containerEnds), cgroup)
        let ours = streams.keepOurs()
        sweepAside()
        do throws(Errno) {
            return try foreground.serve(pidfd: process.pidfd.raw, streams: ours, afterExit: afterExit)
        } catch {
            throw .system(SystemFailure("serve", draft.record.shortID, error))
        }
    }

    private func start(_ plan: LaunchPlan, _ cgroup: Cgroup) throws(EngineError) -> RunningProcess {
        do throws(RuntimeError) {
            return try Launcher.start(plan, cgroup: cgroup)
        } catch {
            throw .runtime(error)
        }
    }

    /// Removes what dead processes of ours left, while the new container runs: its start does not wait for that.
    private func sweepAside() { sweep(patiently: false) }
}

extension Spawn.Exit {
    /// As shells and docker count: 128 and the signal's number.
    var code: Int32 {
        switch self {
        case .code(let code): code
        case .signal(let signal): 128 + signal
        }
    }
}

/// Runs `body`; its failure becomes the engine's.
func cgroups<T>(_ body: () throws(CgroupError) -> T) throws(EngineError) -> T {
    do throws(CgroupError) {
        return try body()
    } catch {
        throw .cgroup(error)
    }
}
