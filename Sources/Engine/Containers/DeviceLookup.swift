internal import OCI
internal import Sys

/// Finds the host's devices that a container is given.
enum DeviceLookup {
    /// One `--device`: a node, or a directory with all the nodes below it.
    static func resolve(_ request: DeviceRequest) throws(EngineError) -> [ResolvedDevice] {
        let failure = "error gathering device information while adding custom device \"\(request.source)\""
        let found: [Spec.Device]
        do throws(Errno) {
            let status = try File.status(request.source, follow: true)
            found =
                status.isDirectory
                ? nodes(below: request.source, as: request.target)
                : device(status, path: request.target).map { [$0] } ?? []
        } catch {
            throw .invalid("\(failure): \(error)")
        }
        if found.isEmpty { throw .invalid("\(failure): not a device node") }
        return found.map { ResolvedDevice(device: $0, access: request.permissions) }
    }

    /// All of the host's devices, for `--privileged`. What the container makes anew is left out.
    static func all() -> [ResolvedDevice] {
        let own: Set<String> = [
            "/dev/pts", "/dev/shm", "/dev/mqueue", "/dev/fd", "/dev/.lxc", "/dev/ptmx", "/dev/console",
        ]
        let standard: Set<String> = [
            "/dev/null", "/dev/zero", "/dev/full", "/dev/random", "/dev/urandom", "/dev/tty",
        ]
        return nodes(below: "/dev", as: "/dev", without: own.union(standard)).map {
            ResolvedDevice(device: $0, access: "rwm")
        }
    }

    private static func nodes(below source: String, as target: String, without: Set<String> = []) -> [Spec.Device] {
        var result: [Spec.Device] = []
        for entry in ((try? Directory.entries(source)) ?? []).sorted(by: { $0.name < $1.name }) {
            let path = "\(source)/\(entry.name)"
            let name = "\(target)/\(entry.name)"
            // A link is left out: it would double what it names, or lead round in circles.
            guard !without.contains(path), let status = try? File.status(path) else { continue }
            if status.isDirectory {
                result += nodes(below: path, as: name, without: without)
            } else if let device = device(status, path: name) {
                result.append(device)
            }
        }
        return result
    }

    private static func device(_ status: FileStatus, path: String) -> Spec.Device? {
        guard status.kind == .characterDevice || status.kind == .blockDevice else { return nil }
        var device = Spec.Device(
            path: path, type: status.kind == .blockDevice ? "b" : "c", major: Int64(status.major),
            minor: Int64(status.minor), fileMode: status.mode)
        device.uid = status.uid
        device.gid = status.gid
        return device
    }
}
