package import OCI
internal import Sys

/// What is kept of a container in `containers/ID/config.json`: all that a start needs, decided when it was made, and its
/// state. Whether it runs is not told by the record alone (`Engine.condition(of:)`).
package struct ContainerRecord: Sendable, Hashable {
    /// 2: what goes without saying is left out.
    static let currentVersion = 2

    /// Of this format: a record of a later one is refused, not misread.
    package var version = ContainerRecord.currentVersion
    package var id: String
    package var name: String
    /// RFC 3339 in UTC, as all times here.
    package var created: String
    package var image: Digest
    /// As the user typed it.
    package var imageName: String
    package var path: String
    package var args: [String]
    /// Its image's, the files' and the flags'.
    package var labels: [String: String] = [:]
    /// As asked, with what came from the caller's surroundings settled: absolute paths, profiles, mounts.
    package var request: RunRequest
    /// The image's part of the configuration.
    package var execution: ImageConfig.Execution
    package var hostname = ""
    /// The seccomp profile that a file gave when the container was made: whatever becomes of the file, it stays.
    package var seccompProfile: String?
    /// The user's own `KEY=VALUE`s, the files' first.
    package var environment: [String] = []
    /// All mounts of volumes, paths and memory, the image's volumes with them, each volume by name.
    package var mounts: [MountRequest] = []
    package var anonymousVolumes: [String] = []
    /// What makes its processes; nil, as in older records: our own runtime.
    package var runtime: RuntimeChoice?
    /// The image's top layer by chain ID: it and those below may not be removed while this record is here.
    package var topLayer: Digest?
    package var state = State()

    /// Removed when it ends (`--rm`).
    package var autoRemove: Bool { request.remove }

    package struct State: Sendable, Hashable {
        package enum Status: String, Sendable { case created, running, restarting, exited }

        package var status = Status.created
        package var exitCode: Int32?
        package var oomKilled = false
        package var startedAt: String?
        package var finishedAt: String?
        package var error: String?
        package var restartCount = 0
        /// Stopped by a command: no policy starts it again by itself.
        package var isStopped = false
        /// At the end of the last run; nil where nothing checks it.
        package var health: ContainerHealth?
        /// Recorded as running, or about to be started again: it is over where nobody serves it.
        var isUnderWay: Bool { status == .running || status == .restarting }

        package init() {}
    }

    package init(
        id: String, name: String, image: Digest, request: RunRequest, execution: ImageConfig.Execution,
        arguments: [String]
    ) {
        self.id = id
        self.name = name
        self.created = Clock.timestamp
        self.image = image
        self.imageName = request.image
        self.path = arguments.first ?? ""
        self.args = Array(arguments.dropFirst())
        self.request = request
        // For the pull, which is over.
        self.request.registryAccess = nil
        self.request.registryRules = nil
        self.execution = execution
    }

    /// Before anything is read.
    init() { self.init(id: "", name: "", image: .of([]), request: .blank, execution: .blank, arguments: []) }

    package var shortID: String { String(id.prefix(12)) }

    /// As text.
    var encoded: [UInt8] { FieldWriter.line(self) }

    /// Reads the record of container `id`; `remedy` is for the errors.
    static func decode(
        _ bytes: [UInt8], of id: String, path: String, remedy: String
    ) throws(EngineError) -> ContainerRecord {
        if bytes.isEmpty { throw .damaged(path: path, reason: "it is empty", remedy: remedy) }
        var record: ContainerRecord
        do {
            let document = try JSONValue(parsing: bytes)
            // One of a later format that happens to be readable would lose what only that format knows.
            let version = document["version"]?.integer ?? Int64(currentVersion)
            guard version <= Int64(currentVersion) else { throw EngineError.newer(path: path, version: Int(version)) }
            record = try ContainerRecord(document)
        } catch let error as EngineError {
            throw error
        } catch {
            throw .damaged(path: path, reason: "it is not a container's record (\(error))", remedy: remedy)
        }
        // Written once more, it is of this format.
        record.version = currentVersion
        // What is done to a container is done to the directories that its ID names.
        guard record.id == id else {
            throw .damaged(path: path, reason: "it is another container's record", remedy: remedy)
        }
        return record
    }
}
