internal import Cgroups
internal import OCI
internal import Systemd

/// The unit of systemd's that a container is in, as its record says.
struct ContainerUnit: Sendable, Hashable {
    let name: String
    /// Of our user's systemd, not the host's.
    let isUser: Bool

    init(name: String, isUser: Bool) {
        self.name = name
        self.isUser = isUser
    }

    var json: JSONValue { .object(["name": .string(name), "isUser": .bool(isUser)]) }

    /// nil for what no command of ours has written.
    init?(_ json: JSONValue) {
        guard let name = json["name"]?.string, let isUser = json["isUser"]?.bool else { return nil }
        (self.name, self.isUser) = (name, isUser)
    }

    /// Files that systemd writes whenever one of its values changes, with less exact ones than were asked for.
    private static let rounded = ["cpu.max", "cpu.cfs_quota_us", "io.bfq.weight"]

    /// Ends it, so that nothing is left of it. One that is gone is no error; and where no systemd answers any more, there is
    /// none that could have it.
    func remove(_ notice: (String) -> Void) throws(ContainerError) {
        do throws(SystemdError) {
            try SystemdManager(isUser: isUser).stop(name)
        } catch {
            guard case .unreachable = error else { throw .systemd(error) }
            notice("unit \(name) is not looked after: \(error)")
        }
    }

    /// Tells systemd of limits that `cgroup` has got, so that it sets none of them back. Where it takes them not, `change`
    /// is undone.
    func update(
        _ cgroup: Cgroup, _ resources: Spec.Resources, _ change: LimitChange, _ known: SystemdManager? = nil
    ) throws(ContainerError) {
        do throws(ContainerError) {
            let files = try cgroups { () throws(CgroupError) in
                try CgroupManager.detect().files(of: resources.withoutDevices)
            }
            // As the kernel has taken them: whole pages, and the period that was there.
            let properties = UnitProperty.of(files: cgroup.values(of: files.keys))
            if properties.isEmpty { return }
            let exact = cgroup.values(of: ContainerUnit.rounded)
            try systemd { () throws(SystemdError) in
                let manager = if let known { known } else { try SystemdManager(isUser: isUser) }
                try manager.set(name, properties)
            }
            cgroup.restore(exact)
        } catch {
            try? change.undo()
            throw error
        }
    }
}

extension Spec.Resources {
    fileprivate var withoutDevices: Spec.Resources {
        var result = self
        result.devices = []
        return result
    }
}
