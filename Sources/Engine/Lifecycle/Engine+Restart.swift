extension Engine {
    /// Stops a container where it runs, as `stop` does, and starts it.
    package func restart(_ name: String, signal: String?, timeout: Int?) throws(EngineError) {
        let record = try container(named: name)
        try stop(record.id, signal: signal, timeout: timeout)
        try start(record.id)
        note("restart", record)
    }
}
