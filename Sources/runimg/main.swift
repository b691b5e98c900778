internal import DockerCLI
internal import Glibc

/// The engine is not joined to this build yet: commands are parsed, and then say so.
private struct NoEngine: Error, CustomStringConvertible {
    var description: String { "the engine is not part of this build" }
}

exit(DockerCLI.main { _ throws(NoEngine) in throw NoEngine() })
