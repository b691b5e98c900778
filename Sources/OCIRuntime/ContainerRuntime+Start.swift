internal import Glibc
internal import OCI
internal import Sys

extension ContainerRuntime {
    /// Lets a created container execute its command (runtime.md#start), and returns when it has.
    package func start(_ id: String) throws(ContainerError) {
        try ContainerID.check(id)
        let directory = try ContainerDirectory(id, in: root)
        let (state, status) = try inspect(id)
        if status != .created {
            throw .state("cannot start a container in the \(status) state: container \(id) is to be created")
        }
        let spec = try specification(of: id)
        if !spec.hasProcess {
            throw .invalid("container \(id) can't be started: its config.json has no process")
        }
        do throws(ContainerError) {
            try runStartHooks(spec, state)
        } catch {
            // runtime.md#lifecycle: stopped, and destroyed.
            try remove(state, spec, consume directory)
            throw error
        }
        try StartGate.open(directory.path, command: spec.process.args.first ?? "")
        runLateHooks(spec.hooks?.poststart, "poststart", state.report(.running), in: state.bundle)
    }

    /// Sends a signal to a container's first process, or to all processes that it has (runtime.md#kill).
    package func kill(_ id: String, _ signal: Int32, all: Bool = false) throws(ContainerError) {
        let (state, status) = try inspect(id)
        if status == .stopped {
            // With no pid namespace of its own the others go on when the first has ended.
            if all, let cgroup = try cgroup(of: state), try signalAll(cgroup, signal) { return }
            throw .state("container not running: container \(id) is stopped")
        }
        let makesPids = try specification(of: id).makesPidNamespace
        let isShared = signal == SIGKILL && !makesPids
        if all || isShared, let cgroup = try cgroup(of: state) {
            _ = try signalAll(cgroup, signal)
        } else {
            let pidfd = try process(of: state)
            try send(signal, to: pidfd, of: id)
        }
        // Frozen, it would die when it is thawed only.
        if signal == SIGKILL, status == .paused { try thaw(state) }
    }

    private func send(_ signal: Int32, to pidfd: borrowing OwnedFD, of id: String) throws(ContainerError) {
        let fd = pidfd.raw
        do throws(Errno) {
            try Pidfd.send(signal, to: fd)
        } catch .noProcess {
            throw .state("container not running: container \(id) is stopped")
        } catch {
            throw .system(SystemFailure("send signal \(signal) to container", id, error))
        }
    }

    /// Removes what is left of a container that is stopped, or that was never started (runtime.md#delete); with `force`
    /// one that runs is killed first, and one that is not there is no error.
    package func delete(_ id: String, force: Bool = false) throws(ContainerError) {
        try ContainerID.check(id)
        do throws(ContainerError) {
            try delete(id, try ContainerDirectory(id, in: root), force: force)
        } catch .notFound(let id) {
            if !force { throw .notFound(id) }
        }
    }

    private func delete(
        _ id: String, _ directory: consuming ContainerDirectory, force: Bool
    ) throws(ContainerError) {
        let path = directory.path
        let known = try call("read the state of container", id) { () throws(Errno) in
            try ContainerDirectory.read(path)
        }
        // A `create` that was killed before it had written one.
        guard let state = known else { return try directory.remove() }
        let status = status(of: state)
        if !force, status == .running || status == .paused {
            throw .state("cannot delete container \(id) that is not stopped: \(status); kill it first, or use --force")
        }
        try remove(state, try? specification(of: id), directory)
    }

    private func remove(
        _ state: ContainerState, _ spec: Spec?, _ directory: consuming ContainerDirectory
    ) throws(ContainerError) {
        try destroy(state)
        try directory.remove()
        runLateHooks(spec?.hooks?.poststop, "poststop", state.report(.stopped), in: state.bundle)
    }
}

extension Spec {
    var makesPidNamespace: Bool { linux.namespaces.contains { $0.type == .pid && $0.path == nil } }
}
