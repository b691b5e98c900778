/// What the types of the fields don't say (config.md). What depends on the machine or on other values is checked where
/// it is used.
extension Spec {
    /// - Throws: the first fault, with the path of the value.
    package func check() throws(FieldFault) {
        if root.path.isEmpty { throw FieldFault("root.path", "is empty") }
        if hasProcess { try Spec.inside("process") { () throws(FieldFault) in try process.check() } }
        for (index, mount) in mounts.enumerated() {
            try Spec.inside("mounts", index) { () throws(FieldFault) in try mount.check() }
        }
        if let hooks {
            for (kind, list) in hooks.all {
                for (index, hook) in list.enumerated() {
                    try Spec.inside("hooks.\(kind)", index) { () throws(FieldFault) in try hook.check() }
                }
            }
        }
        try Spec.inside("linux") { () throws(FieldFault) in try linux.check() }
    }

    static func inside(_ key: String, _ body: () throws(FieldFault) -> Void) throws(FieldFault) {
        do throws(FieldFault) { try body() } catch { throw FieldFault("\(key).\(error.path)", error.reason) }
    }

    static func inside(_ key: String, _ index: Int, _ body: () throws(FieldFault) -> Void) throws(FieldFault) {
        try inside("\(key)[\(index)]", body)
    }

    /// An absolute path.
    static func checkPath(_ path: String, _ key: String) throws(FieldFault) {
        if !path.utf8.starts(with: "/".utf8) {
            throw FieldFault(key, path.isEmpty ? "is empty" : "\"\(ForeignText(path))\" is not an absolute path")
        }
    }

    static func check(_ text: String, _ key: String, isOneOf names: [String]) throws(FieldFault) {
        if !names.contains(text) {
            throw FieldFault(
                key, "\"\(ForeignText(text, limit: 80))\" is not one of \(names.joined(separator: ", "))")
        }
    }
}

extension Spec.Hooks {
    /// By name, in the order in which they are run.
    package var all: [(kind: String, hooks: [Spec.Hook])] {
        [
            ("prestart", prestart ?? []), ("createRuntime", createRuntime ?? []),
            ("createContainer", createContainer ?? []), ("startContainer", startContainer ?? []),
            ("poststart", poststart ?? []), ("poststop", poststop ?? []),
        ]
    }
}

extension Spec.Hook {
    fileprivate func check() throws(FieldFault) {
        try Spec.checkPath(path, "path")
        if let timeout, timeout <= 0 { throw FieldFault("timeout", "\(timeout) is not above 0") }
    }
}

extension Spec.Mount {
    /// A relative destination is taken as from `/`, as older versions of the specification have it.
    fileprivate func check() throws(FieldFault) {
        if destination.isEmpty { throw FieldFault("destination", "is empty") }
        if (uidMappings == nil) != (gidMappings == nil) {
            throw FieldFault(uidMappings == nil ? "uidMappings" : "gidMappings", "is missing: both or none are given")
        }
    }
}

extension Spec.Process {
    func check() throws(FieldFault) {
        if args.isEmpty { throw FieldFault("args", "is empty: the first one is the program") }
        try Spec.checkPath(cwd, "cwd")
        for (index, entry) in env.enumerated() {
            guard let equals = entry.utf8.firstIndex(of: UInt8(ascii: "=")), equals > entry.startIndex else {
                throw FieldFault("env[\(index)]", "\"\(ForeignText(entry, limit: 80))\" is not NAME=VALUE")
            }
        }
        var types: Set<String> = []
        for (index, limit) in rlimits.enumerated() where !types.insert(limit.type).inserted {
            throw FieldFault("rlimits[\(index)].type", "\(ForeignText(limit.type, limit: 80)) is there twice")
        }
        if let oomScoreAdj, !(-1000...1000).contains(oomScoreAdj) {
            throw FieldFault("oomScoreAdj", "\(oomScoreAdj) is not between -1000 and 1000")
        }
        if let umask = user.umask, umask > 0o777 {
            throw FieldFault("user.umask", "\(umask) is above 511, which is 0777")
        }
        try checkScheduling()
    }

    private func checkScheduling() throws(FieldFault) {
        if let ioPriority {
            let classes = ["IOPRIO_CLASS_RT", "IOPRIO_CLASS_BE", "IOPRIO_CLASS_IDLE"]
            try Spec.check(ioPriority.class, "ioPriority.class", isOneOf: classes)
            if !(0...7).contains(ioPriority.priority) {
                throw FieldFault("ioPriority.priority", "\(ioPriority.priority) is not between 0 and 7")
            }
        }
        if let scheduler {
            try Spec.check(scheduler.policy, "scheduler.policy", isOneOf: Spec.Scheduler.policies)
            for (index, flag) in (scheduler.flags ?? []).enumerated() {
                try Spec.check(flag, "scheduler.flags[\(index)]", isOneOf: Spec.Scheduler.flagNames)
            }
        }
        for (key, list) in [("initial", execCPUAffinity?.initial), ("final", execCPUAffinity?.final)] {
            guard let list, CPUList(list) == nil else { continue }
            throw FieldFault(
                "execCPUAffinity.\(key)",
                "\"\(ForeignText(list, limit: 80))\" is not a list of numbers and ranges such as 0-2,7")
        }
    }
}

extension Spec.Scheduler {
    /// config.md#linux-process and sched_setattr(2).
    package static let policies = [
        "SCHED_OTHER", "SCHED_FIFO", "SCHED_RR", "SCHED_BATCH", "SCHED_ISO", "SCHED_IDLE", "SCHED_DEADLINE",
    ]

    package static let flagNames = [
        "SCHED_FLAG_RESET_ON_FORK", "SCHED_FLAG_RECLAIM", "SCHED_FLAG_DL_OVERRUN", "SCHED_FLAG_KEEP_POLICY",
        "SCHED_FLAG_KEEP_PARAMS", "SCHED_FLAG_UTIL_CLAMP_MIN", "SCHED_FLAG_UTIL_CLAMP_MAX",
    ]
}
