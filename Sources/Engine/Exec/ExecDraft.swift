internal import OCI
internal import Runtime
internal import Supervisor
internal import Sys

extension Engine {
    /// Decides a further process: the container's own request with what `exec` changes, through the same builder as its
    /// first process. Users and groups are those of the container as it is now.
    func execRequest(
        _ record: ContainerRecord, _ process: borrowing ContainerProcess, _ options: ExecOptions
    ) throws(EngineError) -> ExecRequest {
        let request = Engine.request(record.request, options)
        let flags = try userEnvironment(options.environmentFiles, options.environment)
        let inputs = SpecInputs(
            request: request, image: record.execution, containerID: record.id,
            user: try resolveUser(request, record, process), userEnvironment: record.environment + flags,
            hostname: record.hostname, files: GeneratedFileWriter.paths(in: containers.directory(record.id)),
            mounts: [], devices: [],
            seccomp: try SpecBuilder.seccomp(request.isolation) { path throws(EngineError) in
                try Engine.seccompProfile(of: record, path)
            }, host: HostFacts.lookUp(hasPidsController: false, rootless: rootless))
        var result = ExecRequest(id: record.id, process: try SpecBuilder.process(inputs), seccomp: inputs.seccomp)
        result.process.consoleSize = .ofCaller
        result.joinsUserNamespace = SpecBuilder.namespaces(request.isolation).contains { $0.type == .user }
        if rootless != nil { result.hosts = ExecRequest.hosts(request.isolation) }
        result.keepsGroups = rootless?.hasOneID ?? false
        // What the user may let go of, and whoever typed is gone, is told by its terminal: it hangs up.
        result.diesWithParent = !options.detach && !(options.terminal && options.interactive)
        return result
    }

    /// The request that the container's first process would have had to have.
    static func request(_ original: RunRequest, _ options: ExecOptions) -> RunRequest {
        var request = original
        request.command = options.command
        request.process.entrypoint = []
        request.process.user = options.user ?? original.process.user
        request.process.workingDirectory = options.workingDirectory ?? original.process.workingDirectory
        request.terminal = options.terminal
        if options.privileged {
            request.isolation.privileged = true
            request.isolation.addedCapabilities = []
            request.isolation.droppedCapabilities = []
            request.isolation.seccomp = .unconfined
        }
        return request
    }

    private func resolveUser(
        _ request: RunRequest, _ record: ContainerRecord, _ process: borrowing ContainerProcess
    ) throws(EngineError) -> ResolvedUser {
        let root: RunningRoot
        do throws(Errno) {
            root = isEmulated ? try RunningRoot(containers.merged(record.id)) : try RunningRoot(process)
        } catch {
            // Its process was there a moment ago.
            throw .notRunning(record.id)
        }
        let limit = 10 << 20
        let passwd = try read("/etc/passwd", of: root, limit: limit)
        let group = try read("/etc/group", of: root, limit: limit)
        return try UserDatabase(passwd: passwd, group: group).resolve(
            request.process.user ?? record.execution.user ?? "", additionalGroups: request.process.additionalGroups)
    }

    private func read(
        _ path: String, of root: borrowing RunningRoot, limit: Int
    ) throws(EngineError) -> [UInt8] {
        do throws(SystemFailure) {
            return try root.readFile(path, limit: limit) ?? []
        } catch {
            throw .system(error)
        }
    }
}

extension Spec.ConsoleSize? {
    /// That of the caller's terminal; nil where it has none.
    static var ofCaller: Spec.ConsoleSize? {
        ForwardedSignals.callerSize().map { Spec.ConsoleSize(height: $0.rows, width: $0.columns) }
    }
}

extension ExecRequest {
    /// What the container has in common with the host.
    fileprivate static func hosts(_ isolation: IsolationOptions) -> NamespaceFlags {
        var kinds: NamespaceFlags = []
        if isolation.network == .host { kinds.formUnion(.network) }
        if isolation.pid == .host { kinds.formUnion(.pid) }
        if isolation.ipc == .host { kinds.formUnion(.ipc) }
        if isolation.uts == .host { kinds.formUnion(.uts) }
        return kinds
    }
}
