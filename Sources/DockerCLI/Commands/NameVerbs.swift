package import Engine
package import OCI

/// What the completion of words needs of the engine: names, at once.
package protocol NameVerbs {
    func containerNames(withPauses: Bool) -> [NamedContainer]
    func imageNames() -> [(name: String, id: Digest)]
    func volumeNames() -> [String]
    func networkNames() -> [String]
    func entries(of directory: String, inContainer name: String) -> [NamedFile]
}
