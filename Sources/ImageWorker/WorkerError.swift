internal import Images
internal import Layers
internal import OCI
internal import Registry
internal import Sys

/// Why a pull ended without an image.
enum WorkerError: Error, Sendable {
    case request(String)
    case store(StoreError)
    case registry(RegistryError)
    case manifest(ManifestError)
    case layer(shown: String, LayerError)
    /// Files that could not be moved.
    case transfer(LayerError)
    /// A blob that is not what its descriptor promises.
    case blob(shown: String, reason: String)
    /// A local layout or archive that cannot be read or is not one.
    case source(String, reason: String)
    case noPlatform(name: String, wanted: Platform, actual: Platform)
    case system(SystemFailure)
    /// The other of the two processes said so.
    case reported(message: String, kind: WorkerEvent.FailureKind)
    /// What the confined process asked for and may not have.
    case breach(String)
    /// The confined process ended without a word.
    case died(Spawn.Exit)
    case interrupted

    /// The engine decides by it what it does next.
    var kind: WorkerEvent.FailureKind {
        switch self {
        case .request: .usage
        case .store, .system: .store
        case .registry(let error): WorkerError.kind(of: error)
        case .manifest(.noMatch): .notFound
        case .manifest, .blob, .noPlatform, .source, .breach, .died: .invalid
        case .reported(_, let kind): kind
        case .layer(_, let error), .transfer(let error): WorkerError.kind(of: error)
        case .interrupted: .interrupted
        }
    }

    private static func kind(of error: RegistryError) -> WorkerEvent.FailureKind {
        switch error {
        case .configuration: .usage
        case .notFound: .notFound
        case .denied: .denied
        case .unavailable: .network
        case .refused: .invalid
        case .file: .store
        case .interrupted: .interrupted
        }
    }

    private static func kind(of error: LayerError) -> WorkerEvent.FailureKind {
        switch error {
        case .system, .limit(.freeSpaceReserve, _, _), .limit(.freeInodeReserve, _, _): .store
        default: .invalid
        }
    }

    /// Whether what was fetched is of use to the next pull: not when it is wrong, nor when it fills the disk.
    var keepsFetched: Bool {
        switch kind {
        case .invalid, .store, .usage: false
        case .notFound, .denied, .network, .interrupted: true
        }
    }
}

extension WorkerError: CustomStringConvertible {
    var description: String {
        switch self {
        case .request(let text): text
        case .store(let error): "\(error)"
        case .registry(let error): "\(error)"
        case .manifest(let error): "\(error)"
        case .layer(let shown, let error): "layer \(shown): \(error)"
        case .transfer(.refused(let entry, let reason)): "\"\(entry)\" refused: \(reason)"
        case .transfer(let error): "\(error)"
        case .blob(let shown, let reason): "layer \(shown) refused: \(reason)"
        case .source(let name, let reason): "\(ForeignText(name)): \(reason)"
        case .noPlatform(let name, let wanted, let actual):
            "\(name) has no image for \(wanted): its only manifest is for \(ForeignText("\(actual)"))"
        case .system(let failure): "\(failure)"
        case .reported(let message, _): message
        case .breach(let what): "refused: the process that reads the image asked for \(what)"
        case .died(.signal(let number)): "the process that reads the image was ended by signal \(number)"
        case .died(.code(let code)): "the process that reads the image ended with status \(code)"
        case .interrupted: "interrupted; what was fetched is kept, and the next pull goes on from it"
        }
    }
}

/// Runs `body` and passes its error on as one of ours.
func lift<T: ~Copyable, E: Error>(
    _ wrap: (E) -> WorkerError, _ body: () throws(E) -> T
) throws(WorkerError) -> T {
    do throws(E) {
        return try body()
    } catch {
        throw wrap(error)
    }
}

/// As `lift`, for a system call on something that has a name.
func system<T: ~Copyable>(
    _ operation: String, _ subject: String, _ body: () throws(Errno) -> T
) throws(WorkerError) -> T {
    do throws(Errno) {
        return try body()
    } catch {
        throw .system(SystemFailure(operation, subject, error))
    }
}
