package import Engine

/// What the commands that give an image's or a container's files to others need of the engine.
package protocol AssemblyVerbs {
    func unpack(_ request: RunRequest, into path: String, observer: (EngineEvent) -> Void) throws
    func bundle(_ request: RunRequest, into path: String, observer: (EngineEvent) -> Void) throws
    func mount(_ name: String, at place: String?, _ scope: MountScope) throws -> String
    func unmount(_ name: String, force: Bool, _ scope: MountScope) throws -> String?
    func mountedFiles(_ scope: MountScope) throws -> [MountedFiles]
}
