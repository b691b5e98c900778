internal import OCI
internal import Sys

/// What the launches of this build know (features.md of the runtime specification), from the tables that they are
/// compiled by.
package enum RuntimeFeatures {
    package static var mountOptions: [String] { MountOptions.names }
    package static var seccompActions: [String] { SeccompCompiler.actions.keys.sorted() }
    package static var seccompOperators: [String] { SeccompRules.Condition.Comparison.allCases.map(\.rawValue) }
    package static var seccompArchitectures: [String] { SeccompArchitecture.allCases.map(\.rawValue).sorted() }
    package static var seccompFlags: [String] { SeccompCompiler.flagBits.keys.sorted() }
    /// Whether this host labels processes so.
    package static var hasAppArmor: Bool { SecurityModules.current().appArmor != nil }
    package static var hasSELinux: Bool { SecurityModules.current().hasSELinux }
}
