internal import Glibc
internal import OCI
internal import Rootfs

extension PlanCompiler {
    /// Written through a procfs that nobody else has touched: the container's own mount, or a detached one.
    mutating func writeSysctls() throws(RuntimeError) {
        if spec.linux.sysctl.isEmpty { return }
        var target = proc
        if target == nil {
            let detached = try slot("procfs")
            ops.append(.filesystem(detached, type: "proc", options: [], [.noSuid, .noDev, .noExec]))
            target = detached
        }
        guard let target else { return }
        for (name, value) in spec.linux.sysctl.sorted(by: { $0.key < $1.key }) {
            if !Sysctls.isValue(value) { throw .invalid("sysctl \(name): the value is empty, or more than one line") }
            ops.append(.write(.within(target, "sys/" + (try sysctlPath(name))), value: value))
        }
    }

    /// `net.ipv4.ip_forward` or `net/ipv4/ip_forward`: the first separator is the separator (sysctl(8)), and the other
    /// one is a character of an interface's name.
    private func sysctlPath(_ name: String) throws(RuntimeError) -> String {
        let slash = UInt8(ascii: "/")
        let dot = UInt8(ascii: ".")
        let first = name.utf8.first { $0 == slash || $0 == dot }
        let bytes = first == slash ? Array(name.utf8) : name.utf8.map { $0 == dot ? slash : $0 == slash ? dot : $0 }
        let parts = bytes.split(separator: slash, omittingEmptySubsequences: false)
        let isBad = parts.contains { $0.isEmpty || $0.elementsEqual(".".utf8) || $0.elementsEqual("..".utf8) }
        if first == nil || isBad { throw .invalid("sysctl \(name): not a name of the form net.ipv4.ip_forward") }
        let path = String(decoding: bytes, as: UTF8.self)
        try checkOwner(name, path.split(separator: "/"))
        return path
    }

    /// Whatever is of no namespace, or of one that is the host's, is set for the host.
    private func checkOwner(_ name: String, _ parts: [Substring]) throws(RuntimeError) {
        let kind: Spec.Namespace.Kind? =
            switch Sysctls.owner(ofParts: parts) {
            case .network: .network
            case .ipc: .ipc
            case .uts: .uts
            case nil: nil
            }
        guard let kind else {
            throw .invalid("sysctl \(name): it belongs to no namespace of a container, and would be set for the host")
        }
        if !hasOwn(kind) {
            throw .invalid("sysctl \(name): the container has no \(kind.rawValue) namespace, so it would be the host's")
        }
    }

    /// Whether it is not the host's.
    func hasOwn(_ kind: Spec.Namespace.Kind) -> Bool {
        spec.linux.namespaces.contains { $0.type == kind }
            || request.shared.contains { $0.kinds.contains(NamespaceFlags(kind)) }
    }

    /// Hides the masked paths and protects the read-only ones, which may lie around each other: read-only comes last
    /// and takes the masks below along.
    mutating func coverPaths() throws(RuntimeError) {
        let masked = unique(spec.linux.maskedPaths)
        if !masked.isEmpty { try mask(masked) }
        for path in unique(spec.linux.readonlyPaths) { ops.append(.readOnly(cover(path), [])) }
    }

    /// Before Linux 6.15 open_tree copies only what is mounted in our own namespace. So what covers directories lies on the
    /// old root's /proc, which no later step looks at, until the pivot takes that away. In a mount namespace with others in
    /// it no place is ours to use: there each path gets one of its own.
    private mutating func mask(_ paths: [String]) throws(RuntimeError) {
        let null = try slot("null")
        // Where the image has no such node or a false one this fails, and so does the start.
        let place = dev.map { Place.within($0, "null") } ?? .within(root, "/dev/null")
        ops.append(.nullDevice(null, place, flags: Int32(O_PATH)))
        var shared: Slot?
        if !joins(.mount) {
            let empty = try makeEmpty()
            ops.append(.attach(empty, .host("/proc"), .directory))
            shared = empty
        }
        for path in paths {
            let empty = if let shared { shared } else { try makeEmpty() }
            ops.append(.mask(cover(path), file: null, directory: empty, shared == nil ? .itself : []))
        }
    }

    private mutating func makeEmpty() throws(RuntimeError) -> Slot {
        let empty = try slot("empty")
        let options = [
            MountOption("source", "tmpfs"), MountOption("ro"), MountOption("nr_inodes", "1"),
            MountOption("mode", "555"),
        ]
        ops.append(.filesystem(empty, type: "tmpfs", options: options, [.readOnly, .noSuid, .noDev, .noExec]))
        return empty
    }

    /// Straight from the procfs mount for what lies on it.
    private func cover(_ path: String) -> Place {
        if let proc, PlanCompiler.isBelow(path, "/proc"), path != "/proc" {
            return .within(proc, String(path.dropFirst("/proc/".count)))
        }
        return .within(root, path)
    }

    private func unique(_ paths: [String]) -> [String] {
        var seen: Set<String> = []
        return paths.map { PlanCompiler.clean($0) }.filter { seen.insert($0).inserted }
    }
}
