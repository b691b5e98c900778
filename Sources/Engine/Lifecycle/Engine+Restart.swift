extension Engine {
    /// Stops a container where it runs, as `stop` does, and starts it. One of `--rm` is not removed in between.
    package func restart(_ name: String, signal: String?, timeout: Int?) throws(EngineError) {
        let record = try container(named: name)
        try stop(record.id, signal: signal, timeout: timeout, mark: .kept)
        try start(record.id)
        note("restart", record)
    }
}
