package import Logs
internal import Sys

/// What `logs` is asked for.
package struct LogsRequest: Sendable, Hashable {
    /// Names, IDs, or beginnings of IDs.
    package var containers: [String]
    package var query = LogQuery()
    /// Until the containers end.
    package var follow = false
    /// Descriptors of the output: when nobody reads it any more, following ends.
    package var outputs: [Int32] = []

    package init(containers: [String]) { self.containers = containers }
}

/// The container that an entry is of.
package struct LogSource: Sendable, Hashable {
    package let id: String
    package let name: String
    /// Its output is a terminal's: all of it goes to standard output.
    package let hasTerminal: Bool

    package init(id: String, name: String, hasTerminal: Bool) {
        self.id = id
        self.name = name
        self.hasTerminal = hasTerminal
    }
}

/// What `logs` tells.
package protocol LogsObserver: AnyObject {
    /// False ends the reading.
    func take(_ entry: LogEntry, of source: LogSource) -> Bool
    func notice(_ notice: LogNotice)
    /// Nothing more comes for now.
    func willWait()
}

extension Engine {
    /// Gives what containers wrote: one after the other what there is, then as it comes. A container that waits for its
    /// next start is followed through it.
    package func logs(_ request: LogsRequest, observer: any LogsObserver) throws(EngineError) {
        var records: [ContainerRecord] = []
        for name in request.containers { records.append(try container(named: name)) }
        for record in records where record.request.log.driver == LogOptions.Driver.none {
            throw .invalid("configured logging driver does not support reading")
        }
        do throws(LogError) {
            var followed: [FollowedLines] = []
            for record in records {
                let reader = try reader(of: record, request.query, observer)
                try reader.readAll()
                guard request.follow, mayWrite(record.id) else { continue }
                // The run directory goes away with the process that writes.
                let lines = reader.followed(sign: live.path(of: record.id)) { mayWrite(record.id) }
                if let lines { followed.append(lines) }
            }
            try Following.run(
                followed, until: request.query.until,
                output: FollowingOutput(request.outputs) { observer.willWait() })
        } catch {
            throw .log(error)
        }
    }

    private func reader(
        of record: ContainerRecord, _ query: LogQuery, _ observer: any LogsObserver
    ) throws(LogError) -> LogReader {
        let source = LogSource(id: record.id, name: record.name, hasTerminal: record.request.terminal)
        return try LogReader(
            directory: containers.directory(record.id), name: Engine.logName(record.id), query,
            notice: { observer.notice($0) }, take: { observer.take($0, of: source) })
    }

    /// Of the newest file of a container's log, in the container's directory.
    static func logName(_ id: String) -> String { "\(id)-json.log" }

    /// Whether a process of ours may still write the container's log.
    private func mayWrite(_ id: String) -> Bool {
        guard let record = try? containers.load(id) else { return false }
        switch condition(of: record) {
        case .created, .exited: return false
        case .starting, .running, .restarting, .ending: return true
        }
    }
}
