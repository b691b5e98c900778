package import Engine

/// What the commands need of the engine. `run` returns the container's exit code; the others throw when something failed.
package protocol EngineVerbs {
    func run(_ request: RunRequest, observer: (EngineEvent) -> Void) throws -> Int32
    func pull(_ request: PullRequest, observer: (EngineEvent) -> Void) throws
    func images(observer: (EngineEvent) -> Void) throws -> [ImageSummary]
    func removeImage(_ name: String, force: Bool, prune: Bool) throws -> [ImageRemoval]
    func info() throws -> SystemInfo
    func version() -> VersionInfo
}

/// An error that may know its exit code (126, 127); nil takes the command's own.
package protocol ExitCodeError: Error {
    var exitCode: Int32? { get }
}

extension Engine: EngineVerbs {}
extension EngineError: ExitCodeError {}
