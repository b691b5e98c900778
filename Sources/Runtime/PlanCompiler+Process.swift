internal import OCI

extension PlanCompiler {
    /// The names of the container's namespaces, and then what every process of it is given.
    mutating func finishProcess(terminal: Slot?, null: Slot?) throws(RuntimeError) {
        if let name = spec.hostname { ops.append(.hostName(name)) }
        if let name = spec.domainname { ops.append(.domainName(name)) }
        if makes(.network) { ops.append(.loopback) }
        // Where another process follows, the terminal is to be that one's.
        ops += try steps.ops(terminal: terminal, controlling: pidOwner == nil, null: null)
    }

    var steps: ProcessSteps {
        ProcessSteps(
            id: request.id, process: spec.process, seccomp: spec.linux.seccomp, stdio: request.stdio,
            diesWithParent: request.diesWithParent, keepsGroups: host.keepsGroups,
            passed: request.passed)
    }
}
