package import OCI
internal import Sys

/// Turns an image's config and the user's flags into an OCI spec. Every default is a value here.
package enum SpecBuilder {
    /// Throws when the flags and the image together make no container, in docker's words.
    package static func build(_ inputs: SpecInputs) throws(EngineError) -> Spec {
        var spec = Spec(
            process: try process(inputs), root: Spec.Root(path: "rootfs", readonly: inputs.request.readOnly))
        spec.hostname = inputs.request.isolation.uts == .own ? inputs.hostname : nil
        spec.domainname = inputs.request.process.domainname
        spec.mounts = try mounts(inputs)
        spec.linux.namespaces = namespaces(inputs.request.isolation)
        spec.linux.cgroupsPath = "/runimg/\(inputs.containerID)"
        spec.linux.resources = try resources(inputs)
        spec.linux.devices = inputs.devices.map(\.device)
        spec.linux.seccomp = inputs.seccomp
        spec.linux.sysctl = try sysctls(inputs.request.isolation, inputs.host.rootless)
        if !inputs.request.isolation.privileged {
            spec.linux.maskedPaths = maskedPaths + inputs.host.thermalThrottles
            spec.linux.readonlyPaths = readonlyPaths
        }
        return spec
    }

    /// What a process of the container is given, be it the first or a further one.
    static func process(_ inputs: SpecInputs) throws(EngineError) -> Spec.Process {
        let request = inputs.request
        var process = Spec.Process(args: try arguments(request, inputs.image))
        process.terminal = request.terminal
        process.user = Spec.User(
            uid: inputs.user.uid, gid: inputs.user.gid, additionalGids: inputs.user.groups)
        process.env = EnvironmentBuilder.build(
            user: inputs.userEnvironment, image: inputs.image.env ?? [], hostname: inputs.hostname,
            terminal: request.terminal, home: inputs.user.home)
        // Others write the home directory into lines of a passwd file (CVE-2022-4318).
        if let home = EnvironmentBuilder.value(of: "HOME", in: process.env) {
            try checkPrintable(home, "the home directory (HOME)")
        }
        process.cwd = try workingDirectory(request, inputs.image)
        process.capabilities = try capabilities(request.isolation, uid: inputs.user.uid)
        process.noNewPrivileges = request.isolation.noNewPrivileges ?? false
        try checkIDs(inputs)
        process.rlimits = rlimits(request.process.ulimits, inputs.host)
        return process
    }

    /// A process can only be what its user namespace has.
    private static func checkIDs(_ inputs: SpecInputs) throws(EngineError) {
        // Without a namespace nothing is run here: it is a bundle for somebody else.
        guard let rootless = inputs.host.rootless, rootless.obstacle == nil else { return }
        let user = inputs.user
        let isMapped = user.uid < rootless.userCount && user.gid < rootless.groupCount
        let groups = rootless.hasOneID ? [] : user.groups
        guard !isMapped || !groups.allSatisfy({ $0 < rootless.groupCount }) else { return }
        throw .invalid(
            "user \(user.uid):\(user.gid) is none of the IDs that your user namespace has: \(rootless.range)")
    }

    /// Entrypoint and command, merged as docker does: a new entrypoint drops the image's command.
    static func arguments(_ request: RunRequest, _ image: ImageConfig.Execution) throws(EngineError) -> [String] {
        let command = request.command
        let arguments: [String]
        if let entrypoint = request.process.entrypoint {
            arguments = entrypoint + command
        } else {
            arguments = (image.entrypoint ?? []) + (command.isEmpty ? image.cmd ?? [] : command)
        }
        if arguments.isEmpty { throw .invalid("no command specified") }
        for argument in arguments where argument.utf8.contains(0) {
            throw .invalid("invalid command: an argument contains a NUL byte")
        }
        return arguments
    }

    private static func workingDirectory(
        _ request: RunRequest, _ image: ImageConfig.Execution
    ) throws(EngineError) -> String {
        if let asked = request.process.workingDirectory {
            guard asked.hasPrefix("/") else {
                throw .invalid("the working directory '\(asked)' is invalid, it needs to be an absolute path")
            }
            return try clean(asked)
        }
        guard let path = image.workingDir, !path.isEmpty else { return "/" }
        return try clean(path.hasPrefix("/") ? path : "/" + path)
    }

    /// A path without `.`, `..` and doubled slashes, taken from the root.
    static func clean(_ path: String) throws(EngineError) -> String {
        try checkPrintable(path, "the path")
        return Path.cleaned("/" + path)
    }

    /// What names a file lands in lines: of mount tables, of messages.
    private static func checkPrintable(_ text: String, _ what: String) throws(EngineError) {
        if text.hasControlCharacters {
            throw .invalid("\(what) \"\(ForeignText(text))\" has a control character in it")
        }
    }

    /// docker-containerd's 1024:524288 for open files, no core files unless asked, the caller's for the rest. A default
    /// is never above the caller's hard limit: raising one needs CAP_SYS_RESOURCE.
    private static func rlimits(_ asked: [Spec.Rlimit], _ host: HostFacts) -> [Spec.Rlimit] {
        var result = [
            Spec.Rlimit(
                type: "RLIMIT_NOFILE", soft: min(1024, host.openFilesLimit), hard: min(524_288, host.openFilesLimit)),
            Spec.Rlimit(type: "RLIMIT_CORE", soft: 0, hard: host.coreLimit),
        ]
        for limit in asked {
            result.removeAll { $0.type == limit.type }
            result.append(limit)
        }
        return result
    }
}
