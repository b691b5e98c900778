internal import Sys

extension Engine {
    /// Cleans up after containers that ended with the machine: `/run` is empty after a boot, so no entry there tells of
    /// them. Done once a boot, which a mark in the data root remembers; costs two small reads otherwise.
    func sweepAfterBoot() -> [EngineError] {
        guard let boot = try? File.readAll("/proc/sys/kernel/random/boot_id", limit: 64),
            containers.bootMark != boot, let identifiers = try? containers.identifiers(), !identifiers.isEmpty
        else { return [] }
        var failures: [EngineError] = []
        for id in identifiers {
            do throws(EngineError) {
                try sweepAfterBoot(id)
            } catch {
                failures.append(error)
            }
        }
        do throws(EngineError) {
            if failures.isEmpty { try containers.setBootMark(boot) }
        } catch {
            failures.append(error)
        }
        return failures
    }

    private func sweepAfterBoot(_ id: String) throws(EngineError) {
        // A container is entered before its directory is made, and left after its end is recorded: without an entry the
        // record that is read now is the last one.
        if live.hasEntry(id) { return }
        guard var record = try recordOrRemains(id) else { return }
        if record.autoRemove { return try discard(record) }
        if record.state.status == .exited || record.state.status == .created { return }
        record.state.status = .exited
        // docker's word for an end that nobody saw.
        record.state.exitCode = 255
        record.state.finishedAt = Clock.timestamp
        record.state.error = "the machine went down while the container ran"
        try containers.save(record)
    }
}
