internal import CUserNamespace
internal import Glibc
internal import Runtime
internal import Synchronization
internal import Sys

extension Engine {
    /// The engine of this process. Started by an ordinary user, the process enters that user's namespace first, unless the
    /// options say that no container's or image's files are needed; so it must have one thread yet. Root without
    /// CAP_SYS_ADMIN, as in a container, is such a user: namespaces, mounts and `trusted.*` attributes all take that.
    package static func open(
        _ asked: GlobalOptions, notice: @escaping @Sendable (String) -> Void
    ) throws(EngineError) -> Engine {
        var options = asked
        let user = cuserns_started_as()
        let isOrdinary = user != 0 || !CapabilityMask(rawValue: ProcessStatus.capabilities).contains(.sysAdmin)
        if options.rootless == nil, isOrdinary {
            if options.readsOnly {
                // Of somebody whose environment is another's there is nothing to be read.
                let none = RootlessPlaces(dataRoot: nil, runDirectory: "/run/runimg", configurationFiles: [])
                options.rootless = Rootless(uid: user, places: (try? RootlessPlaces.find(user: user, options)) ?? none)
            } else {
                options.rootless = try RootlessEntry.entered(user, options)
            }
        }
        return try Engine(options, notice: notice)
    }
}

/// The way into the user's namespace, which a process goes once.
private enum RootlessEntry {
    /// Set once we are in, for a command that asks for its engine once more.
    private static let entry = Mutex<Rootless?>(nil)

    static func entered(_ user: UInt32, _ options: GlobalOptions) throws(EngineError) -> Rootless {
        if let entry = entry.withLock({ $0 }) { return entry }
        let places = try RootlessPlaces.find(user: user, options)
        // The namespace of mounts is entered at its root.
        let directory = try? File.readLink("/proc/self/cwd")
        let lock: OwnedFD
        do throws(EngineError) {
            lock = try NamespaceKeeper(runDirectory: places.runDirectory, user: user).enter()
        } catch .noUserNamespace(let errno, let remedies) {
            let bare = Rootless(
                uid: user, places: places, obstacle: NamespaceObstacle(errno: errno, remedies: remedies))
            entry.withLock { $0 = bare }
            return bare
        }
        if let directory, chdir(directory) != 0 {
            throw .system(SystemFailure("enter", directory, Errno.current))
        }
        // Open as long as the process is.
        let rootless = Rootless(places: places, lock: lock.release())
        entry.withLock { $0 = rootless }
        return rootless
    }
}
