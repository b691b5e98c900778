package import Engine
package import OCI

/// What the commands on a container's files need of the engine.
package protocol FileVerbs {
    func changes(of name: String) throws -> [FileChange]
    func export(_ name: String, to output: Int32) throws
    func export(_ name: String, toFile path: String) throws
    func copy(_ request: CopyRequest) throws -> CopyResult
    func commit(_ name: String, _ options: CommitOptions) throws -> Digest
}
