internal import Glibc
internal import OCI
internal import Sys

/// `/run/runimg/ID/health.json`: how a container that runs is. It goes with the run, as the machine's does.
extension LiveContainers {
    static let healthName = "health.json"
    static let newHealthName = "health.new"

    /// nil before the first check has ended.
    func health(of id: String) -> ContainerHealth? {
        guard let entry = try? Directory.open(path(of: id)) else { return nil }
        return LiveContainers.health(in: entry.raw)
    }

    /// Changes what is known while the entry still serves the process `serving`; nil when it no longer does. One at a
    /// time: a check by hand may end beside the monitor's.
    func updateHealth(
        of id: String, serving: LiveState.Process, _ change: (inout ContainerHealth) -> Void
    ) throws(EngineError) -> (before: ContainerHealth, after: ContainerHealth)? {
        let path = path(of: id)
        do throws(Errno) {
            let entry = try DirectoryLock(path, mode: .exclusive)
            guard state(of: id)?.process == serving else { return nil }
            let before = LiveContainers.health(in: entry.raw) ?? ContainerHealth()
            var after = before
            change(&after)
            let file = try File.open(
                LiveContainers.newHealthName, O_WRONLY | O_CREAT | O_TRUNC, mode: 0o600, at: entry.raw)
            try File.write(file.raw, FieldWriter.line(after))
            try file.close()
            try File.rename(
                LiveContainers.newHealthName, at: entry.raw, to: LiveContainers.healthName, at: entry.raw)
            return (before, after)
        } catch .noEntry {
            // Its end is recorded.
            return nil
        } catch {
            throw .system(SystemFailure("write the health of", path, error))
        }
    }

    /// A container that starts once more begins anew.
    func forgetHealth(of id: String) throws(EngineError) {
        let file = "\(path(of: id))/\(LiveContainers.healthName)"
        do throws(Errno) {
            try File.unlink(file)
        } catch {
            if error != .noEntry { throw .system(SystemFailure("remove", file, error)) }
        }
    }

    private static func health(in entry: Int32) -> ContainerHealth? {
        guard let bytes = try? File.readAll(healthName, at: entry, limit: 1 << 20) else { return nil }
        return try? ContainerHealth(reading: bytes)
    }
}
