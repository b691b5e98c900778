package import Images

/// What a verb has to say while it works; the command line decides how it looks.
package enum EngineEvent: Sendable, Hashable {
    /// `run` needs an image that is not here and starts to pull it; the familiar name with its tag.
    case imageMissing(String)
    case pull(WorkerEvent)
    case warning(String)
    /// What `--dry-run` found out, in lines.
    case plan(String)
    /// What `--timing` found out: nanoseconds of each phase that was gone through.
    case timing([RunPhase: Int64])
}
