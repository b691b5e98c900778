internal import Cgroups
internal import OCI
internal import Rootfs

extension PlanCompiler {
    /// /sys/fs/cgroup as the container sees it: its own cgroup is the root of each hierarchy. v2 is one mount; v1 is one
    /// a hierarchy below a tmpfs, with links for what is mounted together.
    mutating func mountCgroups(_ mount: ClassifiedMount) throws(RuntimeError) {
        guard let layout = host.cgroups else {
            throw .invalid("mount cgroup on \(mount.destination): the host has no cgroup hierarchy mounted")
        }
        let attributes = mount.options.all.set
        let rules: TargetRules = [.makeDirectory, .directory, .notProc]
        if layout.mode == .unified, let hierarchy = layout.hierarchies.first {
            let made = try makeHierarchy(hierarchy, "cgroup")
            ops.append(.attributes(made, set: attributes, clear: [], .private, recursive: false))
            ops.append(.attach(made, .within(root, mount.destination), rules))
            return
        }
        let top = try slot("cgroup")
        let options = [MountOption("source", "tmpfs"), MountOption("mode", "755")]
        ops.append(.filesystem(top, type: "tmpfs", options: options, []))
        ops.append(.attach(top, .within(root, mount.destination), rules))
        for (index, hierarchy) in layout.hierarchies.enumerated() {
            let name = hierarchy.name.isEmpty ? "cgroup\(index)" : hierarchy.name
            let made = try makeHierarchy(hierarchy, "cgroup\(index)")
            ops.append(.attach(made, .within(top, name), [.makeDirectory, .directory, .noLinks]))
            if hierarchy.isUnified { continue }
            for controller in hierarchy.controllers where controller != name && !controller.contains("=") {
                ops.append(.link(.within(top, controller), target: name))
            }
        }
        // One call for all of them.
        ops.append(.attributes(top, set: attributes, clear: [], .private, recursive: true))
    }

    /// A copy of the host's mount that begins at the container's cgroup, where its path is known: a new superblock for
    /// each hierarchy and namespace costs ten times as much, and shows the same.
    private mutating func makeHierarchy(
        _ hierarchy: CgroupLayout.Hierarchy, _ name: String
    ) throws(RuntimeError) -> Slot {
        let made = try slot(name)
        if let path = spec.linux.cgroupsPath {
            let own = PlanCompiler.clean("/" + path)
            ops.append(.cloneTree(made, .host(hierarchy.mountPoint + own), recursive: false))
            return made
        }
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
        ops.append(.filesystem(made, type: hierarchy.isUnified ? "cgroup2" : "cgroup", options: options, []))
        return made
    }
}
