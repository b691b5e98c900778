internal import Cgroups
internal import OCI
internal import Rootfs

extension PlanCompiler {
    /// /sys/fs/cgroup as the container sees it: in its cgroup namespace, so its own cgroup is the root of each
    /// hierarchy. v2 is one mount; v1 is one a hierarchy below a tmpfs, with links for what is mounted together.
    mutating func mountCgroups(_ mount: ClassifiedMount) throws(RuntimeError) {
        guard let layout = host.cgroups else {
            throw .invalid("mount cgroup on \(mount.destination): the host has no cgroup hierarchy mounted")
        }
        if layout.mode == .unified {
            let made = try slot("cgroup")
            ops.append(
                .filesystem(made, type: "cgroup2", options: [MountOption("source", "cgroup")], mount.options.set))
            ops.append(.attach(made, .within(root, mount.destination), [.makeDirectory, .directory, .notProc]))
            return
        }
        let top = try slot("cgroup")
        let attributes = mount.options.set
        let options = [MountOption("source", "tmpfs"), MountOption("mode", "755")]
        ops.append(.filesystem(top, type: "tmpfs", options: options, attributes.subtracting(.readOnly)))
        ops.append(.attach(top, .within(root, mount.destination), [.makeDirectory, .directory, .notProc]))
        for (index, hierarchy) in layout.hierarchies.enumerated() {
            try mountHierarchy(hierarchy, index: index, below: top, attributes)
        }
        if attributes.contains(.readOnly) {
            ops.append(.attributes(top, set: .readOnly, clear: [], nil, recursive: false))
        }
    }

    private mutating func mountHierarchy(
        _ hierarchy: CgroupLayout.Hierarchy, index: Int, below top: Slot, _ attributes: MountAttributes
    ) throws(RuntimeError) {
        let directory = hierarchy.mountPoint.split(separator: "/").last.map(String.init) ?? "cgroup\(index)"
        let made = try slot("cgroup\(index)")
        var options = [MountOption("source", "cgroup")]
        if !hierarchy.isUnified {
            for controller in hierarchy.controllers {
                let parts = controller.split(separator: "=", maxSplits: 1).map(String.init)
                options.append(parts.count == 2 ? MountOption(parts[0], parts[1]) : MountOption(controller))
            }
            if hierarchy.controllers.allSatisfy({ $0.utf8.starts(with: "name=".utf8) }) {
                options.append(MountOption("none"))
            }
        }
        let type = hierarchy.isUnified ? "cgroup2" : "cgroup"
        ops.append(.filesystem(made, type: type, options: options, attributes))
        ops.append(.attach(made, .within(top, directory), [.makeDirectory, .directory, .noLinks]))
        if hierarchy.isUnified { return }
        for controller in hierarchy.controllers where controller != directory && !controller.contains("=") {
            ops.append(.link(.within(top, controller), target: directory))
        }
    }
}
