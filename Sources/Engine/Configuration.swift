internal import FoundationEssentials
internal import Glibc
internal import Sys

/// The settings that runimg takes from files: `/etc/runimg/config.json`, else docker's `/etc/docker/daemon.json`, with
/// docker's keys. What the command line says wins over both.
package struct Configuration: Sendable, Hashable {
    package var registryMirrors: [String] = []
    package var insecureRegistries: [String] = []
    package var dataRoot: String?
    package var execRoot: String?
    package var storageDriver: String?
    /// Whether containers get no_new_privs unless their command line says otherwise.
    package var noNewPrivileges = false
    /// The file that was read.
    package var file: String?

    package init() {}

    package static let systemFiles = ["/etc/runimg/config.json", "/etc/docker/daemon.json"]

    /// Reads `path`, or the first of the system's files that is there. A file of docker's is not ours to reject: only
    /// keys that we use are looked at.
    package static func load(
        _ path: String?, _ usual: [String] = systemFiles
    ) throws(EngineError) -> Configuration {
        for candidate in path.map({ [$0] }) ?? usual {
            let bytes: [UInt8]
            do throws(Errno) {
                bytes = try File.readAll(candidate, limit: 1 << 20)
            } catch {
                if error == .noEntry, path == nil { continue }
                throw .configuration(path: candidate, reason: "\(error)")
            }
            return try decode(bytes, path: candidate)
        }
        return Configuration()
    }

    private struct Keys: Decodable {
        var registryMirrors: [String]?
        var insecureRegistries: [String]?
        var dataRoot: String?
        var graph: String?
        var execRoot: String?
        var storageDriver: String?
        var noNewPrivileges: Bool?

        enum CodingKeys: String, CodingKey {
            case registryMirrors = "registry-mirrors"
            case insecureRegistries = "insecure-registries"
            case dataRoot = "data-root"
            case graph
            case execRoot = "exec-root"
            case storageDriver = "storage-driver"
            case noNewPrivileges = "no-new-privileges"
        }
    }

    static func decode(_ bytes: [UInt8], path: String) throws(EngineError) -> Configuration {
        let keys: Keys
        do {
            keys = try JSONDecoder().decode(Keys.self, from: Data(bytes))
        } catch {
            throw .configuration(path: path, reason: explain(error, bytes))
        }
        var result = Configuration()
        result.registryMirrors = keys.registryMirrors ?? []
        result.insecureRegistries = keys.insecureRegistries ?? []
        result.noNewPrivileges = keys.noNewPrivileges ?? false
        // docker's own directories stay docker's: only a file of ours moves where we keep things.
        if !path.hasSuffix("/docker/daemon.json") {
            result.dataRoot = keys.dataRoot ?? keys.graph
            result.execRoot = keys.execRoot
            result.storageDriver = keys.storageDriver
        }
        result.file = path
        return result
    }

    /// What is wrong with the JSON: a typographic quote is the fault that no editor shows.
    private static func explain(_ error: any Error, _ bytes: [UInt8]) -> String {
        for (number, line) in String(decoding: bytes, as: UTF8.self).split(
            separator: "\n", omittingEmptySubsequences: false
        ).enumerated() {
            guard let column = line.firstIndex(where: { "\u{201C}\u{201D}\u{2018}\u{2019}".contains($0) }) else {
                continue
            }
            let offset = line.distance(from: line.startIndex, to: column) + 1
            return "line \(number + 1), column \(offset): typographic quote; JSON wants \""
        }
        switch error {
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            let key = context.codingPath.map(\.stringValue).joined(separator: ".")
            return "wrong type of value for key \"\(key)\""
        case DecodingError.dataCorrupted(let context):
            let cause = context.underlyingError.map { "\($0)" } ?? context.debugDescription
            return "invalid JSON: \(cause)"
        default: return "invalid JSON: \(error)"
        }
    }
}
