package import Logs
internal import Sys

extension Engine {
    /// Where commands note what they did.
    var eventLog: EventLog { EventLog(dataRoot: dataRoot) }

    /// Gives events to `take` until it says no or the query's time is over. `outputs` are descriptors: when nobody reads
    /// them any more it ends.
    package func events(
        _ query: EventQuery, outputs: [Int32], take: @escaping (Event) -> Bool,
        notice: @escaping (LogNotice) -> Void
    ) throws(EngineError) {
        // There may be none before the first command.
        try system { () throws(SystemFailure) in try Directory.makePath(dataRoot, mode: 0o710) }
        do throws(LogError) {
            try eventLog.read(query, outputs: outputs, notice: notice, take: take)
        } catch {
            throw .log(error)
        }
    }
}
