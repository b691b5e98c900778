internal import Glibc
internal import Images
internal import Sys

extension Engine {
    static let garbageVerb = "delete-garbage"

    /// Starts a process of ours that deletes what was removed, and that nobody waits for. nil for an ordinary user without
    /// a user namespace: it would look for one.
    func deleterStart() -> (@Sendable () -> Bool)? {
        if let rootless, rootless.lock < 0 { return nil }
        let engine = self
        return { engine.startDeleter() }
    }

    private func startDeleter() -> Bool {
        // Its first further descriptor is 3.
        let line = ownCommandLine(Engine.garbageVerb, lock: 3)
        do throws(Errno) {
            let null = try File.open("/dev/null", O_RDWR)
            _ = try Spawn.start(
                line, executable: "/proc/self/exe", environment: [], input: null.raw, output: null.raw,
                error: null.raw, further: rootless.map { [$0.lock] } ?? [], session: true)
            return true
        } catch {
            return false
        }
    }

    /// What that process does.
    package func deleteGarbage() throws(EngineError) {
        // It keeps no file system busy by its working directory.
        try call("enter", "/") { () throws(Errno) in try check { chdir("/") } }
        try store { () throws(StoreError) in try images.deleteGarbage() }
    }
}
