extension Spec: FieldRecord {
    package static var blank: Spec {
        var spec = Spec(process: .blank, root: .blank)
        spec.hasProcess = false
        return spec
    }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("ociVersion", &ociVersion, .required)
        var first = hasProcess ? process : nil
        try coder.field("process", &first)
        hasProcess = first != nil
        process = first ?? .blank
        try coder.field("root", &root, .required)
        try coder.text("hostname", &hostname)
        try coder.text("domainname", &domainname)
        try coder.field("mounts", &mounts)
        try coder.field("hooks", &hooks)
        try coder.field("linux", &linux, .written)
        try coder.field("annotations", &annotations)
    }
}

extension Spec.Process: FieldRecord {
    package static var blank: Spec.Process { Spec.Process(args: []) }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("terminal", &terminal)
        try coder.field("consoleSize", &consoleSize)
        try coder.field("user", &user, .written)
        try coder.field("args", &args, .required)
        try coder.field("env", &env)
        try coder.field("cwd", &cwd, .required)
        // Runtimes differ on what a missing object means.
        try coder.field("capabilities", &capabilities, .written)
        try coder.field("rlimits", &rlimits)
        try coder.field("noNewPrivileges", &noNewPrivileges)
        try coder.field("oomScoreAdj", &oomScoreAdj)
        try coder.text("apparmorProfile", &apparmorProfile)
        try coder.text("selinuxLabel", &selinuxLabel)
        try coder.field("ioPriority", &ioPriority)
        try coder.field("scheduler", &scheduler)
        try coder.field("execCPUAffinity", &execCPUAffinity)
    }
}

extension Spec.IOPriority: FieldRecord {
    package static var blank: Spec.IOPriority { Spec.IOPriority(class: "", priority: 0) }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("class", &self.class, .required)
        try coder.field("priority", &priority, .written)
    }
}

extension Spec.Scheduler: FieldRecord {
    package static var blank: Spec.Scheduler { Spec.Scheduler(policy: "") }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("policy", &policy, .required)
        try coder.field("nice", &nice)
        try coder.field("priority", &priority)
        try coder.field("flags", &flags)
        try coder.field("runtime", &runtime)
        try coder.field("deadline", &deadline)
        try coder.field("period", &period)
    }
}

extension Spec.CPUAffinity: FieldRecord {
    package static var blank: Spec.CPUAffinity { Spec.CPUAffinity() }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.text("initial", &initial)
        try coder.text("final", &final)
    }
}

extension Spec.Hooks: FieldRecord {
    package static var blank: Spec.Hooks { Spec.Hooks() }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("prestart", &prestart)
        try coder.field("createRuntime", &createRuntime)
        try coder.field("createContainer", &createContainer)
        try coder.field("startContainer", &startContainer)
        try coder.field("poststart", &poststart)
        try coder.field("poststop", &poststop)
    }
}

extension Spec.Hook: FieldRecord {
    package static var blank: Spec.Hook { Spec.Hook(path: "") }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("path", &path, .required)
        try coder.field("args", &args)
        try coder.field("env", &env)
        try coder.field("timeout", &timeout)
    }
}

extension Spec.ConsoleSize: FieldRecord {
    package static var blank: Spec.ConsoleSize { Spec.ConsoleSize(height: 0, width: 0) }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("height", &height, .required)
        try coder.field("width", &width, .required)
    }
}

extension Spec.User: FieldRecord {
    package static var blank: Spec.User { Spec.User() }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("uid", &uid, .written)
        try coder.field("gid", &gid, .written)
        try coder.field("umask", &umask)
        try coder.field("additionalGids", &additionalGids)
    }
}

extension Spec.Capabilities: FieldRecord {
    package static var blank: Spec.Capabilities { Spec.Capabilities() }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("bounding", &bounding)
        try coder.field("effective", &effective)
        try coder.field("inheritable", &inheritable)
        try coder.field("permitted", &permitted)
        try coder.field("ambient", &ambient)
    }
}

extension Spec.Rlimit: FieldRecord {
    package static var blank: Spec.Rlimit { Spec.Rlimit(type: "", soft: 0, hard: 0) }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("type", &type, .required)
        try coder.field("soft", &soft, .required)
        try coder.field("hard", &hard, .required)
    }
}

extension Spec.Root: FieldRecord {
    package static var blank: Spec.Root { Spec.Root(path: "") }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("path", &path, .required)
        try coder.field("readonly", &readonly)
    }
}

extension Spec.Mount: FieldRecord {
    package static var blank: Spec.Mount { Spec.Mount(destination: "", type: nil, source: nil) }

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("destination", &destination, .required)
        try coder.text("type", &type)
        try coder.text("source", &source)
        try coder.field("options", &options)
        try coder.field("uidMappings", &uidMappings)
        try coder.field("gidMappings", &gidMappings)
    }
}

extension Spec.Namespace.Kind: FieldValue {
    package init(_ node: JSONValue) throws(FieldFault) {
        let text = try String(node)
        guard let kind = Self(rawValue: text) else {
            let known = Self.allCases.map(\.rawValue).joined(separator: ", ")
            throw FieldFault("\(node.shown) is no kind of namespace; there are \(known)")
        }
        self = kind
    }
}
