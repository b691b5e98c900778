extension Engine {
    /// Stops a container for the machine's sake: as `stop`, but that the container does not count as stopped by somebody,
    /// so that it is among those that are started after the next boot. A command that is killed in between leaves it
    /// stopped for good.
    package func stopUntilBoot(_ name: String, signal: String?, timeout: Int?) throws(EngineError) {
        let found = try container(named: name)
        if found.state.isStopped { return try stop(found.id, signal: signal, timeout: timeout) }
        try stop(found.id, signal: signal, timeout: timeout)
        do throws(EngineError) {
            try containers.locked(found.id) { () throws(EngineError) in
                var record = try containers.load(found.id)
                guard record.state.isStopped, !condition(of: record).isRunning else { return }
                record.state.isStopped = false
                try containers.save(record)
            }
        } catch {
            // One that is removed when it ends is gone.
            if !error.isMissingObject, !found.autoRemove { throw error }
        }
    }
}
