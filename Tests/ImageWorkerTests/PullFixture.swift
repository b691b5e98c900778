import FoundationEssentials
import Glibc
import Images
import OCI
import Sys
import TestSupport

/// A data root of its own and the worker that fills it.
final class PullFixture: Sendable {
    let scratch: Scratch
    let dataRoot: String
    var store: ImageStore { ImageStore(dataRoot: dataRoot, marks: .trusted) }

    /// `dataRoot` is where the store shall be instead of in a directory of the fixture's.
    init(dataRoot: String? = nil) throws {
        scratch = try Scratch()
        self.dataRoot = dataRoot ?? scratch("data")
    }

    struct Outcome: CustomStringConvertible {
        let status: Int32?
        let events: [WorkerEvent]
        let description: String

        var image: Digest? {
            guard case .done(let image, _)? = events.last else { return nil }
            return image
        }

        var name: String? {
            guard case .done(_, let name)? = events.last else { return nil }
            return name
        }

        var failure: (message: String, kind: WorkerEvent.FailureKind)? {
            guard case .failed(let message, let kind)? = events.last else { return nil }
            return (message, kind)
        }

        /// The lines that docker prints when it is not on a terminal.
        var lines: [String] { events.compactMap(Outcome.line) }

        private static func line(_ event: WorkerEvent) -> String? {
            switch event {
            case .pulling(let tag, let repository): "\(tag): Pulling from \(repository)"
            case .layer(let id, .waiting): "\(id): Waiting"
            case .layer(let id, .pulling): "\(id): Pulling fs layer"
            case .layer(let id, .alreadyExists): "\(id): Already exists"
            case .layer(let id, .verifying): "\(id): Verifying Checksum"
            case .layer(let id, .downloaded): "\(id): Download complete"
            case .layer(let id, .complete): "\(id): Pull complete"
            case .layer(let id, .retrying): "\(id): Retrying"
            case .digest(let digest): "Digest: \(digest)"
            case .status(let text): "Status: \(text)"
            case .warning(let text): "Warning: \(text)"
            default: nil
            }
        }
    }

    func request(_ source: String, _ configure: (inout WorkerRequest) -> Void = { _ in }) throws -> [UInt8] {
        var request = WorkerRequest(verb: .pull, source: source, dataRoot: dataRoot)
        request.debug = true
        configure(&request)
        return Array(try JSONEncoder().encode(request)) + [UInt8(ascii: "\n")]
    }

    /// Runs the worker to its end. `prefix` is a command line that starts it.
    @discardableResult
    func pull(
        _ source: String, prefix: [String] = [], _ configure: (inout WorkerRequest) -> Void = { _ in }
    ) throws -> Outcome {
        let command = prefix + [Runimg.workerPath]
        let output = try Tool.run(
            command[0], Array(command.dropFirst()), input: try request(source, configure), timeout: 120)
        return try PullFixture.outcome(output.stdoutBytes, status: output.status, "\(output)")
    }

    static func outcome(_ bytes: [UInt8], status: Int32?, _ description: String) throws -> Outcome {
        let events = try bytes.split(separator: UInt8(ascii: "\n")).map { line in
            try JSONDecoder().decode(WorkerEvent.self, from: Data(line))
        }
        return Outcome(status: status, events: events, description: description)
    }

    /// Starts the worker and leaves it running; its events go to the file `events`.
    func start(_ source: String, events: String = "events", _ configure: (inout WorkerRequest) -> Void = { _ in })
        throws
        -> ChildProcess
    {
        let input = try scratch.file("request-\(Random.hex(bytes: 4))", try request(source, configure))
        let stdin = try File.open(input, O_RDONLY)
        let stdout = try File.open(scratch(events), O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
        return try ChildProcess(
            Runimg.workerPath, [], environment: Tool.baseEnvironment, input: .descriptor(stdin.raw),
            output: .descriptor(stdout.raw))
    }

    /// The events of a worker started with `start`, the last line left out when it was cut.
    func events(_ name: String = "events") throws -> [WorkerEvent] {
        try File.readAll(scratch(name)).split(separator: UInt8(ascii: "\n")).compactMap { line in
            try? JSONDecoder().decode(WorkerEvent.self, from: Data(line))
        }
    }

    /// The trees of an image's layers, bottom first.
    func trees(_ name: String) throws -> [TreeListing] {
        guard let image = try store.resolve(name) else { throw StoreError.noSuchImage(name) }
        return try image.layers.map { try TreeListing($0.diff) }
    }

    /// Everything that is visible in the store, and what lies in staging.
    func listing() throws -> TreeListing {
        try TreeListing(dataRoot, [.digests, .xattrs]).without("locks")
    }
}

/// An image of several layers big enough to be caught in the middle, in a layout of its own.
struct SampleImage {
    let layout: OCILayout
    let scratch: Scratch
    private(set) var layers: [OCILayout.Layer] = []

    var source: String { "oci:\(layout.path)" }

    init() throws {
        scratch = try Scratch()
        layout = try OCILayout(scratch("layout"))
    }

    /// A layer with a file of `size` bytes that do not compress, and some small ones.
    static func tar(_ name: String, size: Int, files: Int = 20, in scratch: Scratch) throws -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        var bytes: [UInt8] = []
        bytes.reserveCapacity(size + 8)
        while bytes.count < size { withUnsafeBytes(of: generator.next()) { bytes.append(contentsOf: $0) } }
        try scratch.file("tree-\(name)/data/\(name)", bytes)
        for number in 0..<files { try scratch.file("tree-\(name)/small/\(name)-\(number)", "\(number)\n", mode: 0o640) }
        return try Tool.check("tar", ["-C", scratch("tree-\(name)"), "--format=pax", "-c", "."]).stdoutBytes
    }

    mutating func addLayer(_ name: String, size: Int, files: Int = 20, _ compression: OCILayout.Compression = .gzip)
        throws
    {
        layers.append(
            try layout.layer(tar: try SampleImage.tar(name, size: size, files: files, in: scratch), compression))
    }

    /// The image of all layers so far, tagged.
    @discardableResult
    func finish(
        as tag: String = "latest", layers: [OCILayout.Layer]? = nil, platform: Platform = .current,
        configure: (inout ImageConfig) -> Void = { _ in }
    ) throws -> Descriptor {
        let image = try layout.image(layers ?? self.layers, platform: platform, configure: configure)
        try layout.tag(image, tag)
        return image
    }
}
