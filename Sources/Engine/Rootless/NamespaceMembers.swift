internal import Sys

/// Processes by their namespaces, where no cgroup lists them.
enum NamespaceMembers {
    /// All that are in the pid namespace of `process`, by number; those that may not be looked at are left out.
    static func processes(sharingPidsWith process: Int32) -> [Int32] {
        func namespace(_ pid: Int32) -> UInt64? {
            (try? File.status("/proc/\(pid)/ns/pid", follow: true))?.inode
        }
        guard let own = namespace(process) else { return [] }
        let all = ((try? Directory.entries("/proc")) ?? []).compactMap { Int32($0.name) }
        return all.filter { namespace($0) == own }.sorted()
    }
}
