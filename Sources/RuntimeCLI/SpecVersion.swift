/// Versions of the runtime specification.
enum SpecVersion {
    static let oldest = "1.0.0"
    /// What we follow.
    static let newest = "1.2.0"
}
