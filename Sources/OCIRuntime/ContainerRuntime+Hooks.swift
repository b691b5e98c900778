internal import Cgroups
internal import Glibc
internal import OCI
internal import Runtime
internal import Sys

extension ContainerRuntime {
    /// Those that come before the container has its last shape; one that fails ends its creation.
    func runEarlyHooks(
        _ spec: Spec, _ state: ContainerState, _ pidfd: Int32, _ cgroup: Cgroup?
    ) throws(ContainerError) {
        guard let hooks = spec.hooks, hooks.areEarly else { return }
        let text = Array(state.report(.creating).text.utf8)
        // As other runtimes have it: a hook of the host's works in the bundle.
        _ = chdir(state.bundle)
        for (kind, list) in [("prestart", hooks.prestart), ("createRuntime", hooks.createRuntime)] {
            try HookRunner(kind: kind, place: .host, state: text).run(list ?? [])
        }
        guard let list = hooks.createContainer, !list.isEmpty else { return }
        var process = Spec.Process(args: [])
        // All that we have ourselves.
        let all = CapabilityMask.available().names
        (process.capabilities.bounding, process.capabilities.effective) = (all, all)
        process.capabilities.permitted = all
        let join = ContainerJoin(
            id: state.id, pidfd: pidfd, cgroup: cgroup, process: process, seccomp: nil, kinds: spec.ownKinds,
            hosts: spec.hostKinds)
        try HookRunner(kind: "createContainer", place: .container(join), state: text).run(list)
    }

    /// Inside, just before the command.
    func runStartHooks(_ spec: Spec, _ state: ContainerState) throws(ContainerError) {
        guard let list = spec.hooks?.startContainer, !list.isEmpty else { return }
        let pidfd = try process(of: state)
        let join = ContainerJoin(
            id: state.id, pidfd: pidfd.raw, cgroup: try cgroup(of: state), process: spec.process,
            seccomp: spec.linux.seccomp, kinds: spec.ownKinds,
            hosts: spec.hostKinds)
        let text = Array(state.report(.created).text.utf8)
        try HookRunner(kind: "startContainer", place: .container(join), state: text).run(list)
        withExtendedLifetime(pidfd) {}
    }

    /// Those after whose failure things go on (runtime.md#lifecycle).
    func runLateHooks(_ hooks: [Spec.Hook]?, _ kind: String, _ state: JSONValue, in bundle: String) {
        guard let hooks, !hooks.isEmpty else { return }
        _ = chdir(bundle)
        for hook in hooks {
            do throws(ContainerError) {
                try HookRunner(kind: kind, place: .host, state: Array(state.text.utf8)).run([hook])
            } catch {
                notice("\(error)")
            }
        }
    }
}

extension Spec {
    /// The namespaces that are not the host's.
    var ownKinds: Set<Namespace.Kind> { Set(linux.namespaces.map(\.type)) }
    /// Those that are the host's, for who could not join them. With the host's rights they are joined as the others: what
    /// was the host's for who made the container may be another one's now.
    var hostKinds: NamespaceFlags {
        if !ContainerRuntime.isUnprivileged { return [] }
        return Namespace.Kind.allCases.filter { !ownKinds.contains($0) }.reduce(into: []) {
            $0.formUnion(NamespaceFlags($1))
        }
    }
}
