internal import FoundationEssentials
internal import OCI
internal import Sys

/// `repositories.json`, docker's shape: repository → `name:tag` or `name@digest` → image ID, all names as docker prints
/// them (`alpine`, `alpine:latest`).
struct Repositories: Hashable, Sendable {
    /// The only version so far is docker's own, which carries no number.
    static let version = 1

    private(set) var entries: [String: [String: Digest]] = [:]

    init() {}

    /// Reads what `bytes` say; `path` is for the errors.
    init(parsing bytes: [UInt8], path: String) throws(StoreError) {
        let remedy = "images stay reachable by ID; move the file away and pull or tag the names again"
        if bytes.isEmpty { throw .damaged(path: path, reason: "it is empty", remedy: remedy) }
        let json: JSONValue
        do throws(JSONFault) {
            json = try JSONValue(parsing: bytes)
        } catch {
            throw .damaged(path: path, reason: "it is no record of names (\(error))", remedy: remedy)
        }
        if let version = json["Version"]?.integer, version > Repositories.version {
            throw .newer(path: path, version: Int(clamping: version))
        }
        guard let repositories = json["Repositories"]?.object else {
            throw .damaged(path: path, reason: "it has no \"Repositories\"", remedy: remedy)
        }
        for (repository, names) in repositories {
            guard let names = names.stringMap else {
                throw .damaged(path: path, reason: "it is no record of names (at \(repository))", remedy: remedy)
            }
            var images: [String: Digest] = [:]
            for (name, id) in names {
                guard let image = try? Digest(parsing: id) else {
                    throw .damaged(path: path, reason: "it is no record of names (at \(name))", remedy: remedy)
                }
                images[name] = image
            }
            entries[repository] = images
        }
    }

    func encoded() throws(StoreError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return Array(try encoder.encode(["Repositories": entries]))
        } catch {
            throw .invalidName("encode repositories.json: \(error)")
        }
    }

    subscript(_ name: Reference) -> Digest? {
        get { entries[name.familiarRepository]?[name.familiar] }
        set {
            entries[name.familiarRepository, default: [:]][name.familiar] = newValue
            if entries[name.familiarRepository]?.isEmpty == true { entries[name.familiarRepository] = nil }
        }
    }

    /// All names of `id`: those with a tag and those with a digest, each sorted.
    func names(of id: Digest) -> (tags: [Reference], digests: [Reference]) {
        var tags: [Reference] = []
        var digests: [Reference] = []
        for names in entries.values {
            for (name, image) in names where image == id {
                guard let reference = try? Reference(parsing: name) else { continue }
                if reference.digest == nil { tags.append(reference) } else { digests.append(reference) }
            }
        }
        return (tags.sorted { $0.familiar < $1.familiar }, digests.sorted { $0.familiar < $1.familiar })
    }
}

extension ImageStore {
    /// The names as they are; none where nothing was written yet.
    func readRepositories() throws(StoreError) -> Repositories {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try File.readRecord(layout.repositories)
        } catch .noEntry {
            return Repositories()
        } catch {
            throw .system(SystemFailure("read", layout.repositories, error))
        }
        return try Repositories(parsing: bytes, path: layout.repositories)
    }

    func writeRepositories(_ repositories: Repositories) throws(StoreError) {
        try write(try repositories.encoded(), to: layout.repositories)
    }
}
