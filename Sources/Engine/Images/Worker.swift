internal import FoundationEssentials
internal import Glibc
internal import Images
internal import OCI
internal import Sys

/// Starts `runimg-image` with one request and reads its events, as git does with its transport helpers.
struct Worker {
    struct Result {
        var image: Digest
        var name: String
    }

    /// Beside us, or where `make install` puts it.
    static func find() throws(EngineError) -> String {
        let own = (try? File.readLink("/proc/self/exe")) ?? "/usr/local/bin/runimg"
        let directory = Path.split(own).parent
        let places = [directory + "/runimg-image", directory + "/../libexec/runimg/runimg-image"]
        for place in places where access(place, X_OK) == 0 { return place }
        throw .workerMissing(searched: places)
    }

    /// Runs the request to its end. Every event but the last goes to `observe`. Ctrl-C reaches the worker by the
    /// terminal; it keeps what it has fetched and says that it was interrupted.
    static func run(_ request: WorkerRequest, observe: (WorkerEvent) -> Void) throws(EngineError) -> Result {
        guard case .done(let image, let name) = try outcome(of: request, observe: observe) else {
            throw .workerDied("it ended with another answer than was asked for")
        }
        return Result(image: image, name: name)
    }

    /// The same, with whatever event is the last. The worker gets `further`, borrowed, as descriptors 3 and so on.
    static func outcome(
        of request: WorkerRequest, further: [Int32] = [], observe: (WorkerEvent) -> Void = { _ in }
    ) throws(EngineError) -> WorkerEvent {
        var outcome: Swift.Result<WorkerEvent, EngineError>?
        try WorkerGroup(requests: [request], atOnce: 1, shared: further).run { _, event in
            observe(event)
        } ended: {
            outcome = $1
        }
        guard let outcome else { throw .workerDied("it was not started") }
        return try outcome.get()
    }

    static func encode(_ request: WorkerRequest) throws(EngineError) -> [UInt8] {
        do {
            return Array(try JSONEncoder().encode(request)) + [UInt8(ascii: "\n")]
        } catch {
            throw .invalid("cannot encode the request: \(error)")
        }
    }
}
