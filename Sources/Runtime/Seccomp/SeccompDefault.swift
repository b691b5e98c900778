package import OCI

/// The profile a container gets when none is named: moby's strictness with three differences. What the profile does not
/// know answers ENOSYS, so that newer programs fall back instead of failing; namespaces need CAP_SYS_ADMIN however they
/// are asked for; x32 is not there.
package enum SeccompDefault {
    /// A pure function of its arguments.
    ///
    /// - Parameters:
    ///   - capabilities: the container's bounding set: some calls come with a capability.
    ///   - compat32: lets 32-bit programs make sockets through `socketcall` (i386), whose arguments no filter can see.
    ///     Off, they need libcs that use `socket` (musl does; Debian's i386 glibc does not), and AF_ALG and AF_VSOCK
    ///     are closed for good.
    package static func profile(
        capabilities: CapabilityMask, architecture: SeccompArchitecture = .native,
        kernel: KernelVersion = .running, compat32: Bool = false
    ) -> Spec.Seccomp {
        var profile = Spec.Seccomp(defaultAction: "SCMP_ACT_ERRNO")
        profile.defaultErrnoRet = Number.noSystemCall
        profile.architectures = ([architecture] + architecture.companions).map { $0.rawValue }
        profile.syscalls = plainRules(capabilities, architecture, kernel, compat32)
        profile.syscalls? += cloneRules(capabilities)
        profile.syscalls? += socketRules(capabilities, compat32)
        profile.syscalls? += personalityRules
        return profile
    }

    /// What is not allowed is forbidden rather than missing, as with docker: no kernel lacks the call.
    private static var personalityRules: [Spec.Seccomp.Rule] {
        let question = SeccompDefaultTables.personalityQuestion
        return SeccompDefaultTables.personalities.map { value in
            rule("personality", allow, [.init(index: 0, value: value, op: "SCMP_CMP_EQ")])
        }
            + SeccompDefaultTables.personalityBits.map { bit in
                denial(
                    "personality",
                    [.init(index: 0, value: question | bit, valueTwo: bit, op: "SCMP_CMP_MASKED_EQ")])
            }
    }

    private enum Number {
        static let notPermitted: UInt32 = 1
        static let invalid: UInt32 = 22
        static let noSystemCall: UInt32 = 38
    }

    private static let allow = "SCMP_ACT_ALLOW"

    private static func rule(
        _ name: String, _ action: String, _ arguments: [Spec.Seccomp.Argument], errno: UInt32? = nil
    ) -> Spec.Seccomp.Rule {
        var rule = Spec.Seccomp.Rule(names: [name], action: action)
        rule.args = arguments
        rule.errnoRet = errno
        return rule
    }

    private static func denial(
        _ name: String, _ arguments: [Spec.Seccomp.Argument], _ errno: UInt32 = Number.notPermitted
    ) -> Spec.Seccomp.Rule {
        rule(name, "SCMP_ACT_ERRNO", arguments, errno: errno)
    }

    private static func plainRules(
        _ capabilities: CapabilityMask, _ architecture: SeccompArchitecture, _ kernel: KernelVersion, _ compat32: Bool
    ) -> [Spec.Seccomp.Rule] {
        var granted: [String] = []
        var refused: [String] = []
        for entry in SeccompDefaultTables.byCapability {
            if capabilities.isSuperset(of: entry.capability) { granted += entry.names } else { refused += entry.names }
        }
        if kernel >= KernelVersion(4, 8) { granted += SeccompDefaultTables.sinceLinux4_8 }
        if capabilities.contains(.sysAdmin) { granted += SeccompDefaultTables.hidden }
        for entry in SeccompDefaultTables.byArchitecture where entry.architectures.contains(architecture) {
            granted += entry.names
        }
        if compat32 { granted.append("socketcall") }
        // One capability of several is enough, and libseccomp takes no two answers for one call.
        let denied = refused.filter { !granted.contains($0) }
        var second = Spec.Seccomp.Rule(names: denied + SeccompDefaultTables.never, action: "SCMP_ACT_ERRNO")
        second.errnoRet = Number.notPermitted
        return [.init(names: SeccompDefaultTables.always + granted, action: allow), second]
    }

    /// clone is for everyone, new namespaces are not. Every pair of rules is disjoint or says the same, so that other
    /// runtimes, whose order of rules differs, read this profile alike.
    private static func cloneRules(_ capabilities: CapabilityMask) -> [Spec.Seccomp.Rule] {
        if capabilities.contains(.sysAdmin) { return [.init(names: ["clone"], action: allow)] }
        let flags = SeccompDefaultTables.namespaceFlags
        func masked(_ mask: UInt64, _ value: UInt64) -> [Spec.Seccomp.Argument] {
            [.init(index: 0, value: mask, valueTwo: value, op: "SCMP_CMP_MASKED_EQ")]
        }
        let all = flags.reduce(0) { $0 | $1 }
        return [rule("clone", allow, masked(all, 0))] + flags.map { denial("clone", masked($0, $0)) }
    }

    private static func socketRules(_ capabilities: CapabilityMask, _ compat32: Bool) -> [Spec.Seccomp.Rule] {
        let netlink: UInt64 = 16
        let auditProtocol: UInt64 = 9
        func family(_ value: UInt64, _ op: String = "SCMP_CMP_EQ") -> Spec.Seccomp.Argument {
            .init(index: 0, value: value, op: op)
        }
        let families = SeccompDefaultTables.socketFamilies
        let below = SeccompDefaultTables.socketFamiliesBelow
        let end = SeccompDefaultTables.socketFamiliesEnd
        var rules = [rule("socket", allow, [family(below, "SCMP_CMP_LT")])]
        for value in families where value != netlink || capabilities.contains(.auditWrite) {
            rules.append(rule("socket", allow, [family(value)]))
        }
        if !capabilities.contains(.auditWrite) {
            // EINVAL: PAM and sshd take it for a kernel without audit and go on; EPERM makes logins fail.
            let audit = Spec.Seccomp.Argument(index: 2, value: auditProtocol, op: "SCMP_CMP_EQ")
            let other = Spec.Seccomp.Argument(index: 2, value: auditProtocol, op: "SCMP_CMP_NE")
            rules.append(denial("socket", [family(netlink), audit], Number.invalid))
            rules.append(rule("socket", allow, [family(netlink), other]))
        }
        // Always true, and dropped by our compiler. libseccomp turns each rule for `socket` into one for i386's
        // `socketcall(1)` without the family, and refuses two that differ in their answer alone.
        let always = Spec.Seccomp.Argument(index: 3, value: 0, op: "SCMP_CMP_GE")
        for value in below..<end where !families.contains(value) {
            rules.append(denial("socket", [family(value), always]))
        }
        rules.append(denial("socket", [family(end, "SCMP_CMP_GE"), always]))
        // The sub-call's number is by value, its arguments are not: 1 is socket(2).
        if !compat32 { rules.append(rule("socketcall", allow, [family(1, "SCMP_CMP_NE")])) }
        return rules
    }
}
