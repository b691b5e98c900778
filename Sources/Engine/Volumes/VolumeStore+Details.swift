internal import FoundationEssentials
internal import Glibc
internal import OCI
internal import Sys

/// What is kept of a volume beside its contents: `volumes/NAME/opts.json`.
private struct VolumeOptions: Codable {
    var labels: [String: String]
}

extension VolumeStore {
    private func optionsPath(_ name: String) -> String { "\(root)/\(name)/opts.json" }

    /// Makes the volume with its labels if it is new; it survives a power cut.
    func make(_ name: String, labels: [String: String]) throws(EngineError) {
        if File.exists(data(name)) { return }
        let bytes: [UInt8]
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            bytes = Array(try encoder.encode(VolumeOptions(labels: labels)))
        } catch {
            throw .invalid("cannot write the labels of volume \(name): \(error)")
        }
        try system { () throws(SystemFailure) in
            try Directory.makePath("\(root)/\(name)", mode: 0o710)
            try File.replace(optionsPath(name), with: bytes)
        }
        // Last: without it there is no volume.
        try make(name)
        for directory in ["\(root)/\(name)", root, Path.split(root).parent] {
            try call("sync", directory) { () throws(Errno) in try Directory.sync(directory) }
        }
    }

    /// nil where there is no such volume.
    func details(_ name: String) -> VolumeDetails? {
        guard let status = try? File.status(data(name)), status.isDirectory,
            let made = try? File.status("\(root)/\(name)")
        else { return nil }
        let time = Clock.rfc3339(seconds: made.modified.seconds, nanoseconds: 0)
        var details = VolumeDetails(name: name, path: data(name), created: String(time.prefix(19)) + "Z")
        if let bytes = try? File.readAll(optionsPath(name), limit: 1 << 20), let json = try? JSONValue(parsing: bytes) {
            details.labels = json["labels"]?.stringMap ?? [:]
        }
        return details
    }

    /// The names of all directories that can be volumes.
    func names() throws(EngineError) -> [String] {
        do throws(Errno) {
            return try Directory.entries(root).map(\.name).filter(ResourceName.isValid)
        } catch .noEntry {
            return []
        } catch {
            throw .system(SystemFailure("list", root, error))
        }
    }
}
