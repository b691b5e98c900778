/// The capabilities a container starts from when no flag says otherwise.
package enum CapabilityProfile: String, Sendable, Hashable, CaseIterable {
    /// Docker's without MKNOD (devices come with the container) and AUDIT_WRITE (the audit socket answers EINVAL, which
    /// PAM and sshd take for a kernel without audit).
    case runimg
    /// Docker's fourteen.
    case docker
    /// Podman's eleven.
    case podman

    package var mask: CapabilityMask {
        // Chown, DAC override, fowner, fsetid, kill, setgid, setuid, setpcap, net bind, chroot, setfcap.
        let common: [UInt64] = [0, 1, 3, 4, 5, 6, 7, 8, 10, 18, 31]
        // Net raw, mknod, audit write. Debian's ping has file capabilities: without NET_RAW execve fails with EPERM.
        let more: [UInt64] =
            switch self {
            case .runimg: [13]
            case .docker: [13, 27, 29]
            case .podman: []
            }
        return CapabilityMask(rawValue: (common + more).reduce(0) { $0 | 1 << $1 })
    }

    /// The bounding, effective and permitted set of a container's first process, as docker resolves `--cap-add` and
    /// `--cap-drop`: ALL added takes what is dropped by name away from all; ALL dropped leaves only what is added; a
    /// name both dropped and added stays. Names in any case, with or without `CAP_`. Inheritable and ambient sets are
    /// always empty.
    ///
    /// - Parameter available: what can be given, asked for only where the answer depends on it.
    package func resolve(
        adding: [String] = [], dropping: [String] = [], privileged: Bool = false,
        available: () -> CapabilityMask = CapabilityMask.available
    ) throws(CapabilityError) -> CapabilityMask {
        let added = try CapabilityProfile.parse(adding)
        let dropped = try CapabilityProfile.parse(dropping)
        if privileged { return available() }
        if added.all { return dropped.all ? available() : available().subtracting(dropped.mask) }
        if !added.mask.isEmpty {
            let unsupported = added.mask.subtracting(available())
            if let name = unsupported.names.first { throw .unsupported(name: name) }
        }
        if dropped.all { return added.mask }
        return mask.subtracting(dropped.mask).union(added.mask)
    }

    private static func parse(_ names: [String]) throws(CapabilityError) -> (mask: CapabilityMask, all: Bool) {
        var mask: CapabilityMask = []
        var all = false
        for name in names {
            let upper = name.uppercased()
            if upper == "ALL" || upper == "CAP_ALL" {
                all = true
            } else {
                mask.formUnion(try CapabilityMask(name: name))
            }
        }
        return (mask, all)
    }
}
