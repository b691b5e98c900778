internal import Glibc
internal import Sys

/// What of ours is mounted on the host for others to see. The mount table itself is the record, so that nothing is stale
/// after a kill or a reboot. A container's files have their main place at its `merged`, an image's at `mounts/ID`;
/// further places show the same file system.
struct HostMounts {
    private static let types: Set<String> = ["overlay", "fuse.fuse-overlayfs"]

    /// How long a mount that is in use is waited for, nanoseconds.
    private static let patience: Int64 = 500_000_000

    private let table: MountTable

    static func read() throws(EngineError) -> HostMounts {
        HostMounts(table: try system { () throws(SystemFailure) in try MountTable.read() })
    }

    /// A whole file system of a driver's kind at `point`, which is named as the kernel does.
    func mount(at point: String) -> MountTable.Line? {
        guard let line = table.top(at: point), HostMounts.types.contains(line.type), line.root == "/" else {
            return nil
        }
        return line
    }

    /// All places of a mount, its main place first.
    func places(of main: MountTable.Line) -> [String] {
        let others = table.lines.filter { $0.device == main.device && $0.root == "/" && $0.point != main.point }
        return [main.point] + others.map(\.point)
    }

    /// What is mounted below one of `places` and is none of them.
    func stranger(below places: [String]) -> String? {
        places.lazy.flatMap { table.points(below: $0) }.first { !places.contains($0) }
    }

    /// Takes the mount away, its main place last. `lazily`: also from under those who use it.
    func unmount(_ main: MountTable.Line, _ what: String, lazily: Bool) throws(EngineError) {
        let places = places(of: main)
        if let stranger = stranger(below: places) {
            throw .conflict("cannot unmount \(what): something else is mounted at \(stranger); unmount that first")
        }
        for place in places.reversed() { try HostMounts.unmount(place, what, lazily: lazily) }
    }

    static func unmount(_ place: String, _ what: String, lazily: Bool) throws(EngineError) {
        // A program that only looks round is gone in a moment.
        let end = Clock.monotonicNanoseconds + patience
        while true {
            do throws(Errno) {
                return try DetachedMount.unmount(place, lazily: lazily)
            } catch .busy {
                guard Clock.monotonicNanoseconds < end else {
                    throw .conflict(
                        "cannot unmount \(what): \(place) is in use; end what uses it, or take it away with --force")
                }
                usleep(10_000)
            } catch {
                // Not mounted (any more).
                if error == .invalid { return }
                throw .system(SystemFailure("unmount", place, error))
            }
        }
    }
}

extension Engine {
    /// Where a container's files are mounted on the host, or copied for a user; nil where they are not.
    func mountedPath(of id: String) throws(EngineError) -> String? {
        guard let point = try Engine.realPath(containers.merged(id)) else { return nil }
        if let mark = try copyMark(of: id) { return mark.isMounted ? point : nil }
        return try HostMounts.read().mount(at: point)?.point
    }

    /// Takes a container's mount away, if there is one.
    func unmount(_ record: ContainerRecord, lazily: Bool) throws(EngineError) {
        if File.exists(containers.copyMark(record.id)) { return try unmountCopy(of: record) }
        guard let point = try Engine.realPath(containers.merged(record.id)) else { return }
        let mounts = try HostMounts.read()
        guard let main = mounts.mount(at: point) else { return }
        try mounts.unmount(main, "container \(record.name)", lazily: lazily)
        if main.type == "fuse.fuse-overlayfs", !condition(of: record).isRunning { try tidy(record.id) }
    }

    /// Takes an image's mount away, if there is one.
    func unmount(at point: String, _ what: String, lazily: Bool) throws(EngineError) {
        guard let point = try Engine.realPath(point) else { return }
        let mounts = try HostMounts.read()
        if let main = mounts.mount(at: point) { try mounts.unmount(main, what, lazily: lazily) }
    }

    /// As the mount table has it, links resolved; nil where there is no such directory.
    static func realPath(_ directory: String) throws(EngineError) -> String? {
        do throws(Errno) {
            let opened = try File.open(directory, O_PATH | O_DIRECTORY)
            let path = try File.readLink("/proc/self/fd/\(opened.raw)")
            _ = consume opened
            return path
        } catch .noEntry {
            return nil
        } catch {
            throw .system(SystemFailure("open directory", directory, error))
        }
    }
}
