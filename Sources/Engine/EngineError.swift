package import Cgroups
package import Images
package import Logs
package import Network
internal import OCI
package import Rootfs
package import Runtime
package import Sys

/// What can go wrong in a verb of the engine. The one place where an error becomes a message and an exit code.
package enum EngineError: Error {
    /// The request can't be carried out as asked, whatever the machine.
    case invalid(String)
    /// An ordinary user works in a user namespace, and the machine allows none.
    case noUserNamespace(Errno, remedies: [String])
    /// Something that is named twice, or still in use.
    case conflict(String)
    case noSuchImage(String)
    case noSuchContainer(String)
    case noSuchVolume(String)
    case noSuchNetwork(String)
    /// Neither a container nor an image.
    case noSuchObject(String)
    /// The container with this ID.
    case notRunning(String)
    /// A container whose namespace is to be joined does not run: docker's words.
    case cannotJoin(String)
    /// The process that served this container was killed.
    case monitorDied(String)
    case notSupportedYet(String)
    case configuration(path: String, reason: String)
    /// A record that can't be what was written; it stays where it is.
    case damaged(path: String, reason: String, remedy: String)
    /// A record of a later runimg.
    case newer(path: String, version: Int)
    /// `runimg-image` said why.
    case worker(message: String, kind: WorkerEvent.FailureKind)
    case workerMissing(searched: [String])
    case workerDied(String)
    case store(StoreError)
    case runtime(RuntimeError)
    case rootfs(RootfsError)
    /// A storage driver that does not work here, and what would help.
    case driverUnusable(StorageDriver, String)
    case cgroup(CgroupError)
    case network(NetworkError)
    case log(LogError)
    /// `-t -i` with something else on standard input.
    case notATerminal
    case system(SystemFailure)
}

extension EngineError {
    /// docker's code where the error has one of its own: 126 not executable, 127 not found, 130 for Ctrl-C in a pull.
    /// nil leaves it to the command: 125 for those that start containers, 1 for the others.
    package var exitCode: Int32? {
        switch self {
        case .runtime(let error): error.exitCode
        case .notATerminal: 1
        case .worker(_, .interrupted): 130
        case .notSupportedYet: 125
        default: nil
        }
    }
}

extension EngineError {
    /// Whether a record is there and can't be used: damaged, or of a later runimg.
    var isUnusableRecord: Bool {
        switch self {
        case .damaged, .newer: true
        default: false
        }
    }

    /// Whether what was named is not there.
    package var isMissingObject: Bool {
        switch self {
        case .noSuchImage, .noSuchContainer, .noSuchVolume, .noSuchNetwork, .noSuchObject, .store(.noSuchImage): true
        default: false
        }
    }
}

extension EngineError: CustomStringConvertible {
    package var description: String {
        switch self {
        case .invalid(let message), .conflict(let message), .cannotJoin(let message): message
        case .noUserNamespace(let errno, let remedies):
            "without root's rights, runimg needs a user namespace, and this machine refuses one: \(errno). Ways out: "
                + remedies.joined(separator: "; or ")
        case .noSuchImage(let name): "No such image: \(name)"
        case .noSuchContainer(let name): "No such container: \(ForeignText(name))"
        case .noSuchVolume(let name): "get \(ForeignText(name)): no such volume"
        case .noSuchNetwork(let name): "network \(ForeignText(name)) not found"
        case .noSuchObject(let name): "no container or image with name or ID \"\(ForeignText(name))\" found"
        case .monitorDied(let id):
            "the monitor of container \(id) was killed, and the container with it"
        case .notRunning(let id): "container \(id) is not running"
        case .notSupportedYet(let what): "\(what) is not supported yet (planned)"
        case .configuration(let path, let reason): "unable to configure with file \(path): \(reason)"
        case .damaged(let path, let reason, let remedy):
            "\(StoreError.damaged(path: path, reason: reason, remedy: remedy))"
        case .newer(let path, let version): "\(StoreError.newer(path: path, version: version))"
        case .worker(let message, _): message
        case .workerMissing(let searched):
            "cannot find runimg-image, which pulls images: looked at \(searched.joined(separator: ", ")); "
                + "install it beside runimg"
        case .workerDied(let how): "runimg-image ended without a result (\(how)); nothing was added to the store"
        case .store(let error): "\(error)"
        case .runtime(let error): "\(error)"
        case .rootfs(let error): "\(error)"
        case .driverUnusable(let driver, let reason): "storage driver \(driver.rawValue) does not work here: \(reason)"
        case .cgroup(let error): "\(error)"
        // Its own words, but for names, and longer.
        case .network(.port(let failure)): "\(failure)"
        case .network(let error): "\(ForeignText("\(error)"))"
        case .log(let error): "\(error)"
        case .notATerminal: "the input device is not a TTY"
        case .system(let failure): "\(failure)"
        }
    }
}
