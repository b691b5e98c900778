package import OCI

/// CLONE_NEW* of clone(2) and unshare(2).
package struct NamespaceFlags: OptionSet, Hashable, Sendable, CustomStringConvertible {
    package let rawValue: UInt64
    package init(rawValue: UInt64) { self.rawValue = rawValue }

    package static let time = NamespaceFlags(rawValue: 0x80)
    package static let mount = NamespaceFlags(rawValue: 0x20000)
    package static let cgroup = NamespaceFlags(rawValue: 0x2000000)
    package static let uts = NamespaceFlags(rawValue: 0x4000000)
    package static let ipc = NamespaceFlags(rawValue: 0x8000000)
    package static let user = NamespaceFlags(rawValue: 0x10000000)
    package static let pid = NamespaceFlags(rawValue: 0x20000000)
    package static let network = NamespaceFlags(rawValue: 0x40000000)

    package init(_ kind: Spec.Namespace.Kind) {
        switch kind {
        case .pid: self = .pid
        case .network: self = .network
        case .mount: self = .mount
        case .ipc: self = .ipc
        case .uts: self = .uts
        case .user: self = .user
        case .cgroup: self = .cgroup
        case .time: self = .time
        }
    }

    package var description: String {
        let names = Spec.Namespace.Kind.allCases.filter { contains(NamespaceFlags($0)) }.map(\.rawValue)
        return names.joined(separator: ",")
    }
}
