internal import CLinux
internal import Glibc
internal import Images
internal import OCI
internal import Registry
internal import Sys

/// Where code stands that takes the place of a pull: in the confined process, behind the last step.
package struct Seat: Sendable {
    /// Leads to the keeper.
    package let socket: Int32
    package let area: String
    package let dataRoot: String
}

/// The process that fetches, inflates and extracts. It has one thread until it is confined.
struct ConfinedProcess {
    let request: WorkerRequest
    /// nil where nothing is pulled.
    let name: SourceName?
    let drafts: Drafts
    let layout: StoreLayout
    /// The pull's area; nil where nothing is stored.
    let area: String?
    let connections: ConnectionPolicy
    /// Leads to the keeper.
    let socket: Int32
    let slots: DownloadSlots?
    /// The keeper's.
    let parent: Int32
    let takeover: Takeover?

    /// Tells the keeper how it went; it needs no exit status.
    func run() -> Never {
        let interruption = Interruption()
        let client = StoreClient(
            area: area ?? layout.staging, blobs: layout.blobs, slots: slots, socket: socket)
        let sink = EventSink(client, interruption: interruption)
        tell(client, interruption) { () throws(WorkerError) in
            let (remote, lock) = try confine(client, sink, interruption)
            // Threads that start from here on are confined as this one is.
            try system("start", "the confined thread") { () throws(Errno) in
                try SplitProcess.runOnNewThread {
                    tell(client, interruption) { () throws(WorkerError) in
                        try work(remote, client, sink, interruption)
                    }
                    _exit(0)
                }
            }
            withExtendedLifetime(lock) {}
        }
        _exit(0)
    }

    private func tell(
        _ client: StoreClient, _ interruption: Interruption, _ body: () throws(WorkerError) -> Void
    ) {
        do throws(WorkerError) {
            try body()
            _ = client.send(.finished)
        } catch {
            // What ends because of an interruption is one, whatever it was called where it was noticed.
            let reported = interruption.isRequested ? WorkerError.interrupted : error
            _ = client.send(.failed(message: "\(reported)", kind: reported.kind))
        }
    }

    private func confine(
        _ client: StoreClient, _ sink: EventSink, _ interruption: Interruption
    ) throws(WorkerError) -> (RegistrySource?, AreaLock?) {
        try system("leave", "the keeper's descriptors") { () throws(Errno) in
            try SplitProcess.dieWithParent(parent)
            let input = request.verb.readsFile ? [WorkerRequest.fileDescriptor] : []
            try SplitProcess.closeDescriptors(but: [socket] + input + (slots?.descriptors ?? []))
            // A terminal takes more than messages: what is typed into it, for one.
            try SplitProcess.silence(isatty(STDERR_FILENO) == 1 ? [0, 1, 2] : [0, 1])
        }
        // Credential helpers are programs, and may write where they like.
        let health = EndpointHealth(EndpointMemory(layout).load()) { endpoint, illness in
            _ = client.send(.endpointIll(endpoint, reason: illness.reason))
        }
        let remote = try remoteSource(health, sink, interruption)
        let sandbox = Sandbox(
            layout: layout, area: area, source: drafts.readsBlobs ? layout.layerRecords : name?.path,
            ports: connections.ports,
            environment: Environment.dictionary)
        let confines = takeover?.confines ?? true
        if confines { enterView(sandbox, sink) }
        let lock = try area.map { area throws(WorkerError) in try lockArea(area) }
        if confines { try sandbox.enforce(client, sink) }
        return (remote, lock)
    }

    private func work(
        _ remote: RegistrySource?, _ client: StoreClient, _ sink: EventSink, _ interruption: Interruption
    ) throws(WorkerError) {
        try system("watch", "signals") { () throws(Errno) in try interruption.watch(output: socket) }
        // From here on strangers' bytes are read.
        if let takeover {
            takeover.body(Seat(socket: socket, area: area ?? "", dataRoot: layout.root))
        } else if let asked = request.importTar {
            try Import(
                request: asked, store: client, interruption: interruption, format: request.format,
                owners: request.owners
            ).run()
        } else if let commit = request.commit {
            try Commit(
                request: commit, store: client, layers: layout.layers, interruption: interruption,
                format: request.format, owners: request.owners
            ).run()
        } else if let check = drafts.check {
            try Check(
                check, store: client, client: remote?.client, format: request.format, owners: request.owners,
                sink: sink,
                interruption: interruption
            ).run()
        } else if let push = drafts.push, let remote {
            try Push(
                store: client, client: remote.client, images: push.images, sources: push.sources,
                uploads: request.maximumUploads, sink: sink, interruption: interruption
            ).run()
        } else if let query = request.query, let remote {
            try Query(query, of: remote, platform: request.platform, sink: sink).run()
        } else {
            let source: any ImageSource =
                if let remote { remote } else if let load = request.load {
                    try loadedSource(load, interruption)
                } else {
                    try localSource(interruption)
                }
            try Pull(
                store: client, source: source, platform: request.platform, allTags: request.allTags,
                request: request, sink: sink, interruption: interruption
            ).run()
        }
    }

    private func enterView(_ sandbox: Sandbox, _ sink: EventSink) {
        do throws(SystemFailure) {
            try sandbox.enterView()
        } catch {
            sink.send(.debug("modes, owners and devices are not confined by a view of the mounts: \(error)"))
        }
    }

    /// As long as this process lives, the area is nobody's garbage.
    private func lockArea(_ area: String) throws(WorkerError) -> AreaLock {
        let path = PullArea.workerLock(area)
        let lock = try system("lock", path) { () throws(Errno) in
            try Directory.make(path, mode: 0o700)
            guard let lock = try DirectoryLock.attempt(path, mode: .exclusive) else { throw Errno.busy }
            return lock
        }
        return AreaLock(lock)
    }

    // MARK: Sources

    /// Reads the caller's configuration and asks credential helpers; nil where the source is a file.
    private func remoteSource(
        _ health: EndpointHealth, _ sink: EventSink, _ interruption: Interruption
    ) throws(WorkerError) -> RegistrySource? {
        guard case .registry(let reference)? = name else { return nil }
        return try RegistrySource(
            reference, request: request, health: health, push: drafts.push?.repositories, sink: sink,
            interruption: interruption)
    }

    /// Both forms may be there: a layout's has the manifests, by which its layers keep their digests.
    private func loadedSource(_ load: LoadRequest, _ interruption: Interruption) throws(WorkerError) -> any ImageSource
    {
        let archive = try Archive(
            OwnedFD(adopting: WorkerRequest.fileDescriptor), name: load.input,
            spool: area ?? layout.staging,
            interruption: interruption)
        if archive.has("oci-layout"), archive.has("index.json") {
            return LayoutSource(files: archive, tag: nil, typed: load.input, takesAll: true)
        }
        if archive.has("manifest.json") {
            return DockerArchiveSource(archive: archive, tag: nil, typed: load.input)
        }
        throw .source(
            load.input,
            reason:
                "it is no archive of images: it has neither manifest.json nor oci-layout; to make an image of a file "
                + "system's tar, use import")
    }

    private func localSource(_ interruption: Interruption) throws(WorkerError) -> any ImageSource {
        switch name {
        case .registry, nil: throw .request("a registry is no file")
        case .layout(let path, let tag):
            return LayoutSource(files: try DirectoryLayout(path), tag: tag, typed: request.source)
        case .layoutArchive(let path, let tag):
            // A compressed one is inflated into staging.
            let archive = try Archive(path, spool: area ?? layout.staging, interruption: interruption)
            return LayoutSource(files: archive, tag: tag, typed: request.source)
        case .dockerArchive(let path, let tag):
            let archive = try Archive(path, spool: area ?? layout.staging, interruption: interruption)
            return DockerArchiveSource(archive: archive, tag: tag, typed: request.source)
        }
    }
}

/// A lock that is held to the end of a scope.
private final class AreaLock {
    private let lock: DirectoryLock

    init(_ lock: consuming DirectoryLock) { self.lock = lock }
}

/// What the keeper's side found in the store before the two processes parted, for the confined one to work on.
struct Drafts: Sendable {
    var push: PushDraft?
    var check: CheckDraft?

    /// Whether blobs that are kept are read.
    var readsBlobs: Bool { push != nil || check != nil }
}
