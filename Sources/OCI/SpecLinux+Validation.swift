extension Spec.Linux {
    /// config-linux.md.
    func check() throws(FieldFault) {
        try checkNamespaces()
        for (index, device) in devices.enumerated() {
            try Spec.inside("devices", index) { () throws(FieldFault) in try device.check() }
        }
        if let rootfsPropagation {
            try Spec.check(rootfsPropagation, "rootfsPropagation", isOneOf: Spec.Linux.propagations)
        }
        if let personality {
            try Spec.check(personality.domain, "personality.domain", isOneOf: ["LINUX", "LINUX32"])
            if personality.flags?.isEmpty == false {
                throw FieldFault("personality.flags", "no flag is supported: leave the list out")
            }
        }
        for (clock, offset) in (timeOffsets ?? [:]).sorted(by: { $0.key < $1.key }) {
            try Spec.check(clock, "timeOffsets", isOneOf: ["monotonic", "boottime"])
            if offset.nanosecs >= 1_000_000_000 {
                throw FieldFault("timeOffsets.\(clock).nanosecs", "\(offset.nanosecs) is a second or more")
            }
        }
        for (key, paths) in [("maskedPaths", maskedPaths), ("readonlyPaths", readonlyPaths)] {
            for (index, path) in paths.enumerated() { try Spec.checkPath(path, "\(key)[\(index)]") }
        }
        if let seccomp { try Spec.inside("seccomp") { () throws(FieldFault) in try seccomp.check() } }
    }

    private static let propagations = [
        "shared", "slave", "private", "unbindable", "rshared", "rslave", "rprivate", "runbindable",
    ]

    private func checkNamespaces() throws(FieldFault) {
        var kinds: Set<Spec.Namespace.Kind> = []
        for (index, namespace) in namespaces.enumerated() {
            if !kinds.insert(namespace.type).inserted {
                throw FieldFault("namespaces[\(index)].type", "\"\(namespace.type.rawValue)\" is there twice")
            }
            if let path = namespace.path { try Spec.checkPath(path, "namespaces[\(index)].path") }
        }
    }
}

extension Spec.Device {
    fileprivate func check() throws(FieldFault) {
        try Spec.checkPath(path, "path")
        try Spec.check(type, "type", isOneOf: ["c", "b", "u", "p"])
        if type == "p" { return }
        // The kernel's dev_t has 12 and 20 bits; glibc's and the system calls' take 32 and 32.
        for (key, number) in [("major", major), ("minor", minor)] where UInt32(exactly: number) == nil {
            throw FieldFault(key, "\(number) is not between 0 and \(UInt32.max)")
        }
    }
}

extension Spec.Seccomp {
    /// Names of actions, operators and architectures are the compiler's.
    fileprivate func check() throws(FieldFault) {
        if listenerPath ?? "" == "", listenerMetadata ?? "" != "" {
            throw FieldFault("listenerMetadata", "is set and listenerPath is not: nobody would get it")
        }
        for (index, rule) in (syscalls ?? []).enumerated() {
            if rule.names.isEmpty { throw FieldFault("syscalls[\(index)].names", "is empty") }
            for (position, argument) in (rule.args ?? []).enumerated() where argument.index > 5 {
                throw FieldFault(
                    "syscalls[\(index)].args[\(position)].index", "\(argument.index) is not between 0 and 5")
            }
        }
    }
}
