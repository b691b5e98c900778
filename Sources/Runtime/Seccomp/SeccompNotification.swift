internal import OCI

/// Calls of which a process outside is told, and which it answers (seccomp_unotify(2)).
enum SeccompNotification {
    static let action = "SCMP_ACT_NOTIFY"

    static let stopsItself = SeccompError.unsupported(
        "defaultAction: \(action) would stop the runtime itself; name the calls in syscalls")

    private static func notifies(_ profile: Spec.Seccomp) -> Bool {
        profile.syscalls?.contains { $0.action == action } == true
    }

    /// `flags` with what a filter that has a listener is loaded with.
    static func flags(_ profile: Spec.Seccomp, with flags: UInt32) throws(SeccompError) -> UInt32 {
        let (tsync, newListener, tsyncNumber, waitKillable): (UInt32, UInt32, UInt32, UInt32) = (
            1, 1 << 3, 1 << 4, 1 << 5
        )
        if !notifies(profile) {
            if flags & waitKillable == 0 { return flags }
            throw .unsupported("flags: SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV without a rule of \(action)")
        }
        // The result can't be both a descriptor and the number of a thread.
        return flags | newListener | (flags & tsync == 0 ? 0 : tsyncNumber)
    }

    /// Where the listener goes; nil where no call is notified. Refused is what the child needs before somebody can answer,
    /// and an answer in place of what takes its rights away: that would be believed.
    static func listener(
        of profile: Spec.Seccomp, lowersPrivilegesLater: Bool, hasSuccessor: Bool
    ) throws(SeccompError) -> String? {
        if !notifies(profile) { return nil }
        guard let path = profile.listenerPath, !path.isEmpty else {
            throw .unsupported("\(action) without listenerPath: nobody would answer")
        }
        if path.utf8.first != UInt8(ascii: "/") {
            throw .unsupported("listenerPath: \(path) is not an absolute path")
        }
        var needed: Set<String> = ["sendmsg"]
        if lowersPrivilegesLater { needed.formUnion(["capset", "prctl"]) }
        if hasSuccessor { needed.formUnion(["execveat", "fcntl", "clone", "exit_group", "setsid", "ioctl"]) }
        for rule in profile.syscalls ?? [] where rule.action == action {
            if let name = rule.names.first(where: needed.contains) {
                throw .unsupported(
                    "\(action) for \(name), which the runtime itself calls after the filter is loaded"
                        + (["capset", "prctl"].contains(name) ? "; with noNewPrivileges it is loaded last" : ""))
            }
        }
        return path
    }
}
