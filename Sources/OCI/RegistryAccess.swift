/// How a command's own registry is to be spoken to, where that is said on the command line. For this command only: it is
/// never recorded.
package struct RegistryAccess: Sendable, Hashable, Codable {
    /// Plain http may be spoken to it, and its certificate is not checked.
    package var isInsecure = false

    package init() {}
}
