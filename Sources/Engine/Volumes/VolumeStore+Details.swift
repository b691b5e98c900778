internal import FoundationEssentials
internal import Glibc
internal import OCI
internal import Sys

/// What is kept of a volume beside its contents: `volumes/NAME/opts.json`.
private struct VolumeOptions: Codable {
    static let currentVersion = 1

    /// Of this format.
    var version = VolumeOptions.currentVersion
    var labels: [String: String]
}

extension VolumeStore {
    /// Makes the volume with its labels, so that it survives a power cut; false where it is there already.
    func make(_ name: String, labels: [String: String]) throws(EngineError) -> Bool {
        if File.exists(data(name)) { return false }
        try checkFormat(dataRoot)
        let bytes: [UInt8]
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
            bytes = Array(try encoder.encode(VolumeOptions(labels: labels)))
        } catch {
            throw .invalid("cannot write the labels of volume \(name): \(error)")
        }
        try system { () throws(SystemFailure) in try Directory.makePath(directory(name), mode: 0o710) }
        do throws(EngineError) {
            try locked(name, making: false) { directory throws(EngineError) in
                if File.exists("_data", at: directory) { return }
                try call("write", optionsPath(name)) { () throws(Errno) in
                    try File.replace("opts.json", in: directory, with: bytes)
                }
                try makeData(name, in: directory)
            }
        } catch .noSuchVolume {
            // A list took the empty directory for what a killed command left.
            return try make(name, labels: labels)
        }
        for directory in ["\(root)/\(name)", root, Path.split(root).parent] {
            try call("sync", directory) { () throws(Errno) in try Directory.sync(directory) }
        }
        return true
    }

    /// nil where there is no such volume.
    func details(_ name: String) -> VolumeDetails? {
        guard let status = try? File.status(data(name)), status.isDirectory,
            let made = try? File.status("\(root)/\(name)")
        else { return nil }
        let time = Clock.rfc3339(seconds: made.modified.seconds, nanoseconds: 0)
        var details = VolumeDetails(name: name, path: data(name), created: String(time.prefix(19)) + "Z")
        do throws(EngineError) {
            details.labels = try labels(of: name)
        } catch {
            details.problem = "\(error)"
        }
        return details
    }

    func labels(of name: String) throws(EngineError) -> [String: String] {
        let path = optionsPath(name)
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try File.readAll(path, limit: 1 << 20)
        } catch .noEntry {
            return [:]
        } catch {
            throw .system(SystemFailure("read", path, error))
        }
        let json = try? JSONValue(parsing: bytes)
        if let version = json?["version"]?.integer, version > VolumeOptions.currentVersion {
            throw .newer(path: path, version: Int(clamping: version))
        }
        guard let labels = json?["labels"]?.stringMap else {
            throw .damaged(
                path: path, reason: bytes.isEmpty ? "it is empty" : "it is not a volume's record",
                remedy: "the volume's files are whole; remove that file to go on without labels")
        }
        return labels
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
