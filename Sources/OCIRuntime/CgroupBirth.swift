internal import Cgroups
internal import OCI
internal import Sys
internal import Systemd

/// How the cgroup of a new container comes to be: by our own directories, by systemd, or not at all. First the place is
/// said, so that it is known before there is something to clean up; then it is made; and once the first process is in it,
/// what only held it goes.
final class CgroupBirth {
    private enum Keeper {
        case nobody
        case us
        case systemd(UnitBirth)
    }

    private let keeper: Keeper
    /// nil where there is to be none, and for an ordinary user who may make none and asks for no limit.
    private(set) var cgroup: Cgroup?

    /// Notes in `state` where it will be; changes nothing.
    init(_ driver: ContainerRuntime.CgroupDriver, _ state: inout ContainerState, _ spec: Spec) throws(ContainerError) {
        switch driver {
        case .disabled:
            keeper = .nobody
        case .cgroupfs:
            keeper = .us
            state.cgroupPath = CgroupBirth.path(of: spec, state.id)
        case .systemd:
            let birth = try UnitBirth(of: spec, state.id)
            keeper = .systemd(birth)
            state.cgroupPath = birth.path
            state.unit = birth.unit
        }
    }

    /// The spec's (config-linux.md#cgroups-path), or one below ours.
    private static func path(of spec: Spec, _ id: String) -> String {
        let path = spec.linux.cgroupsPath.flatMap { $0.isEmpty ? nil : $0 } ?? "/runimg-oci/\(id)"
        return path.utf8.first == UInt8(ascii: "/") ? path : "/" + path
    }

    /// Makes it with its limits. Where that fails and nothing is left, `state` says so.
    func make(_ state: inout ContainerState, _ spec: Spec) throws(ContainerError) {
        var resources = spec.linux.resources
        if !resources.devices.isEmpty { resources.devices += DeviceDefaults.rules }
        switch keeper {
        case .nobody: return
        case .us: try make(&state, spec, resources)
        case .systemd(let birth): cgroup = try birth.make(&state, spec, resources)
        }
    }

    private func make(
        _ state: inout ContainerState, _ spec: Spec, _ resources: Spec.Resources
    ) throws(ContainerError) {
        guard let path = state.cgroupPath else { return }
        do throws(CgroupError) {
            cgroup = try CgroupManager.detect().create(path: path, resources: resources)
        } catch {
            // Nothing of it is there to be cleaned up, and what is there is somebody else's.
            state.cgroupPath = nil
            guard ContainerRuntime.isUnprivileged, spec.linux.resources.limitsNothing else { throw .cgroup(error) }
        }
    }

    /// To be called when the container's first process is in it, and waits.
    func settle() throws(ContainerError) {
        if case .systemd(let birth) = keeper, let cgroup { try birth.settle(cgroup) }
    }
}
