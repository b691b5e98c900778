package import Engine

/// What the commands need of the engine. `run` returns the container's exit code; the others throw when something failed.
package protocol EngineVerbs {
    func run(_ request: RunRequest, observer: @escaping (EngineEvent) -> Void) throws -> Int32
    func pull(_ request: PullRequest, observer: @escaping (EngineEvent) -> Void) throws
    func images() throws -> [ImageSummary]
    func removeImage(_ name: String, force: Bool, prune: Bool) throws -> [ImageRemoval]
    func info() throws -> SystemInfo
    func version() -> VersionInfo
}

/// An error of the engine that knows its exit code (125, 126, 127); others get the command's own.
package protocol ExitCodeError: Error {
    var exitCode: Int32 { get }
}
