internal import OCI

/// The words that a spec may use here (runtime spec 1.2, features.md): each list is the one that the compiler goes by.
package enum RuntimeFeatures {
    /// Options of mounts that are not left to the file system, sorted.
    package static var mountOptions: [String] {
        let plain = MountOptions.attributes.keys
        let recursive = plain.map { "r\($0)" }
        let all = plain + recursive + MountOptions.propagations.keys + MountOptions.kinds
        // Told to the file system by fsconfig(2) under the same names.
        let passed = ["dirsync", "lazytime", "mand", "sync"]
        // Ours and docker's own words are none of the specification's.
        let own: Set<String> = ["", "z", "Z", "copy", "nocopy"]
        return Set(all + passed + MountOptions.defaults.subtracting(own)).sorted()
    }

    package static let namespaces: [String] = Spec.Namespace.Kind.allCases.map(\.rawValue).sorted()

    package static let seccompActions: [String] = SeccompCompiler.actions.keys.sorted()

    package static let seccompOperators: [String] = SeccompRules.Condition.Comparison.allCases.map(\.rawValue).sorted()

    package static let seccompArchitectures: [String] = SeccompArchitecture.allCases.map(\.rawValue).sorted()

    package static let seccompFlags: [String] = SeccompCompiler.knownFlags.keys.sorted()

    /// Whether this host labels processes so.
    package static var hasAppArmor: Bool { SecurityModules.current().appArmor != nil }
    package static var hasSELinux: Bool { SecurityModules.current().hasSELinux }
}
