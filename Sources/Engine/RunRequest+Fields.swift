package import OCI

// A request as a container's record keeps it: what goes without saying is left out.

extension RunRequest: FieldRecord {
    package static let blank = RunRequest(image: "")

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("image", &image, .required)
        try coder.field("rootDirectory", &rootDirectory)
        try coder.field("command", &command)
        try coder.field("name", &name)
        try coder.field("interactive", &interactive)
        try coder.field("terminal", &terminal)
        try coder.field("remove", &remove)
        try coder.field("useInit", &useInit)
        try coder.field("runtime", &runtime)
        try coder.field("readOnly", &readOnly)
        try coder.field("quiet", &quiet)
        try coder.field("dryRun", &dryRun)
        try coder.field("timing", &timing)
        try coder.field("detach", &detach)
        try coder.field("attach", &attach)
        try coder.field("detachKeys", &detachKeys)
        try coder.field("signalProxy", &signalProxy, .written)
        try coder.field("containerIDFile", &containerIDFile)
        try coder.field("pull", &pull, .written)
        try coder.field("platform", &platform)
        try coder.field("process", &process)
        try coder.field("isolation", &isolation, .written)
        try coder.field("resources", &resources)
        try coder.field("lifecycle", &lifecycle)
        try coder.field("networking", &networking)
        try coder.field("log", &log)
        try coder.field("mounts", &mounts)
        try coder.field("volumesFrom", &volumesFrom)
        try coder.field("devices", &devices)
    }
}

extension RunRequest.PullPolicy: FieldValue {}

extension AttachedStreamSet: FieldValue {
    package init(_ node: JSONValue) throws(FieldFault) { self.init(rawValue: try UInt8(node)) }

    package func write(to writer: inout FieldWriter) { rawValue.write(to: &writer) }

    package var saysNothing: Bool { false }
}

extension RootDirectory: FieldRecord {
    package static let blank = RootDirectory(parsing: "")

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("path", &path, .required)
        try coder.field("isOverlaid", &isOverlaid)
    }
}

extension ProcessOptions: FieldRecord {
    package static let blank = ProcessOptions()

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("environment", &environment)
        try coder.field("environmentFiles", &environmentFiles)
        try coder.field("entrypoint", &entrypoint)
        try coder.field("workingDirectory", &workingDirectory)
        try coder.field("user", &user)
        try coder.field("additionalGroups", &additionalGroups)
        try coder.field("hostname", &hostname)
        try coder.field("domainname", &domainname)
        try coder.field("stopSignal", &stopSignal)
        try coder.field("ulimits", &ulimits)
        try coder.field("labels", &labels)
        try coder.field("labelFiles", &labelFiles)
        try coder.field("annotations", &annotations)
    }
}

extension EnvironmentEntry: FieldRecord {
    package static let blank = EnvironmentEntry(name: "", value: nil)

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("name", &name, .required)
        try coder.field("value", &value)
    }
}

extension IsolationOptions: FieldRecord {
    package static let blank = IsolationOptions()

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("network", &network, .written)
        try coder.field("networkAsked", &networkAsked)
        try coder.field("pid", &pid, .written)
        try coder.field("ipc", &ipc, .written)
        try coder.field("uts", &uts, .written)
        try coder.field("privileged", &privileged)
        try coder.field("addedCapabilities", &addedCapabilities)
        try coder.field("droppedCapabilities", &droppedCapabilities)
        try coder.field("capabilityProfile", &capabilityProfile, .written)
        try coder.field("noNewPrivileges", &noNewPrivileges)
        try coder.field("seccomp", &seccomp, .written)
        try coder.field("sysctls", &sysctls)
    }
}

extension NetworkMode: FieldValue {}
extension NamespaceMode: FieldValue {}
extension IPCMode: FieldValue {}
extension IsolationOptions.CapabilityProfile: FieldValue {}

/// Nothing but that it is there: the `{}` of a choice without values.
private struct Choice: FieldRecord {
    static let blank = Choice()

    mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) {}
}

extension IsolationOptions.SeccompChoice: FieldValue {
    private struct Members: FieldRecord {
        struct Profile: FieldRecord {
            static let blank = Profile()
            var path = ""

            mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
                try coder.field("path", &path, .required)
            }
        }

        static let blank = Members()
        var standard: Choice?
        var unconfined: Choice?
        var profile: Profile?

        mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
            try coder.field("standard", &standard)
            try coder.field("unconfined", &unconfined)
            try coder.field("profile", &profile)
        }
    }

    package init(_ node: JSONValue) throws(FieldFault) {
        let members = try Members(node)
        if let profile = members.profile {
            self = .profile(path: profile.path)
        } else if members.unconfined != nil {
            self = .unconfined
        } else if members.standard != nil {
            self = .standard
        } else {
            throw FieldFault("is no choice of a profile")
        }
    }

    package func write(to writer: inout FieldWriter) {
        var members = Members()
        switch self {
        case .standard: members.standard = .blank
        case .unconfined: members.unconfined = .blank
        case .profile(let path): members.profile = Members.Profile(path: path)
        }
        members.write(to: &writer)
    }

    package var saysNothing: Bool { false }
}

extension ResourceOptions: FieldRecord {
    package static let blank = ResourceOptions()

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("memory", &memory)
        try coder.field("memoryReservation", &memoryReservation)
        try coder.field("memorySwap", &memorySwap)
        try coder.field("nanoCPUs", &nanoCPUs)
        try coder.field("cpuPeriod", &cpuPeriod)
        try coder.field("cpuQuota", &cpuQuota)
        try coder.field("cpuShares", &cpuShares)
        try coder.field("cpusetCPUs", &cpusetCPUs)
        try coder.field("cpusetMems", &cpusetMems)
        try coder.field("pidsLimit", &pidsLimit)
        try coder.field("blockIOWeight", &blockIOWeight)
        try coder.field("shmSize", &shmSize)
    }
}

extension LifecycleOptions: FieldRecord {
    package static let blank = LifecycleOptions()

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("restart", &restart)
        try coder.field("stopTimeout", &stopTimeout)
        try coder.field("health", &health)
    }
}

extension RestartPolicy: FieldRecord {
    package static let blank = RestartPolicy()

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("kind", &kind, .required)
        try coder.field("maximum", &maximum)
    }
}

extension RestartPolicy.Kind: FieldValue {}

extension LogOptions: FieldRecord {
    package static let blank = LogOptions()

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("driver", &driver)
        try coder.field("options", &options)
        try coder.field("maxSize", &maxSize)
        try coder.field("maxFiles", &maxFiles)
    }
}

extension LogOptions.Driver: FieldValue {}
