package import Sys

/// Why a cgroup could not be made, limited, emptied or removed.
package enum CgroupError: Error, Sendable, CustomStringConvertible {
    /// No cgroup file system is mounted.
    case notMounted
    /// `cgroupsPath` is not a path below a hierarchy's root.
    case path(String, reason: String)
    /// A limit was asked for and nothing on this machine can enforce it.
    case missingController(limit: String, controller: String, available: [String])
    /// The controller is there, one of its files is not: the kernel was built or booted without a part of it.
    case missingFile(limit: String, file: String, remedy: String)
    /// The limit makes no sense, alone or beside another one.
    case limit(String, reason: String)
    /// The kernel refused a value.
    case refused(limit: String, value: String, file: String, Errno)
    /// cgroup v2 does not pass a controller down to the container's parent.
    case notDelegated(limit: String, controller: String, directory: String, Errno)
    /// There is a cgroup of that name, with processes or cgroups in it.
    case inUse(String)
    case system(SystemFailure)
    /// Processes are still there after the time given.
    case populated(path: String, processes: Int)

    package var description: String {
        switch self {
        case .notMounted:
            "no cgroup file system is mounted: mount cgroup2 on /sys/fs/cgroup"
        case .path(let path, let reason):
            "invalid cgroup path \"\(path)\": \(reason)"
        case .missingController(let limit, let controller, let available) where available.isEmpty:
            "cannot apply \(limit): it takes the cgroup controller \"\(controller)\", and no cgroup of this machine is "
                + "yours to use; run with root's rights, have a cgroup delegated to you, or leave the limit out"
        case .missingController(let limit, let controller, let available):
            "cannot apply \(limit): cgroup controller \"\(controller)\" is not available (available: "
                + "\(available.joined(separator: ", "))); enable it in the kernel "
                + "(\(CgroupError.bootRemedy(controller))) or leave the limit out"
        case .missingFile(let limit, let file, let remedy):
            "cannot apply \(limit): this kernel has no \(file); \(remedy)"
        case .limit(let limit, let reason):
            "invalid \(limit): \(reason)"
        case .refused(let limit, let value, let file, let errno):
            "cannot apply \(limit): write \"\(value)\" to \(file): \(errno)"
                + (errno == .busy && file.contains("/memory.") ? "; the processes in it hold more than that" : "")
        case .notDelegated(let limit, let controller, let directory, let errno):
            "cannot apply \(limit): enable cgroup controller \"\(controller)\" in "
                + "\(directory)/cgroup.subtree_control: \(errno)\(CgroupError.delegationRemedy(errno))"
        case .inUse(let directory):
            "make cgroup \(directory): EBUSY: it is there already, with processes or cgroups in it; remove what uses it, or "
                + "give another path"
        case .system(let failure):
            failure.description
        case .populated(let path, let processes):
            "cgroup \(path) still has \(processes) process\(processes == 1 ? "" : "es")"
        }
    }

    private static func bootRemedy(_ controller: String) -> String {
        controller == "memory" ? "boot with cgroup_enable=memory" : "mount or build in the \(controller) controller"
    }

    /// cgroup-v2.rst, "No Internal Process Constraint": only a true root may have both processes and controllers.
    private static func delegationRemedy(_ errno: Errno) -> String {
        if errno != .busy && errno != .notSupported { return "" }
        return "; processes live in that cgroup: move them into a child of it first"
    }
}
