internal import Glibc
internal import OCI

/// What a process of a container is given, the first one and every further one alike: there is no second path on which a
/// right could be left in place.
struct ProcessSteps {
    /// The container's.
    let id: String
    let process: Spec.Process
    let seccomp: Spec.Seccomp?
    let stdio: StandardIO
    let diesWithParent: Bool
    var keepsGroups: Bool
    var passed = PassedDescriptors()
    var hasCommand = true
    var executable: String?
    var newKeyring = true
    var personality: Spec.Personality?
    var modules = SecurityModules()
    /// Whether the stub starts the command by a process of its own.
    var hasSuccessor = false

    /// Throws for what no process can be given.
    func check() throws(RuntimeError) {
        if process.args.isEmpty, hasCommand { throw .invalid("no command specified") }
        if !process.cwd.utf8.starts(with: "/".utf8) {
            throw .invalid("the working directory \(process.cwd) is not absolute")
        }
        _ = try modules.label(process)
        _ = try listener()
    }

    /// The operations for a process that stands in its root, up to the exec of the stub, in an order in which each still
    /// may do what it does: limits before capabilities, groups before ids, all of them before the filter.
    func ops(
        terminal: Slot?, controlling: Bool, null: Slot?, label: Slot? = nil
    ) throws(RuntimeError) -> [PlanOp] {
        var ops: [PlanOp] = newKeyring ? [.keyring("_ses.\(id)")] : []
        if let terminal {
            ops.append(.terminal(terminal, controlling: controlling))
        } else {
            ops.append(.stdio(stdio, null: null, owner: process.user.uid))
        }
        if let label, let text = try modules.label(process)?.text { ops.append(.label(label, text)) }
        // Behind the last steps that need spare descriptors, and while raising a limit may still be ours to do.
        ops.append(.sealDescriptors(passed))
        ops += try limits().map { .limit($0) } + scheduling()
        ops.append(.bounding(try mask(process.capabilities.bounding)))
        ops.append(.ambient([]))
        if !keepsGroups { ops.append(.groups(process.user.additionalGids)) }
        ops.append(.ids(uid: process.user.uid, gid: process.user.gid))
        ops.append(.umask(process.user.umask.map { $0 & 0o777 } ?? 0o022))
        // After the change of ids, which forgets it.
        ops.append(.parentDeath(signal: diesWithParent ? SIGKILL : 0))
        try lowerPrivileges(&ops)
        ops.append(.exec)
        return ops
    }

    /// As `ops`, for a process that keeps its user and has no rights to lose: what it starts as is all that it is.
    func unprivilegedOps(terminal: Slot?, null: Slot?) throws(RuntimeError) -> [PlanOp] {
        var ops: [PlanOp] = newKeyring ? [.keyring("_ses.\(id)")] : []
        if let terminal {
            ops.append(.terminal(terminal, controlling: true))
        } else {
            ops.append(.stdio(stdio, null: null, owner: 0))
        }
        ops += try limits().map { .limit($0) } + scheduling()
        ops.append(.umask(process.user.umask.map { $0 & 0o777 } ?? 0o022))
        ops.append(.parentDeath(signal: diesWithParent ? SIGKILL : 0))
        return ops + [.sealDescriptors(passed), .noNewPrivileges, .exec]
    }

    /// What the stub takes: its name, its mode, where it looks for a command without a slash, and the command.
    func arguments(_ mode: StubMode) -> [String] {
        let kept = passed.kept > 0 ? "\(passed.kept)" : ""
        return ["runimg-init", mode.argument + kept, executable ?? searchPath] + process.args
    }

    /// The same below an emulator: twice the stub, around it and below it.
    func arguments(_ emulator: Emulator) -> [String] {
        let guarded = ["g", "/proc/", "/task/", "/children", searchPath] + process.args
        let user = process.user
        return ["runimg-init", StubMode.wrap.argument, "/"]
            + emulator.arguments(uid: user.uid, gid: user.gid, directory: process.cwd, stub: guarded)
    }

    /// The container's own PATH; docker's where it has none.
    private var searchPath: String {
        let prefix = "PATH="
        guard let entry = process.env.last(where: { $0.utf8.starts(with: prefix.utf8) }) else {
            return "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
        }
        return String(entry.dropFirst(prefix.count))
    }

    /// Without no_new_privs a filter needs CAP_SYS_ADMIN (seccomp(2)), so that one is kept until the filter is in; with
    /// it, the filter comes last.
    private func lowerPrivileges(_ ops: inout [PlanOp]) throws(RuntimeError) {
        let sets = process.capabilities
        let effective = try mask(sets.effective)
        let permitted = try mask(sets.permitted)
        let inheritable = try mask(sets.inheritable)
        // What is not in the other two can't be, and callers ask for it (capabilities(7), "Ambient").
        let ambient = try mask(sets.ambient).intersection(permitted).intersection(inheritable)
        let final = PlanOp.capabilities(effective: effective, permitted: permitted, inheritable: inheritable)
        let filter = try seccompProgram()
        if process.noNewPrivileges {
            ops.append(.noNewPrivileges)
            ops.append(final)
            if !ambient.isEmpty { ops.append(.ambient(ambient)) }
            if let filter { ops.append(.seccomp(filter)) }
            return
        }
        if let filter {
            let admin = permitted.union(.sysAdmin)
            ops.append(.capabilities(effective: admin, permitted: admin, inheritable: inheritable))
            ops.append(.seccomp(filter))
        }
        ops.append(final)
        if !ambient.isEmpty { ops.append(.ambient(ambient)) }
    }

    /// Where the notifications of the filter go; nil without any.
    func listener() throws(RuntimeError) -> String? {
        guard let seccomp else { return nil }
        do throws(SeccompError) {
            return try SeccompNotification.listener(
                of: seccomp, lowersPrivilegesLater: !process.noNewPrivileges, hasSuccessor: hasSuccessor)
        } catch {
            throw .invalid("\(error)")
        }
    }

    func limits() throws(RuntimeError) -> [ResourceLimit] {
        var limits: [ResourceLimit] = []
        for limit in process.rlimits { limits.append(try resourceLimit(limit)) }
        return limits
    }

    /// While the rights that some of it takes are there.
    private func scheduling() throws(RuntimeError) -> [PlanOp] {
        var ops: [PlanOp] = []
        if let priority = process.ioPriority { ops.append(.ioPriority(try priority.value())) }
        if let scheduler = process.scheduler { ops.append(.scheduler(try SchedulerAttributes(scheduler))) }
        if let personality { ops.append(.personality(try personality.value())) }
        return ops
    }

    private func seccompProgram() throws(RuntimeError) -> SeccompProgram? {
        guard let seccomp else { return nil }
        do throws(SeccompError) {
            let bytecode = try SeccompCompiler.compile(seccomp)
            return SeccompProgram(bytecode: bytecode, flags: UInt64(try SeccompCompiler.flags(seccomp)))
        } catch {
            throw .invalid("\(error)")
        }
    }

    private func mask(_ names: [String]) throws(RuntimeError) -> CapabilityMask {
        do throws(CapabilityError) {
            return try CapabilityMask(names: names)
        } catch {
            throw .invalid("\(error)")
        }
    }

    private func resourceLimit(_ limit: Spec.Rlimit) throws(RuntimeError) -> ResourceLimit {
        guard let resource = ProcessSteps.resources[limit.type] else {
            throw .invalid("rlimit \(limit.type): no such resource")
        }
        if limit.soft > limit.hard {
            throw .invalid("rlimit \(limit.type): the soft limit \(limit.soft) is above the hard limit \(limit.hard)")
        }
        return ResourceLimit(name: limit.type, resource: resource, soft: limit.soft, hard: limit.hard)
    }

    /// asm-generic/resource.h, which x86-64 and arm64 share.
    private static let resources: [String: UInt32] = [
        "RLIMIT_CPU": 0, "RLIMIT_FSIZE": 1, "RLIMIT_DATA": 2, "RLIMIT_STACK": 3, "RLIMIT_CORE": 4, "RLIMIT_RSS": 5,
        "RLIMIT_NPROC": 6, "RLIMIT_NOFILE": 7, "RLIMIT_MEMLOCK": 8, "RLIMIT_AS": 9, "RLIMIT_LOCKS": 10,
        "RLIMIT_SIGPENDING": 11, "RLIMIT_MSGQUEUE": 12, "RLIMIT_NICE": 13, "RLIMIT_RTPRIO": 14, "RLIMIT_RTTIME": 15,
    ]
}

/// What the stub, the first program in a container, does with the command.
package enum StubMode: Hashable, Sendable {
    /// Becomes it.
    case replace
    /// Becomes it when the container is started, which is after its creation.
    /// Without a command it is not looked for.
    case hold(hasCommand: Bool)
    /// Starts it, and stays as pid 1.
    case supervise
    /// Becomes a program that runs the stub again, below which the command is.
    case wrap
    /// Starts it in the pid namespace that was joined, and leaves.
    case enter(terminal: Bool, diesWithParent: Bool, supervises: Bool = false, isFile: Bool = false)

    /// As the stub's argument (`cinit_stub_main`).
    var argument: String {
        switch self {
        case .replace: "p"
        case .hold(let hasCommand): hasCommand ? "h" : "hn"
        case .supervise: "i"
        case .wrap: "w"
        case .enter(let terminal, let diesWithParent, let supervises, let isFile):
            "e\(terminal ? "t" : "")\(diesWithParent ? "d" : "")\(supervises ? "i" : "")\(isFile ? "x" : "")"
        }
    }

    var text: String {
        switch self {
        case .replace: ""
        case .hold: " when started"
        case .supervise: " under init"
        case .wrap: " under \(Emulator.name)"
        case .enter(_, let diesWithParent, let supervises, _):
            (supervises ? " under init" : "") + " in the pid namespace"
                + (diesWithParent ? ", to die with the parent" : "")
        }
    }
}
