internal import CLinux
internal import FoundationEssentials
internal import Glibc
internal import Images
internal import OCI
internal import Sys

/// `runimg-image`: one `WorkerRequest` on standard input, `WorkerEvent`s on standard output.
package enum Worker {
    /// More than the longest request; a line without end is refused.
    private static let requestLimit = 1 << 20

    /// Does what was asked and returns the exit status: 0 when all is stored and synced, 1 when nothing is.
    package static func main() -> Int32 {
        let interruption = Interruption()
        let sink = EventSink(output: STDOUT_FILENO, interruption: interruption)
        do throws(WorkerError) {
            try system("watch", "signals") { () throws(Errno) in try interruption.watch(output: STDOUT_FILENO) }
            raiseDescriptorLimit()
            try run(try readRequest(), sink, interruption)
            return 0
        } catch {
            // What ends because of an interruption is one, whatever it was called where it was noticed.
            let reported = interruption.isRequested ? WorkerError.interrupted : error
            sink.send(.failed(message: "\(reported)", kind: reported.kind))
            return 1
        }
    }

    private static func run(
        _ request: WorkerRequest, _ sink: EventSink, _ interruption: Interruption
    ) throws(WorkerError) {
        let store = ImageStore(dataRoot: request.dataRoot)
        let source = try source(request, store, sink, interruption)
        try lift(WorkerError.store) { () throws(StoreError) in try store.prepare() }
        try confine(store, sink)
        try Pull(
            store: store, source: source, platform: request.platform, allTags: request.allTags,
            maximumDownloads: request.maximumDownloads, sink: sink, interruption: interruption
        ).run()
    }

    /// From here on strangers' bytes are read. Threads are started later, so they are confined as well; the one that
    /// watches for signals runs already and reads nothing.
    private static func confine(_ store: ImageStore, _ sink: EventSink) throws(WorkerError) {
        do throws(Errno) {
            let root = try Directory.open(store.layout.root)
            try Confinement.limitWrites(to: root.raw)
        } catch {
            sink.send(.debug("writing is not confined to the data root, the kernel has no Landlock: \(error)"))
        }
        try system("set", "the filter of system calls") { () throws(Errno) in try Confinement.limitCalls() }
    }

    private static func source(
        _ request: WorkerRequest, _ store: ImageStore, _ sink: EventSink, _ interruption: Interruption
    ) throws(WorkerError) -> any ImageSource {
        let name = try SourceName(parsing: request.source)
        if request.allTags {
            guard case .registry = name else { throw .request("--all-tags needs the name of a repository") }
        }
        switch name {
        case .registry(let reference):
            return try RegistrySource(reference, request: request, sink: sink, interruption: interruption)
        case .layout(let path, let tag):
            return LayoutSource(files: try DirectoryLayout(path), tag: tag, typed: request.source)
        case .layoutArchive(let path, let tag):
            return LayoutSource(files: try archive(path, store, interruption), tag: tag, typed: request.source)
        case .dockerArchive(let path, let tag):
            return DockerArchiveSource(
                archive: try archive(path, store, interruption), tag: tag, typed: request.source)
        }
    }

    private static func archive(
        _ path: String, _ store: ImageStore, _ interruption: Interruption
    ) throws(WorkerError) -> Archive {
        // A compressed one is inflated into staging.
        try lift(WorkerError.store) { () throws(StoreError) in try store.prepare() }
        return try Archive(path, spool: store.layout.staging, interruption: interruption)
    }

    private static func readRequest() throws(WorkerError) -> WorkerRequest {
        var line: [UInt8] = []
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 4096, alignment: 16)
        defer { buffer.deallocate() }
        while !line.contains(UInt8(ascii: "\n")) {
            let count = try system("read", "the request") { () throws(Errno) in
                try File.read(STDIN_FILENO, into: buffer)
            }
            if count == 0 { break }
            line += buffer[..<count]
            if line.count > requestLimit { throw .request("the request has more than \(requestLimit) bytes") }
        }
        let text = line.prefix { $0 != UInt8(ascii: "\n") }
        do {
            return try JSONDecoder().decode(WorkerRequest.self, from: Data(text))
        } catch {
            throw .request("the request is no JSON of the form that this runimg-image knows")
        }
    }

    /// Each layer of an image holds a descriptor, and an image has up to 500 (getrlimit(2)).
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
