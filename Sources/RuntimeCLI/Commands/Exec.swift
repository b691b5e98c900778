internal import OCI
internal import OCIRuntime
internal import Sys

extension Command {
    static let exec = Command(
        name: "exec", arguments: "ID COMMAND [ARG...]", summary: "Run a further process in a container",
        options: [
            Option("process", short: "p", value: "FILE", "the whole process as JSON, in place of a command"),
            Option("cwd", value: "DIR", "working directory"),
            Option("env", short: "e", value: "NAME=VALUE", "a variable more"),
            Option("user", short: "u", value: "UID[:GID]", "who it runs as"),
            Option("additional-gids", short: "g", value: "GID", "a group more"),
            Option("cap", short: "c", value: "CAP", "a capability more"),
            Option("no-new-privs", "no more rights by exec"),
            Option("apparmor", value: "PROFILE", "AppArmor profile"),
            Option("process-label", value: "LABEL", "SELinux label"),
            Option("tty", short: "t", "with a terminal"),
            Option("detach", short: "d", "do not wait"),
            Option("pid-file", value: "FILE", "gets the number of the process"),
            Option("console-socket", value: "SOCKET", "Unix socket that gets the master of the terminal"),
            Option("preserve-fds", value: "N", "descriptors behind 2 that the command gets"),
            Option(
                "cgroup", value: "[CONTROLLER,...:]PATH", "below the container's own; with controllers, once for each"),
            Option("ignore-paused", "also in a paused container"),
            Option("no-subreaper", "accepted"),
        ], count: 1...Int.max, stops: true, failureCode: 255
    ) { (line, session) throws(CommandFault) in
        let id = line.positionals[0]
        let process = try ExecProcess.read(line, session)
        let isDetached = try line.isOn("detach")
        var options = ExecOptions()
        options.consoleSocket = line["console-socket"].map(Path.absolute)
        options.pidFile = line["pid-file"].map(Path.absolute)
        options.preserved = try PreservedDescriptors.count(line)
        try ExecCgroups.read(line, &options)
        options.ignoresPause = try line.isOn("ignore-paused")
        options.isAttached = !isDetached && options.consoleSocket == nil
        let attached = try AttachedProcess()
        let started = try session.call { (runtime) throws(ContainerError) in
            try runtime.exec(id, process, options)
        }
        return isDetached ? 0 : try attached.serve(started)
    }
}

/// Where `--cgroup` says that the process is, in runc's grammar.
private enum ExecCgroups {
    static func read(_ line: ParsedLine, _ options: inout ExecOptions) throws(CommandFault) {
        let all = line.all("cgroup")
        for text in all {
            let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            if parts.count == 1 {
                if all.count > 1 { throw .usage("--cgroup \(text): one of several needs CONTROLLER: before its path") }
                options.cgroup = text
                return
            }
            for name in parts[0].split(separator: ",", omittingEmptySubsequences: false).map(String.init) {
                if name.isEmpty { throw .usage("--cgroup \(text): a controller has no name") }
                if options.cgroups.updateValue(parts[1], forKey: name) != nil {
                    throw .usage("--cgroup \(text): the controller \(name) is there twice")
                }
            }
        }
    }
}

/// What `exec` runs: a file's process, or the container's own with what the options change.
private enum ExecProcess {
    static func read(_ line: ParsedLine, _ session: Session) throws(CommandFault) -> Spec.Process {
        let arguments = Array(line.positionals.dropFirst())
        if let path = line["process"] {
            var process = try file(path)
            if try line.isOn("tty") { process.terminal = true }
            return process
        }
        if arguments.isEmpty { throw .usage("exec takes ID COMMAND [ARG...], or --process FILE") }
        var process = try session.call { (runtime) throws(ContainerError) in
            try runtime.process(of: line.positionals[0])
        }
        process.args = arguments
        process.terminal = try line.isOn("tty")
        if let directory = line["cwd"] { process.cwd = directory }
        process.env += line.all("env")
        if let user = line["user"] { try set(user, &process) }
        for text in line.all("additional-gids") {
            guard let group = UInt32(text) else { throw .usage("--additional-gids \(text): not a number") }
            process.user.additionalGids.append(group)
        }
        for name in line.all("cap") { process.capabilities.add(CapabilityNames.full(name)) }
        if line["no-new-privs"] != nil { process.noNewPrivileges = try line.isOn("no-new-privs") }
        if let profile = line["apparmor"] { process.apparmorProfile = profile }
        if let label = line["process-label"] { process.selinuxLabel = label }
        return process
    }

    private static func file(_ path: String) throws(CommandFault) -> Spec.Process {
        let bytes: [UInt8]
        do throws(Errno) { bytes = try File.readAll(path, limit: Spec.maximumSize) } catch {
            throw .failed("read \(path): \(error)")
        }
        do throws(FieldFault) { return try Spec.Process(reading: bytes) } catch {
            throw .failed("\(path): \(error)")
        }
    }

    private static func set(_ text: String, _ process: inout Spec.Process) throws(CommandFault) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard let uid = UInt32(parts[0]) else { throw .usage("--user \(text): not UID[:GID] in numbers") }
        process.user.uid = uid
        guard parts.count == 2 else { return }
        guard let gid = UInt32(parts[1]) else { throw .usage("--user \(text): not UID[:GID] in numbers") }
        process.user.gid = gid
    }
}

extension Spec.Capabilities {
    /// In all sets but the inheritable one, which only matters to files.
    fileprivate mutating func add(_ name: String) {
        for path in [\Spec.Capabilities.bounding, \.effective, \.permitted] where !self[keyPath: path].contains(name) {
            self[keyPath: path].append(name)
        }
    }
}
