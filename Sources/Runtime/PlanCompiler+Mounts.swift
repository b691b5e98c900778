internal import CInit
internal import Glibc
internal import OCI
internal import Rootfs

/// One mount of the spec with its options told apart.
struct ClassifiedMount {
    enum Kind { case bind, cgroup, filesystem }

    let kind: Kind
    let type: String
    let source: String
    /// Absolute, without `.`, `..` and doubled slashes.
    let destination: String
    let options: MountOptions
}

extension PlanCompiler {
    static let pathOnlyDirectory = Int32(O_PATH) | Int32(O_DIRECTORY)

    func classifyMounts() throws(RuntimeError) -> [ClassifiedMount] {
        var result: [ClassifiedMount] = []
        for mount in spec.mounts {
            let destination = try cleanDestination(mount.destination)
            let options = MountOptions(mount.options)
            let type = mount.type ?? "none"
            try refuseOverProc(mount, destination: destination, isProc: type == "proc" && !options.isBind)
            let kind: ClassifiedMount.Kind =
                options.isBind || type == "bind" ? .bind : type == "cgroup" || type == "cgroup2" ? .cgroup : .filesystem
            if kind == .bind, mount.source?.utf8.first != UInt8(ascii: "/") {
                throw .invalid("mount on \(destination): the source \(mount.source ?? "") is not an absolute path")
            }
            result.append(
                ClassifiedMount(
                    kind: kind, type: type, source: mount.source ?? type, destination: destination, options: options))
        }
        return result
    }

    private func cleanDestination(_ path: String) throws(RuntimeError) -> String {
        guard path.utf8.first == UInt8(ascii: "/") else {
            throw .invalid("mount destination \(path) is not an absolute path")
        }
        let clean = PlanCompiler.clean(path)
        if clean == "/" { throw .invalid("mount destination \(path) is the container's root") }
        return clean
    }

    /// Without `.`, `..` and doubled slashes; `..` of the root is the root.
    static func clean(_ path: String) -> String {
        var parts: [Substring.UTF8View] = []
        for part in Substring(path).utf8.split(separator: UInt8(ascii: "/")) where !part.elementsEqual(".".utf8) {
            if part.elementsEqual("..".utf8) { _ = parts.popLast() } else { parts.append(part) }
        }
        return "/" + parts.map { String(Substring($0)) }.joined(separator: "/")
    }

    static func isBelow(_ path: String, _ parent: String) -> Bool {
        path == parent || path.utf8.starts(with: (parent + "/").utf8)
    }

    /// Whoever mounts over /proc makes later writes to labels and sysctls land in a file of his.
    private func refuseOverProc(_ mount: Spec.Mount, destination: String, isProc: Bool) throws(RuntimeError) {
        if !PlanCompiler.isBelow(destination, "/proc") || (isProc && destination == "/proc") { return }
        throw .invalid(
            "mount \(mount.source ?? mount.type ?? "") on \(mount.destination): mounts on /proc are refused,"
                + " since they could redirect what the runtime writes there; choose another destination")
    }

    /// Copies the host's trees before anything of the image is in the view, and before the namespace's own mounts become
    /// private: a copy stays in its peer group, which is what `rslave` and `rshared` are about.
    mutating func takeSources(_ mounts: [ClassifiedMount]) throws(RuntimeError) {
        for (index, mount) in mounts.enumerated() where mount.kind == .bind {
            let options = mount.options
            let copy = try slot("bind\(index)")
            sources[index] = copy
            ops.append(.cloneTree(copy, .host(mount.source), recursive: options.bindIsRecursive))
            let propagation = options.propagation ?? .private
            let separate = options.propagation == nil || options.propagationIsRecursive
            // Read-only covers the mounts below as well: a writable one would be a hole.
            if separate {
                ops.append(
                    .attributes(copy, set: options.set, clear: options.clear, propagation, recursive: true))
            } else {
                ops.append(.attributes(copy, set: options.set, clear: options.clear, nil, recursive: true))
                ops.append(.attributes(copy, set: [], clear: [], propagation, recursive: false))
            }
        }
    }

    mutating func mountAll(_ mounts: [ClassifiedMount]) throws(RuntimeError) {
        for (index, mount) in mounts.enumerated() {
            switch mount.kind {
            case .bind:
                if let source = sources[index] { attach(source, mount) }
            case .filesystem:
                if let source = sources[index] {
                    attach(source, mount)
                } else {
                    try mountFilesystem(mount, index: index)
                }
            case .cgroup: try mountCgroups(mount)
            }
        }
    }

    private mutating func attach(_ mount: Slot, _ classified: ClassifiedMount) {
        let destination = classified.destination
        let system = destination == "/proc" || destination == "/sys"
        var rules: TargetRules = classified.kind == .bind ? .makeLike : [.makeDirectory, .directory]
        // The image's own link or file at these places is an attack, not a layout.
        rules.formUnion(system ? [.noLinks, .directory] : .notProc)
        ops.append(.attach(mount, .within(root, destination), rules))
        switch destination {
        case "/proc": proc = mount
        case "/dev": dev = mount
        case "/dev/pts": devpts = classified.type == "devpts" ? mount : nil
        default: break
        }
    }

    private mutating func mountFilesystem(_ mount: ClassifiedMount, index: Int) throws(RuntimeError) {
        if mount.type == "none" { throw .invalid("mount on \(mount.destination): the type is missing") }
        let made = try slot(mount.destination == "/dev/pts" ? "pts" : name(of: mount.destination, index))
        let options = [MountOption("source", mount.source)] + mount.options.data
        ops.append(.filesystem(made, type: mount.type, options: options, mount.options.set))
        if let propagation = mount.options.propagation {
            ops.append(.attributes(made, set: [], clear: [], propagation, recursive: false))
        }
        attach(made, mount)
    }

    private func name(of destination: String, _ index: Int) -> String {
        switch destination {
        case "/proc", "/sys", "/dev": String(destination.dropFirst())
        default: "mount\(index)"
        }
    }
}
