internal import Cgroups
internal import OCI
internal import Sys
internal import Systemd

/// How a cgroup comes to be that systemd keeps. A scope is made of processes and lasts as long as it has one: a child that
/// does nothing holds it until the container's first process is born in it, as in any other cgroup.
final class UnitBirth {
    let unit: ContainerUnit
    /// Where the cgroup will be.
    let path: String
    private let place: UnitPlace
    private let manager: SystemdManager
    private let annotations: [UnitProperty]
    private var holder: Holder?
    /// The limit of processes, which has no room for the one that holds the unit.
    private var late = Spec.Resources()

    /// A noncopyable value in a class.
    private final class Holder {
        let process: HoldingProcess
        init() throws(Errno) { process = try HoldingProcess() }
    }

    init(of spec: Spec, _ id: String) throws(ContainerError) {
        let isUser = ContainerRuntime.isUnprivileged
        let place = try systemd { () throws(SystemdError) in
            try UnitPlace(cgroupsPath: spec.linux.cgroupsPath, id: id, isUser: isUser)
        }
        annotations = try systemd { () throws(SystemdError) in
            try UnitProperty.of(annotations: spec.annotations ?? [:])
        }
        let manager = try systemd { () throws(SystemdError) in try SystemdManager(isUser: isUser) }
        let root = try systemd { () throws(SystemdError) in try manager.root() }
        path = "/" + (Path.parts(root) + Path.parts(place.path)).joined(separator: "/")
        (self.place, self.manager) = (place, manager)
        unit = ContainerUnit(name: place.unit, isUser: isUser)
    }

    /// Has the unit made, and limits its cgroup with our own hands too: systemd has no property for many a limit.
    func make(
        _ state: inout ContainerState, _ spec: Spec, _ resources: Spec.Resources
    ) throws(ContainerError) -> Cgroup {
        let cgroups = try OCIRuntime.cgroups { () throws(CgroupError) in try CgroupManager.detect() }
        var resources = resources
        if !place.isSlice { late = resources.takeProcessLimit() }
        // Until it is asked for, a unit of that name is somebody else's, as it is where systemd says no.
        (state.unit, state.cgroupPath) = (nil, nil)
        let properties = try properties(of: resources, state.id, cgroups)
        (state.unit, state.cgroupPath) = (unit, path)
        do throws(SystemdError) {
            try start(properties, cgroups)
            state.cgroupPath = try manager.cgroup(of: place.unit)
        } catch {
            if error.meansNothingWasMade { (state.unit, state.cgroupPath) = (nil, nil) }
            throw .systemd(error)
        }
        let path = state.cgroupPath ?? self.path
        return try OCIRuntime.cgroups { () throws(CgroupError) in
            try cgroups.adopt(path: path, resources: resources)
        }
    }

    private func properties(
        of resources: Spec.Resources, _ id: String, _ cgroups: CgroupManager
    ) throws(ContainerError) -> [UnitProperty] {
        let (files, devices) = try OCIRuntime.cgroups { () throws(CgroupError) in
            // What can't be had here is refused before anything is made.
            _ = try cgroups.files(of: late)
            return (try cgroups.files(of: resources), try cgroups.allowedDevices(resources))
        }
        let isLegacy = cgroups.layout.hierarchies.contains { $0.controllers.contains("blkio") }
        return UnitProperty.standard(place, id: id, isLegacy: isLegacy) + annotations
            + UnitProperty.of(files: files)
            + (devices.map { list in
                UnitProperty.devices(list.map { ($0.isBlock, $0.major, $0.minor, $0.access) })
            } ?? [])
    }

    private func start(_ properties: [UnitProperty], _ cgroups: CgroupManager) throws(SystemdError) {
        if place.isSlice { return try manager.start(place.unit, properties) }
        let holder: Holder
        do throws(Errno) { holder = try Holder() } catch {
            throw .system(SystemFailure("make a process that holds", place.unit, error))
        }
        self.holder = holder
        try manager.start(place.unit, properties + [UnitProperty.process(holder.process.pid)])
    }

    func settle(_ cgroup: Cgroup) throws(ContainerError) {
        holder = nil
        let limit = late
        if limit == Spec.Resources() { return }
        let change = try cgroups { () throws(CgroupError) in try cgroup.update(limit) }
        try unit.update(cgroup, limit, change, manager)
    }
}

extension SystemdError {
    /// systemd has said no.
    fileprivate var meansNothingWasMade: Bool {
        switch self {
        case .refused, .job: true
        default: false
        }
    }
}

extension Spec.Resources {
    /// Takes the limit of processes out, and returns it.
    fileprivate mutating func takeProcessLimit() -> Spec.Resources {
        var taken = Spec.Resources()
        taken.pids = pids
        pids = nil
        if let limit = unified?.removeValue(forKey: "pids.max") { taken.unified = ["pids.max": limit] }
        return taken
    }
}
