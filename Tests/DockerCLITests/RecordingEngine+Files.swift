import DockerCLI
import Engine
import OCI
import Sys

/// What the commands on files ask for is shown by whole containers (`EndToEndTests`).
extension RecordingEngine: FileVerbs {
    func changes(of name: String) throws -> [FileChange] { throw PlainFailure(description: "diff \(name)") }

    func export(_ name: String, to output: Int32) throws { throw PlainFailure(description: "export \(name) \(output)") }

    func export(_ name: String, toFile path: String) throws {
        throw PlainFailure(description: "export \(name) \(path)")
    }

    func copy(_ request: CopyRequest) throws -> CopyResult { throw PlainFailure(description: "copy \(request)") }

    func commit(_ name: String, _ options: CommitOptions) throws -> Digest {
        throw PlainFailure(description: "commit \(name) \(options)")
    }
}
