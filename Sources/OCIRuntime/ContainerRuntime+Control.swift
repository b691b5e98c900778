internal import Cgroups
internal import Glibc
package import OCI
internal import Sys

extension ContainerRuntime {
    /// False where there was nobody to send it to.
    func signalAll(_ cgroup: Cgroup, _ signal: Int32) throws(ContainerError) -> Bool {
        let pids = try cgroups { () throws(CgroupError) in try cgroup.processes() }
        var isSent = false
        // No more descriptors at once than anybody may have open.
        for start in stride(from: 0, to: pids.count, by: 256) {
            var opened: [(pid: Int32, pidfd: OwnedDescriptor)] = []
            for pid in pids[start..<min(start + 256, pids.count)] {
                if let pidfd = try? OwnedDescriptor(Pidfd.open(pid)) { opened.append((pid, pidfd)) }
            }
            // Who is still there has had its number all the time: one that came again is in no cgroup of ours.
            let still = try cgroups { () throws(CgroupError) in Set(try cgroup.processes()) }
            for (pid, pidfd) in opened where still.contains(pid) {
                if (try? Pidfd.send(signal, to: pidfd.raw)) != nil { isSent = true }
            }
        }
        return isSent
    }

    /// All numbers of processes that the container has, as our pid namespace sees them.
    package func processes(of id: String) throws(ContainerError) -> [Int32] {
        let (state, status) = try inspect(id)
        if status == .stopped { throw .state("container not running: container \(id) is stopped") }
        guard let cgroup = try cgroup(of: state) else { return [state.pid] }
        return try cgroups { () throws(CgroupError) in try cgroup.processes() }
    }

    /// Stops all processes of a container until `resume`.
    package func pause(_ id: String) throws(ContainerError) {
        let state = try inspect(id, expecting: [.running, .created], for: "pause")
        let cgroup = try ownCgroup(of: state)
        try cgroups { () throws(CgroupError) in try cgroup.freeze() }
    }

    package func resume(_ id: String) throws(ContainerError) {
        let state = try inspect(id, expecting: [.paused], for: "resume")
        try thaw(state)
    }

    func thaw(_ state: ContainerState) throws(ContainerError) {
        let cgroup = try ownCgroup(of: state)
        try cgroups { () throws(CgroupError) in try cgroup.thaw() }
    }

    /// Changes the limits of a container; what `resources` says nothing of stays.
    package func update(_ id: String, _ resources: Spec.Resources) throws(ContainerError) {
        let state = try inspect(id, expecting: [.created, .running, .paused], for: "update")
        let cgroup = try ownCgroup(of: state)
        let change = try cgroups { () throws(CgroupError) in try cgroup.update(resources) }
        try state.unit?.update(cgroup, resources, change)
    }

    func ownCgroup(of state: ContainerState) throws(ContainerError) -> Cgroup {
        if let cgroup = try cgroup(of: state) { return cgroup }
        throw .invalid("container \(state.id) has no cgroup of its own")
    }

    private func inspect(
        _ id: String, expecting expected: Set<ContainerStatus>, for verb: String
    ) throws(ContainerError) -> ContainerState {
        let (state, status) = try inspect(id)
        if expected.contains(status) { return state }
        if status == .stopped { throw .state("container not running: container \(id) is stopped") }
        throw .state("cannot \(verb) container \(id): it is \(status)")
    }
}
