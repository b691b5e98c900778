extension Spec.Linux: FieldRecord {
    package static var blank: Spec.Linux { Spec.Linux() }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("namespaces", &namespaces)
        try coder.field("uidMappings", &uidMappings)
        try coder.field("gidMappings", &gidMappings)
        try coder.field("timeOffsets", &timeOffsets)
        try coder.field("devices", &devices)
        try coder.text("cgroupsPath", &cgroupsPath)
        try coder.field("resources", &resources)
        try coder.text("rootfsPropagation", &rootfsPropagation)
        try coder.field("seccomp", &seccomp)
        try coder.field("sysctl", &sysctl)
        try coder.field("maskedPaths", &maskedPaths)
        try coder.field("readonlyPaths", &readonlyPaths)
        try coder.text("mountLabel", &mountLabel)
        try coder.field("personality", &personality)
        try coder.unsupported("intelRdt", "resctrl is not supported: leave the object out")
        try coder.unsupported("netDevices", "moving network devices is not supported: leave the object out")
        try coder.unsupported("memoryPolicy", "set_mempolicy(2) is not supported: leave the object out")
    }
}

extension Spec.Personality: FieldRecord {
    package static var blank: Spec.Personality { Spec.Personality(domain: "") }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("domain", &domain, .required)
        try coder.field("flags", &flags)
    }
}

extension Spec.TimeOffset: FieldRecord {
    package static var blank: Spec.TimeOffset { Spec.TimeOffset(secs: 0, nanosecs: 0) }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("secs", &secs, .written)
        try coder.field("nanosecs", &nanosecs, .written)
    }
}

extension Spec.Namespace: FieldRecord {
    package static var blank: Spec.Namespace { Spec.Namespace(.pid) }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("type", &type, .required)
        try coder.text("path", &path)
    }
}

extension Spec.IDMapping: FieldRecord {
    package static var blank: Spec.IDMapping { Spec.IDMapping(containerID: 0, hostID: 0, size: 0) }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("containerID", &containerID, .required)
        try coder.field("hostID", &hostID, .required)
        try coder.field("size", &size, .required)
    }
}

extension Spec.Device: FieldRecord {
    package static var blank: Spec.Device { Spec.Device(path: "", type: "", major: 0, minor: 0) }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("path", &path, .required)
        try coder.field("type", &type, .required)
        // Of no meaning for a pipe, and left out there.
        let presence: FieldPresence = type == "p" ? .optional : .written
        try coder.field("major", &major, presence)
        try coder.field("minor", &minor, presence)
        try coder.field("fileMode", &fileMode)
        try coder.field("uid", &uid)
        try coder.field("gid", &gid)
    }
}

extension Spec.Seccomp: FieldRecord {
    package static var blank: Spec.Seccomp { Spec.Seccomp(defaultAction: "") }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("defaultAction", &defaultAction, .required)
        try coder.field("defaultErrnoRet", &defaultErrnoRet)
        try coder.field("architectures", &architectures)
        try coder.field("flags", &flags)
        try coder.text("listenerPath", &listenerPath)
        try coder.text("listenerMetadata", &listenerMetadata)
        try coder.field("syscalls", &syscalls)
    }
}

extension Spec.Seccomp.Rule: FieldRecord {
    package static var blank: Spec.Seccomp.Rule { Spec.Seccomp.Rule(names: [], action: "") }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("names", &names, .required)
        try coder.field("action", &action, .required)
        try coder.field("errnoRet", &errnoRet)
        try coder.field("args", &args)
    }
}

extension Spec.Seccomp.Argument: FieldRecord {
    package static var blank: Spec.Seccomp.Argument { Spec.Seccomp.Argument(index: 0, value: 0, op: "") }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("index", &index, .required)
        try coder.field("value", &value, .required)
        try coder.field("valueTwo", &valueTwo)
        try coder.field("op", &op, .required)
    }
}
