internal import Rootfs

extension PlanOp: CustomStringConvertible {
    /// One line for `--dry-run` and for errors.
    package var description: String {
        switch self {
        case .unshare(let flags): "unshare \(flags)"
        case .joinNamespace(let path, let flags): "join \(flags) namespace \(path)"
        case .join(let slot, let flags): "join the namespaces \(flags) of the container, \(slot) = its root"
        case .share(let target, let flags): "join namespaces \(flags) of process \(target)"
        case .hostName(let name): "hostname \(name)"
        case .domainName(let name): "domainname \(name)"
        case .loopback: "bring up lo"
        case .awaitRelease: "await release"
        case .awaitHooks: "wait for the hooks"
        case .awaitMapping: "await mapping and release"
        case .joinCgroup: "join cgroup"
        default: mountDescription ?? fileDescription ?? processDescription
        }
    }

    private var mountDescription: String? {
        switch self {
        case .makeMountsPrivate: "make all mounts private"
        case .makeMountsSlaves: "make all mounts slaves"
        case .changeRoot(let slot): "chroot to \(slot)"
        case .moveRoot(let slot): "move \(slot) over the root"
        case .inherit(let slot, let index): "\(slot) = copy \(index) of the parent"
        case .copyUp(let slot, let place): "copy \(place) to \(slot)"
        case .reconfigure(let place, let options):
            "remount \(place) \(options.map(\.description).joined(separator: ","))"
        case .cloneTree(let slot, let place, let recursive):
            "\(slot) = \(recursive ? "rbind" : "bind") of \(place)"
        case .borrow(let slot, let target, let path, _): "\(slot) = copy of \(path) of process \(target)"
        case .filesystem(let slot, let type, let options, let attributes):
            "\(slot) = new \(type)\(attributes.text)\(options.isEmpty ? "" : " ")"
                + options.map(\.description).joined(separator: ",")
        case .overlay(let mountPoint, let options): "mount overlay on host:\(mountPoint) \(options)"
        case .attributes(let slot, let set, let clear, let propagation, let recursive):
            "set\(recursive ? " recursively" : "") on \(slot)\(set.text)\(clear.isEmpty ? "" : " clear\(clear.text)")"
                + (propagation.map { " \($0)" } ?? "")
        case .attach(let slot, let place, let rules): "mount \(slot) on \(place)\(rules.text)"
        case .mask(let place, _, _, _): "mask \(place)"
        case .readOnly(let place, _): "read-only \(place)"
        case .pivot(let slot): "pivot to \(slot)"
        default: nil
        }
    }

    private var fileDescription: String? {
        switch self {
        case .changeDirectory(let path): "chdir host:\(path)"
        case .open(let slot, let place, _, let rules): "\(slot) = open \(place)\(rules.text)"
        case .nullDevice(let slot, let place, _): "\(slot) = open null device \(place)"
        case .makePath(let place): "mkdir -p \(place)"
        case .node(let place, let node):
            "mknod \(place) \(node.kind) \(node.major):\(node.minor) mode \(octal(node.mode & 0o7777))"
                + (node.uid == 0 && node.gid == 0 ? "" : " owner \(node.uid):\(node.gid)")
        case .link(let place, let target): "symlink \(place) -> \(target)"
        case .write(let place, let value): "write \(place) \(value)"
        case .pty(let slot, let devpts, let rows, let columns, let owner):
            "\(slot) = new terminal of \(devpts) size \(columns)x\(rows) owner \(owner)"
        case .hostTerminal(let slot, let rows, let columns):
            "\(slot) = new terminal of the host size \(columns)x\(rows)"
        case .workDirectory(let place): "chdir \(place)"
        default: nil
        }
    }

    private var processDescription: String {
        switch self {
        case .limit(let limit): "rlimit \(limit.name) \(limit.soft):\(limit.hard)"
        case .keyring(let name): "new session keyring \(name)"
        case .stdio(let io, _, _): "stdio \(io.input) \(io.output) \(io.error)"
        case .terminal(let slot, let controlling): "\(controlling ? "controlling terminal" : "stdio") \(slot)"
        case .bounding(let mask): "capabilities bounding \(mask.text)"
        case .groups(let groups): "groups \(groups.map { "\($0)" }.joined(separator: ","))"
        case .ids(let uid, let gid): "user \(uid):\(gid)"
        case .capabilities(let effective, let permitted, let inheritable):
            "capabilities effective \(effective.text) permitted \(permitted.text) inheritable \(inheritable.text)"
        case .ambient(let mask): "capabilities ambient \(mask.text)"
        case .noNewPrivileges: "no new privileges"
        case .seccomp(let program): "seccomp filter of \(program.instructions) instructions"
        case .parentDeath(let signal): signal == 0 ? "outlive the parent" : "signal \(signal) when the parent dies"
        case .umask(let mask): "umask \(octal(mask))"
        case .becomeRoot: "become root of the user namespace"
        case .label(_, let text): "label \(text)"
        case .ioPriority(let value): "I/O priority \(value >> 13):\(value & 7)"
        case .scheduler(let attributes): "scheduler \(attributes)"
        case .personality(let domain): "personality 0x\(String(domain, radix: 16))"
        case .affinity(let list, let tolerant): "CPUs \(list.text)\(tolerant ? " where allowed" : "")"
        case .sealDescriptors(let passed):
            "close descriptors above \(2 + passed.kept) at exec" + (passed.gate == nil ? "" : " but the gate's")
        default: "exec"
        }
    }
}

extension DeviceNode {
    /// The letter of mknod(1), `f` for a regular file.
    fileprivate var kind: String {
        switch mode & 0o170000 {
        case 0o020000: "c"
        case 0o060000: "b"
        case 0o010000: "p"
        default: "f"
        }
    }
}

extension CapabilityMask {
    fileprivate var text: String { "0x" + String(rawValue, radix: 16) }
}

private func octal(_ value: UInt32) -> String { "0" + String(value, radix: 8) }
