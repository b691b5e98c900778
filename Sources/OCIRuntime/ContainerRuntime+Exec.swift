internal import Cgroups
internal import Glibc
package import OCI
package import Runtime
internal import Sys

/// What `exec` is told besides the process.
package struct ExecOptions: Sendable {
    package var pidFile: String?
    package var consoleSocket: String?
    package var preserved: UInt32 = 0
    /// Below the container's own, in all hierarchies that have it.
    package var cgroup: String?
    /// The same for the hierarchies of single controllers.
    package var cgroups: [String: String] = [:]
    package var ignoresPause = false
    /// The terminal is served by the caller, who stays.
    package var isAttached = false

    package init() {}
}

extension ContainerRuntime {
    /// The process of the container's configuration, for one that differs from it in some points only.
    package func process(of id: String) throws(ContainerError) -> Spec.Process {
        try ContainerID.check(id)
        if !File.exists(directory(id)) { throw .notFound(id) }
        var process = try specification(of: id).process
        process.terminal = false
        return process
    }

    /// Runs a further process in a container. It is the caller's child, and outlives the caller.
    package func exec(
        _ id: String, _ process: Spec.Process, _ options: ExecOptions
    ) throws(ContainerError) -> RunningProcess {
        let (state, status) = try inspect(id)
        if status == .stopped { throw .state("container not running: cannot exec in a stopped container (\(id))") }
        if status == .paused, !options.ignoresPause {
            throw .state("cannot exec in a paused container (use --ignore-paused to override)")
        }
        try checkTerminal(process, options)
        let spec = try specification(of: id)
        var process = process
        noteUnknown(process.capabilities.removeUnknown())
        var request = ExecRequest(id: id, process: process, seccomp: spec.linux.seccomp)
        request.joinsUserNamespace = spec.ownKinds.contains(.user)
        request.hosts = spec.hostKinds
        request.joinsTimeNamespace = spec.ownKinds.contains(.time)
        request.keepsGroups = ContainerRuntime.hostFacts().keepsGroups
        request.diesWithParent = false
        request.personality = spec.linux.personality
        request.passed = PassedDescriptors(kept: options.preserved)
        let target = try self.process(of: state)
        let cgroup = try execCgroup(state, options)
        let started = try runtime { () throws(RuntimeError) in
            try Launcher.start(
                try Launcher.plan(request), cgroup: cgroup, joining: [target.raw],
                listener: { (descriptor, pid, socket) throws(RuntimeError) in
                    try SeccompListener.send(descriptor, to: socket, state: state.seccompReport(spec, pid, status))
                })
        }
        withExtendedLifetime(target) {}
        do throws(ContainerError) {
            if let path = options.consoleSocket, started.terminalNumber >= 0 {
                try ConsoleSocket.send(started.terminalNumber, to: path)
            }
            if let path = options.pidFile { try PidFile.write(started.pid, to: path) }
        } catch {
            // Nobody would know of it.
            try? Pidfd.send(SIGKILL, to: started.pidfd.raw)
            throw error
        }
        return started
    }

    private func checkTerminal(_ process: Spec.Process, _ options: ExecOptions) throws(ContainerError) {
        if process.terminal, options.consoleSocket == nil, !options.isAttached {
            throw .invalid("a terminal is asked for: a process that is left alone needs --console-socket for it")
        }
        if !process.terminal, let socket = options.consoleSocket {
            throw .invalid("--console-socket \(socket) is given, and the process has no terminal")
        }
    }

    private func execCgroup(_ state: ContainerState, _ options: ExecOptions) throws(ContainerError) -> Cgroup? {
        let path = options.cgroup ?? "/"
        if path == "/", options.cgroups.isEmpty { return try cgroup(of: state) }
        let own = try ownCgroup(of: state)
        let found = try cgroups { () throws(CgroupError) in
            options.cgroups.isEmpty ? try own.descendant(path) : try own.descendant(of: options.cgroups)
        }
        guard let found else {
            let names = options.cgroups.map { "\($0.key):\($0.value)" }.sorted().joined(separator: ", ")
            throw .invalid("--cgroup \(names.isEmpty ? path : names): container \(state.id) has no such cgroup")
        }
        return found
    }
}
