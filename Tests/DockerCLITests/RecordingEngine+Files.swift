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

/// As are those that move images as files.
extension RecordingEngine: ArchiveVerbs {
    func save(_ options: SaveOptions, to output: Int32, shown: String) throws {
        throw PlainFailure(description: "save \(options) \(output)")
    }

    func save(_ options: SaveOptions, toFile path: String) throws {
        throw PlainFailure(description: "save \(options) \(path)")
    }

    func load(_ options: LoadOptions, observer: (EngineEvent) -> Void) throws {
        for event in events { observer(event) }
    }

    func push(_ options: PushOptions, observer: (EngineEvent) -> Void) throws -> String {
        for event in events { observer(event) }
        return options.name
    }

    func importImage(_ options: ImportOptions) throws -> Digest { throw PlainFailure(description: "import \(options)") }
}

extension RecordingEngine: AssemblyVerbs {
    func unpack(_ request: RunRequest, into path: String, observer: (EngineEvent) -> Void) throws {
        throw PlainFailure(description: "unpack \(request.image) \(path)")
    }

    func bundle(_ request: RunRequest, into path: String, observer: (EngineEvent) -> Void) throws {
        throw PlainFailure(description: "bundle \(request.image) \(path) \(request.command)")
    }

    func mount(_ name: String, at place: String?, _ scope: MountScope) throws -> String {
        throw PlainFailure(description: "mount \(name) \(place ?? "-") \(scope)")
    }

    func unmount(_ name: String, force: Bool, _ scope: MountScope) throws -> String? {
        throw PlainFailure(description: "unmount \(name) \(force) \(scope)")
    }

    func mountedFiles(_ scope: MountScope) throws -> [MountedFiles] { [] }
}

extension RecordingEngine: ImageFileVerbs {
    func files(of name: String, at path: String, depth: Int?) throws -> (files: [ImageFile], layers: [Digest]) {
        throw PlainFailure(description: "files \(name) \(path) \(depth ?? 0)")
    }

    func readFile(_ path: String, of name: String, to output: Int32) throws {
        throw PlainFailure(description: "cat \(name) \(path) \(output)")
    }

    func imageChanges(from before: String?, to after: String) throws -> [FileChange] {
        throw PlainFailure(description: "diff \(before ?? "-") \(after)")
    }

    func layers(of names: [String]) throws -> LayerTree { layerTree }
}
