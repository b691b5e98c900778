internal import Cgroups
internal import Glibc
internal import OCI
internal import Runtime
internal import Sys

extension Spec.Hooks {
    /// Whether there are some that run before the container has its last shape.
    var areEarly: Bool { [prestart, createRuntime, createContainer].contains { $0?.isEmpty == false } }
}

/// Where a hook runs: in the runtime's namespaces, or in those of the container (config.md#posix-platform-hooks).
enum HookPlace {
    case host
    case container(ContainerJoin)
}

/// What it takes to run something in a container's namespaces.
struct ContainerJoin {
    let id: String
    /// Of a process that is in them.
    let pidfd: Int32
    let cgroup: Cgroup?
    /// Who the hook is: user, rights, limits.
    let process: Spec.Process
    let seccomp: Spec.Seccomp?
    let kinds: Set<Spec.Namespace.Kind>
    let hosts: NamespaceFlags
}

/// Runs hooks one after the other, each with the container's state on its standard input.
struct HookRunner {
    let kind: String
    let place: HookPlace
    let state: [UInt8]

    /// Throws for the first one that fails; the rest is not run.
    func run(_ hooks: [Spec.Hook]) throws(ContainerError) {
        for (index, hook) in hooks.enumerated() { try run(hook, "\(kind) hook #\(index)") }
    }

    private func run(_ hook: Spec.Hook, _ name: String) throws(ContainerError) {
        let what = "run \(name) (\(hook.path))"
        let input = try call(what, "with its state") { () throws(Errno) in
            let file = try MemoryFile.anonymous("hook-state")
            try File.write(file.raw, state)
            let fd = file.raw
            try check { lseek(fd, 0, SEEK_SET) }
            return file
        }
        let output = try call(what, "with its output") { () throws(Errno) in
            try MemoryFile("hook-output", size: HookRunner.outputLimit)
        }
        let pidfd = try start(hook, what, input: input.raw, output: output.fd.raw)
        let exit = try wait(pidfd, hook, what)
        if exit == .code(0) { return }
        let said = output.text.trimmingBlanks
        let how: String
        switch exit {
        case .code(let code): how = "exit status \(code)"
        case .signal(let number): how = "signal \(number)"
        }
        throw .hook("error running \(name) (\(hook.path)): \(how)" + (said.isEmpty ? "" : ", output: \(said)"))
    }

    /// Bytes of which an error shows what fits.
    private static let outputLimit = 4096

    private func start(
        _ hook: Spec.Hook, _ what: String, input: Int32, output: Int32
    ) throws(ContainerError) -> OwnedFD {
        switch place {
        case .host:
            return try call(what, "on the host") { () throws(Errno) in
                let pid = try Spawn.start(
                    hook.words, executable: hook.path, environment: hook.env ?? [], input: input,
                    output: output, error: output)
                do throws(Errno) { return try Pidfd.open(pid) } catch {
                    // Unreaped, so the number is its own.
                    Glibc.kill(pid, SIGKILL)
                    _ = try? Spawn.wait(pid)
                    throw error
                }
            }
        case .container(let join):
            var process = join.process
            process.terminal = false
            process.args = hook.words
            process.env = hook.env ?? []
            var request = ExecRequest(id: join.id, process: process, seccomp: join.seccomp)
            request.joinsUserNamespace = join.kinds.contains(.user)
            request.hosts = join.hosts
            request.joinsTimeNamespace = join.kinds.contains(.time)
            request.executable = hook.path
            request.stdio = StandardIO(input: input, output: output, error: output)
            let started = try runtime { () throws(RuntimeError) in
                try Launcher.start(try Launcher.plan(request), cgroup: join.cgroup, joining: [join.pidfd])
            }
            return try call(what, "in the container") { () throws(Errno) in try started.pidfd.duplicate() }
        }
    }

    private func wait(
        _ pidfd: borrowing OwnedFD, _ hook: Spec.Hook, _ what: String
    ) throws(ContainerError) -> Spawn.Exit {
        let fd = pidfd.raw
        let limit = hook.timeout.flatMap { Int32(exactly: $0) }.map { min($0, .max / 1000) * 1000 } ?? -1
        var items = [PollItem(fd, .readable)]
        let count: Int
        do throws(Errno) { count = try PollItem.wait(&items, milliseconds: limit) } catch {
            throw .system(SystemFailure(what, "to its end", error))
        }
        if count == 0 { try? Pidfd.send(SIGKILL, to: fd) }
        let exit = try call(what, "to its end") { () throws(Errno) in try Pidfd.wait(fd) }
        if count == 0 {
            throw .hook(
                "error running \(kind) hook (\(hook.path)): it did not end within \(limit / 1000) s, and was killed")
        }
        return exit
    }
}

extension Spec.Hook {
    /// argv of execve(2).
    fileprivate var words: [String] { args.flatMap { $0.isEmpty ? nil : $0 } ?? [path] }
}

extension String {
    fileprivate var trimmingBlanks: String {
        let body = utf8.drop { $0 == 0x0a || $0 == 0x20 }
        let kept = body.reversed().drop { $0 == 0x0a || $0 == 0x20 }
        return String(decoding: kept.reversed(), as: UTF8.self)
    }
}
