internal import Cgroups
internal import Glibc
internal import OCI
internal import Runtime
internal import Sys

extension ContainerRuntime {
    /// Others' processes must never become the container's, not even for who cleans up after us.
    func checkUnused(_ state: inout ContainerState) throws(ContainerError) {
        guard let path = state.cgroupPath, let found = try cgroup(of: state) else { return }
        if try cgroups({ () throws(CgroupError) in try found.processes() }).isEmpty { return }
        (state.cgroupPath, state.unit) = (nil, nil)
        throw .invalid("the cgroup \(path) has processes in it already: choose another linux.cgroupsPath")
    }

    static var isUnprivileged: Bool { geteuid() != 0 || isInUserNamespace }

    static func hostFacts() -> HostFacts {
        var facts = HostFacts.current()
        facts.makesDevices = !isUnprivileged
        let policy = try? File.readAll("/proc/self/setgroups", limit: 64)
        facts.keepsGroups = policy.map { $0.starts(with: "deny".utf8) } ?? false
        return facts
    }

    /// Ends what is left of a container and takes its cgroup away, and the unit that it is of.
    func destroy(_ state: ContainerState) throws(ContainerError) {
        try end(state)
        try state.unit?.remove(notice)
    }

    private func end(_ state: ContainerState) throws(ContainerError) {
        let cgroup = try cgroup(of: state)
        if state.pid > 0, let pidfd = try? process(of: state) {
            try? Pidfd.send(SIGKILL, to: pidfd.raw)
            // A frozen one dies when it is thawed.
            if let cgroup { try cgroups { () throws(CgroupError) in try cgroup.killAll() } }
            // With a pid namespace of its own all others go with it before its end is seen.
            var items = [PollItem(pidfd.raw, .readable)]
            _ = try? PollItem.wait(&items, milliseconds: 10_000)
        }
        guard let cgroup else { return }
        try cgroups { () throws(CgroupError) in
            try cgroup.killAll()
            try cgroup.remove()
        }
    }
}

extension Spec.Resources {
    /// Rules on devices apart, without which an ordinary user has no more of them.
    var limitsNothing: Bool {
        var rest = self
        rest.devices = []
        return rest == Spec.Resources()
    }
}

/// The devices that every container has (config-linux.md#default-devices), whatever its own rules say before.
enum DeviceDefaults {
    static let rules: [Spec.DeviceRule] =
        [nodes("c"), nodes("b")]
        + [(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2)].map { access($0.0, $0.1) }
        // Terminals of the container's own devpts.
        + [access(136, nil)]

    /// To make a node is not to open it.
    private static func nodes(_ type: String) -> Spec.DeviceRule {
        Spec.DeviceRule(allow: true, type: type, access: "m")
    }

    private static func access(_ major: Int64, _ minor: Int64?) -> Spec.DeviceRule {
        Spec.DeviceRule(allow: true, type: "c", major: major, minor: minor, access: "rwm")
    }
}
