internal import Glibc
internal import OCI

extension PlanCompiler {
    /// The names of the container's namespaces, and then what every process of it is given.
    mutating func finishProcess(terminal: Slot?, null: Slot?, label: Slot?) throws(RuntimeError) {
        if let name = spec.hostname { ops.append(.hostName(name)) }
        if let name = spec.domainname { ops.append(.domainName(name)) }
        if makes(.network) { ops.append(.loopback) }
        // Where another process follows, the terminal is to be that one's.
        ops += try steps.ops(terminal: terminal, controlling: pidOwner == nil, null: null, label: label)
    }

    /// The file of /proc/self that takes a label is the host's, opened while that is in the view.
    mutating func openLabel() throws(RuntimeError) -> Slot? {
        guard let label = try steps.modules.label(spec.process) else { return nil }
        let opened = try slot("label")
        ops.append(.open(opened, .host(label.file), flags: O_WRONLY, []))
        return opened
    }

    var steps: ProcessSteps {
        var steps = ProcessSteps(
            id: request.id, process: spec.process, seccomp: spec.linux.seccomp, stdio: request.stdio,
            diesWithParent: request.diesWithParent, keepsGroups: host.keepsGroups)
        // Given up with `becomeRoot`, where that can be done.
        if hasUserNamespace, spec.process.user.additionalGids.isEmpty { steps.keepsGroups = true }
        steps.passed = request.passed
        steps.hasCommand = request.hasCommand
        steps.newKeyring = request.newKeyring
        steps.personality = spec.linux.personality
        steps.hasSuccessor = pidOwner != nil
        steps.modules = host.modules ?? SecurityModules()
        return steps
    }
}
