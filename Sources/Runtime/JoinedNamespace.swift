package import OCI

/// A namespace that is joined by its file before the child is made.
package struct JoinedNamespace: Hashable, Sendable {
    package var kind: Spec.Namespace.Kind
    package var path: String

    package init(_ kind: Spec.Namespace.Kind, path: String) {
        self.kind = kind
        self.path = path
    }
}

/// A tree of the host's that the parent copies, with the host's rights; with a mapping its files have other owners
/// (mount_setattr(2), MOUNT_ATTR_IDMAP).
package struct CopiedSource: Hashable, Sendable, CustomStringConvertible {
    package enum Mapping: Hashable, Sendable {
        case ids(user: [Spec.IDMapping], group: [Spec.IDMapping])
        /// That of a user namespace.
        case namespace(path: String)
    }

    package var path: String
    /// With the mounts below.
    package var recursive: Bool
    /// The mounts below have other owners too.
    package var mapsBelow = false
    package var mapping: Mapping?

    package var description: String {
        let words = "\(recursive ? "rbind" : "bind") of host:\(path)\(mapsBelow ? " with all below" : "")"
        switch mapping {
        case .ids(let user, let group): return "\(words) users \(text(user)) groups \(text(group))"
        case .namespace(let path): return "\(words) as in \(path)"
        case nil: return words
        }
    }

    private func text(_ mappings: [Spec.IDMapping]) -> String {
        mappings.map { "\($0.containerID):\($0.hostID):\($0.size)" }.joined(separator: ",")
    }
}

extension Spec.IDMapping {
    /// A line each, as /proc/PID/uid_map takes them.
    static func lines(_ mappings: [Spec.IDMapping]) -> String {
        mappings.map { "\($0.containerID) \($0.hostID) \($0.size)\n" }.joined()
    }

    /// Throws for maps that the kernel would refuse without a word (user_namespaces(7)).
    static func check(_ mappings: [Spec.IDMapping], _ field: String) throws(RuntimeError) {
        if mappings.count > 340 { throw .invalid("\(field): \(mappings.count) mappings, and the kernel takes 340") }
        for mapping in mappings {
            let ends = [mapping.containerID, mapping.hostID].map { $0.addingReportingOverflow(mapping.size) }
            if mapping.size == 0 || ends.contains(where: \.overflow) {
                throw .invalid(
                    "\(field): \(mapping.containerID) to \(mapping.hostID) for \(mapping.size) is no range of ids")
            }
        }
    }
}
