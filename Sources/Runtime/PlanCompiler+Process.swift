internal import Glibc
internal import OCI

extension PlanCompiler {
    /// What the process is given once it stands in its root, in an order in which each step still may do what it does:
    /// limits before capabilities, groups before ids, all of them before the filter.
    mutating func finishProcess(terminal: Slot?, null: Slot?) throws(RuntimeError) {
        let process = spec.process
        if let name = spec.hostname { ops.append(.hostName(name)) }
        if let name = spec.domainname { ops.append(.domainName(name)) }
        if makes(.network) { ops.append(.loopback) }
        ops.append(.keyring("_ses.\(request.id)"))
        if let terminal {
            ops.append(.terminal(terminal))
        } else {
            ops.append(.stdio(request.stdio, null: null, owner: process.user.uid))
        }
        // Behind the last step that needs spare descriptors, and while raising a limit may still be ours to do.
        for limit in process.rlimits { ops.append(.limit(try resourceLimit(limit))) }
        let bounding = try mask(process.capabilities.bounding)
        ops.append(.bounding(bounding))
        ops.append(.ambient([]))
        ops.append(.groups(process.user.additionalGids))
        ops.append(.ids(uid: process.user.uid, gid: process.user.gid))
        ops.append(.umask(process.user.umask.map { $0 & 0o777 } ?? 0o022))
        // After the change of ids, which forgets it.
        ops.append(.parentDeath(signal: request.diesWithParent ? SIGKILL : 0))
        ops.append(.sealDescriptors)
        try lowerPrivileges()
        ops.append(.exec)
    }

    /// Without no_new_privs a filter needs CAP_SYS_ADMIN (seccomp(2)), so that one is kept until the filter is in; with
    /// it, the filter comes last.
    private mutating func lowerPrivileges() throws(RuntimeError) {
        let sets = spec.process.capabilities
        let effective = try mask(sets.effective)
        let permitted = try mask(sets.permitted)
        let inheritable = try mask(sets.inheritable)
        let ambient = try mask(sets.ambient)
        let final = PlanOp.capabilities(effective: effective, permitted: permitted, inheritable: inheritable)
        let filter = try seccompProgram()
        if spec.process.noNewPrivileges {
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

    private func seccompProgram() throws(RuntimeError) -> SeccompProgram? {
        guard let profile = spec.linux.seccomp else { return nil }
        do throws(SeccompError) {
            let bytecode = try SeccompCompiler.compile(profile)
            return SeccompProgram(bytecode: bytecode, flags: UInt64(try SeccompCompiler.flags(profile)))
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
        guard let resource = PlanCompiler.resources[limit.type] else {
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
