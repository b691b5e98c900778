internal import Sys

/// Processes by their namespaces or their tracer, where no cgroup lists them.
enum NamespaceMembers {
    /// All that are in the pid namespace of `process`, by number; those that may not be looked at are left out.
    static func processes(sharingPidsWith process: Int32) -> [Int32] {
        func namespace(_ pid: Int32) -> UInt64? {
            (try? File.status("/proc/\(pid)/ns/pid", follow: true))?.inode
        }
        guard let own = namespace(process) else { return [] }
        return all().filter { namespace($0) == own }.sorted()
    }

    /// All that `process`, an emulator, traces, but for the stub that guards them.
    static func processes(tracedBy process: Int32) -> [Int32] {
        let guardian = ProcessStatus.children(process).first
        return all().filter { $0 != guardian && ProcessStatus.tracer($0) == process }.sorted()
    }

    private static func all() -> [Int32] {
        ((try? Directory.entries("/proc")) ?? []).compactMap { Int32($0.name) }
    }
}
