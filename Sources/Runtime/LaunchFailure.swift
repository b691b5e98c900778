internal import CInit
internal import Glibc
internal import Rootfs
internal import Sys

/// Puts the child's numbers into words.
enum LaunchFailure {
    static func error(_ report: cinit_report, text: String, _ plan: LaunchPlan) -> RuntimeError {
        let errno = Errno(rawValue: report.error)
        if report.kind == UInt32(CINIT_EXEC_FAILURE.rawValue) {
            // The runtime's own program, not the command.
            if let runtime = plan.external?.runtime {
                return .setup(step: "run \(runtime.path)", detail: "\(errno)", remedy: nil)
            }
            return exec(report.call, errno, path: text, command: plan.arguments.first ?? text)
        }
        guard report.kind == UInt32(CINIT_FAILURE.rawValue), Int(report.op) < plan.ops.count else {
            return .lostChild("a report of unknown kind \(report.kind)")
        }
        let op = plan.ops[Int(report.op)]
        if op == .exec, errno.rawValue == E2BIG {
            return .commandNotExecutable("exec \(plan.arguments.first ?? ""): argument list too long")
        }
        if plan.isFurtherProcess, case .workDirectory(let place) = op, [.noEntry, .notDirectory].contains(errno) {
            return .commandNotFound("chdir to cwd (\"\(place.path)\"): \(plain(errno))")
        }
        let call = cinit_call(rawValue: report.call)
        let words = text.split(separator: "\n").map { "\($0)" }.joined(separator: "; ")
        let name = FailedCall.name(op, call)
        let detail = (name.isEmpty ? "" : "\(name): ") + "\(errno)" + (words.isEmpty ? "" : " (\(words))")
        if isRootMount(op) {
            return .rootMount(step: plan.subject(of: op), detail: detail, remedy: remedy(op, call, errno))
        }
        return .setup(step: plan.subject(of: op), detail: detail, remedy: remedy(op, call, errno))
    }

    private static func isRootMount(_ op: PlanOp) -> Bool {
        switch op {
        case .filesystem(let slot, "overlay", _, _): slot.index == 0
        case .overlay: true
        default: false
        }
    }

    /// In docker's words, and with its exit codes.
    static func exec(_ call: UInt32, _ errno: Errno, path: String, command: String) -> RuntimeError {
        switch (call, errno) {
        case (UInt32(CINIT_AT_CLONE.rawValue), _):
            let remedy = errno == .again ? "the limit of processes is reached" : "the seccomp profile must allow clone"
            return .setup(step: "start a process in the container's pid namespace", detail: "\(errno)", remedy: remedy)
        case (UInt32(CINIT_AT_CONTROL.rawValue), _):
            return .setup(step: "make the terminal the controlling one", detail: "\(errno)", remedy: nil)
        case (UInt32(CINIT_AT_LOOKUP.rawValue), _):
            return .commandNotFound("exec: \"\(command)\": executable file not found in $PATH")
        case (UInt32(CINIT_AT_STAT.rawValue), _):
            return .commandNotFound("exec: \"\(command)\": stat \(path): \(plain(errno))")
        case (_, .noEntry):
            return .commandNotFound(
                "exec \(path): no such file or directory; the file is there, but not the interpreter in its first line"
                    + " or its dynamic loader")
        case (_, .noExec):
            return .commandNotExecutable(
                "exec \(path): exec format error; it is for another architecture, or a script without a #! line")
        case (_, .accessDenied), (_, .isDirectory):
            return .commandNotExecutable("exec: \"\(command)\": \(plain(errno))")
        default:
            return .commandNotExecutable("exec \(path): \(plain(errno))")
        }
    }

    /// Without the symbolic name, as docker prints it.
    private static func plain(_ errno: Errno) -> String {
        let text = errno.description
        guard let end = text.utf8.lastIndex(of: UInt8(ascii: "(")), end > text.startIndex else { return text }
        return String(text[..<text.index(before: end)])
    }

    static func clone(_ errno: Errno, _ plan: LaunchPlan) -> RuntimeError {
        let remedy: String? =
            switch errno {
            case .notPermitted: "containers need root: run with sudo"
            case .accessDenied: otherSubtree
            case .noSpace: "raise the limits in /proc/sys/user/max_*_namespaces"
            case .again: "the limit of processes is reached: see ulimit -u and pids.max"
            case .invalid: "this kernel lacks one of the namespaces (Linux 5.12 or newer is needed)"
            default: nil
            }
        let target = plan.cloneFlags.isEmpty ? "the container's cgroup" : "namespaces \(plan.cloneFlags)"
        return .setup(step: "clone into \(target)", detail: "\(errno)", remedy: remedy)
    }

    /// A process is moved by who may write to the highest cgroup that it leaves (cgroups(7), "Cgroups delegation").
    private static let otherSubtree =
        "the container is in a part of the cgroup tree that is delegated to you, and this command is not: run it from "
        + "where the container was started, or by systemd-run --user --scope runimg …"

    private static func remedy(_ op: PlanOp, _ call: cinit_call, _ errno: Errno) -> String? {
        switch op {
        case .attach(_, _, let rules): attachRemedy(rules, call, errno)
        case .filesystem(_, let type, _, _) where errno.rawValue == ENODEV:
            "the kernel has no \(type): try modprobe \(type)"
        case .nullDevice where errno == .invalid:
            "it is not the null device (character 1:3), so masks bound from it would show what they hide"
        case .join where errno == .noProcess: "the container has ended"
        case .share where errno == .noProcess, .borrow where errno == .noProcess: "it has ended"
        case .borrow where call == CINIT_AT_VERIFY: "it has something else in the place of its /proc"
        case .join where errno == .invalid || errno == .badFileDescriptor:
            "this kernel can't join namespaces by a pidfd (Linux 5.8 or newer is needed)"
        case .pty where call == CINIT_AT_VERIFY: "what the container has on /dev/pts is no devpts"
        case .workDirectory where errno == .loop: "it leads out of the container's root"
        case .workDirectory where errno == .crossDevice: "it is outside of the container's root"
        case .makePath where errno == .loop: "it leads out of the container's root"
        case .write where errno == .noEntry: "this kernel has no such setting in the container's namespaces"
        case .limit where errno == .notPermitted: "the hard limit may not be above the caller's own"
        case .keyring where errno.rawValue == EDQUOT: "raise /proc/sys/kernel/keys/root_maxkeys"
        case .node where errno == .notPermitted:
            "that takes CAP_MKNOD on the host, and no cgroup above the container's that denies devices to all in it"
        case .pivot where errno == .invalid: "the host's own root is an initramfs, or its mounts are shared"
        case .joinCgroup where errno == .accessDenied: otherSubtree
        case .becomeRoot where errno == .invalid: "the user namespace has no user or group 0"
        case .affinity where errno == .invalid: "none of these CPUs is there for the container"
        case .scheduler where errno == .notPermitted, .ioPriority where errno == .notPermitted:
            "that takes CAP_SYS_NICE on the host, and a cgroup with time for real-time processes"
        case .label where call == CINIT_AT_VERIFY: "what the host has on /proc is no procfs"
        case .label where errno == .noEntry: "the profile is not loaded"
        case .copyUp where errno == .noSpace: "the size of the tmpfs is less than what the image has there"
        case .joinCgroup where errno == .noSpace: "the cpuset of the cgroup has no CPUs or no memory nodes"
        default: nil
        }
    }

    private static func attachRemedy(_ rules: TargetRules, _ call: cinit_call, _ errno: Errno) -> String? {
        switch errno {
        case .loop where rules.contains(.noLinks): "the image has a symbolic link in its place, which is refused"
        case .notDirectory, .invalid:
            "a directory is mounted on a directory only, and a file on a file"
        case .notPermitted where call == CINIT_AT_VERIFY:
            "a symbolic link of the image leads it into /proc, where mounts are refused"
        default: nil
        }
    }
}

/// The system call behind a place in an operation.
enum FailedCall {
    static func name(_ op: PlanOp, _ call: cinit_call) -> String {
        switch call {
        case CINIT_AT_OPEN: "open"
        case CINIT_AT_MAKE: "make the missing mount point"
        case CINIT_AT_VERIFY: "verify"
        case CINIT_AT_FSOPEN: "fsopen"
        case CINIT_AT_FSCONFIG: "option"
        case CINIT_AT_FSCREATE: "create"
        case CINIT_AT_FSMOUNT: "fsmount"
        case CINIT_AT_OPEN_TREE: "open_tree"
        case CINIT_AT_SETATTR: "mount_setattr"
        case CINIT_AT_MOVE: "move_mount"
        case CINIT_AT_WRITE: "write"
        case CINIT_AT_UNMOUNT: "unmount the old root"
        case CINIT_AT_SEND: "hand over the terminal"
        case CINIT_AT_OWNER: "chown"
        default: ""
        }
    }
}

extension LaunchPlan {
    /// What an operation is about, in the user's terms: the operations before tell what its slots hold.
    func subject(of op: PlanOp) -> String {
        switch op {
        case .attach(let slot, let place, _): "mount \(source(of: slot)) on \(place.path)"
        case .filesystem(let slot, let type, _, _): "mount \(type) on \(target(of: slot) ?? type)"
        case .attributes(let slot, _, _, _, _): "set attributes of the mount on \(target(of: slot) ?? slot.name)"
        case .cloneTree(_, let place, _) where place.slot == nil: "bind source path \(place.path)"
        case .makePath(let place): "make directory \(place.path)"
        case .workDirectory(let place): "change to the working directory \(place.path)"
        case .open(_, let place, _, _),
            .nullDevice(_, let place, _) where isFurtherProcess:
            "open \(place.path)"
        case .pty, .hostTerminal: "make a terminal"
        case .write(let place, let value): "set \(place.path.dropFirst("sys/".count)) to \(value)"
        case .share(let target, let kinds): "join the namespaces \(kinds) of \(owner(target))"
        case .borrow(_, let target, let path, _): "share \(path) of \(owner(target))"
        case .copyUp(_, let place): "copy up \(place.path)"
        case .reconfigure(let place, _): "remount \(place.path)"
        case .exec: "start the container's init"
        default: op.description
        }
    }

    private func owner(_ target: Int) -> String {
        parent.owners.indices.contains(target) ? "container \(parent.owners[target])" : "process \(target)"
    }

    private func source(of slot: Slot) -> String {
        for op in ops {
            switch op {
            case .filesystem(slot, let type, _, _): return type
            case .borrow(slot, _, let path, _): return path
            case .inherit(slot, let index) where parent.copied.indices.contains(index): return parent.copied[index].path
            case .cloneTree(slot, let place, _): return place.path.isEmpty ? slot.name : place.path
            default: continue
            }
        }
        return slot.name
    }

    private func target(of slot: Slot) -> String? {
        if slot.index == 0 { return "the container's root" }
        for op in ops {
            if case .attach(slot, let place, _) = op { return place.path }
        }
        return nil
    }
}
