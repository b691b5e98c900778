internal import Cgroups
internal import Glibc
internal import OCI
internal import Sys

/// The verbs of the OCI runtime specification (runtime.md) on the containers below one directory.
package struct ContainerRuntime: Sendable {
    /// Who keeps the cgroups.
    package enum CgroupDriver: String, Sendable, Hashable { case cgroupfs, systemd, disabled }

    /// Where the state of the containers is.
    package let root: String
    package let driver: CgroupDriver
    /// Says what the caller should know and what stops nothing.
    package let notice: @Sendable (String) -> Void

    package init(
        root: String? = nil, driver: CgroupDriver = .cgroupfs, notice: @escaping @Sendable (String) -> Void = { _ in }
    ) {
        self.root = root ?? ContainerRuntime.defaultRoot
        self.driver = driver
        self.notice = notice
    }

    /// Gone after a reboot, as the containers are.
    private static var defaultRoot: String {
        if geteuid() == 0, !isInUserNamespace { return "/run/runimg-oci" }
        return "\(Environment["XDG_RUNTIME_DIR"] ?? "/run/user/\(geteuid())")/runimg-oci"
    }

    /// Whether we are one user's in a namespace, where nothing may be made that belongs to the host (user_namespaces(7)).
    static var isInUserNamespace: Bool {
        let text = String(decoding: (try? File.readAll("/proc/self/uid_map", limit: 1 << 20)) ?? [], as: UTF8.self)
        return !text.isEmpty && text.split(whereSeparator: \.isWhitespace) != ["0", "0", "4294967295"]
    }

    /// What is known of a container, and what state it is in now. Waits for nobody.
    package func inspect(_ id: String) throws(ContainerError) -> (state: ContainerState, status: ContainerStatus) {
        try ContainerID.check(id)
        guard let state = try read(id) else { throw .notFound(id) }
        return (state, status(of: state))
    }

    func directory(_ id: String) -> String { "\(root)/\(id)" }

    private func read(_ id: String) throws(ContainerError) -> ContainerState? {
        do throws(Errno) {
            return try ContainerDirectory.read(directory(id))
        } catch .noEntry {
            return nil
        } catch {
            throw .system(SystemFailure("read the state of container", id, error))
        }
    }

    /// All containers by ID; what another command is just making or removing is left out.
    package func all() throws(ContainerError) -> [(state: ContainerState, status: ContainerStatus)] {
        let names: [String]
        do throws(Errno) {
            names = try Directory.entries(root).map(\.name).sorted()
        } catch .noEntry {
            return []
        } catch {
            throw .system(SystemFailure("list", root, error))
        }
        return names.compactMap { name in
            guard let state = try? ContainerDirectory.read(directory(name)) else { return nil }
            return (state, status(of: state))
        }
    }

    func status(of state: ContainerState) -> ContainerStatus {
        let path = directory(state.id)
        if state.pid == 0 { return ContainerDirectory.isHeld(path) ? .creating : .stopped }
        guard ProcessStatus.startTime(state.pid) == state.startTime else { return .stopped }
        if !state.isComplete { return .creating }
        if StartGate.isClosed(path) { return .created }
        let isFrozen = try? cgroup(of: state)?.isFrozen()
        return isFrozen == true ? .paused : .running
    }

    /// The container's configuration as it was when it was made.
    func specification(of id: String) throws(ContainerError) -> Spec {
        let path = "\(directory(id))/config.json"
        let bytes = try call("read", path) { () throws(Errno) in try File.readAll(path, limit: Spec.maximumSize) }
        return try ContainerRuntime.specification(bytes)
    }

    static func specification(_ bytes: [UInt8]) throws(ContainerError) -> Spec {
        do throws(FieldFault) { return try Spec(reading: bytes) } catch { throw .specification(error) }
    }

    /// nil where it has none of its own, or it is gone.
    func cgroup(of state: ContainerState) throws(ContainerError) -> Cgroup? {
        guard let path = state.cgroupPath else { return nil }
        return try cgroups { () throws(CgroupError) in try CgroupManager.detect().open(path: path) }
    }

    /// The first process, which lives and is the one that was noted.
    func process(of state: ContainerState) throws(ContainerError) -> OwnedFD {
        do throws(Errno) {
            let pidfd = try Pidfd.open(state.pid)
            // Compared after the descriptor is ours: a number may come again.
            if ProcessStatus.startTime(state.pid) == state.startTime { return pidfd }
        } catch .noProcess {
            // Said below.
        } catch {
            throw .system(SystemFailure("open the process of container", state.id, error))
        }
        throw .state("container not running: container \(state.id) is stopped")
    }
}
