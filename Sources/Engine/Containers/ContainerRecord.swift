internal import FoundationEssentials
package import OCI
internal import Sys

/// What is kept of a container in `containers/ID/config.json`.
package struct ContainerRecord: Sendable, Codable, Hashable {
    package var id: String
    package var name: String
    /// RFC 3339 in UTC, as all times here.
    package var created: String
    package var image: Digest
    /// As the user typed it.
    package var imageName: String
    package var path: String
    package var args: [String]
    package var labels: [String: String] = [:]
    /// Removed when it ends (`--rm`).
    package var autoRemove: Bool
    package var anonymousVolumes: [String] = []
    /// The image's top layer by chain ID: it and those below may not be removed while this record is here.
    package var topLayer: Digest?
    package var state = State()

    package struct State: Sendable, Codable, Hashable {
        package enum Status: String, Sendable, Codable { case created, running, exited }

        package var status = Status.created
        package var pid: Int32?
        package var exitCode: Int32?
        package var oomKilled = false
        package var startedAt: String?
        package var finishedAt: String?
        package var error: String?

        package init() {}
    }

    package init(id: String, name: String, image: Digest, imageName: String, arguments: [String], autoRemove: Bool) {
        self.id = id
        self.name = name
        self.created = Clock.timestamp
        self.image = image
        self.imageName = imageName
        self.path = arguments.first ?? ""
        self.args = Array(arguments.dropFirst())
        self.autoRemove = autoRemove
    }

    package var shortID: String { String(id.prefix(12)) }

    func encoded() throws(EngineError) -> [UInt8] {
        do {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.withoutEscapingSlashes, .sortedKeys]
            return Array(try encoder.encode(self))
        } catch {
            throw .invalid("cannot write the record of container \(shortID): \(error)")
        }
    }

    static func decode(_ bytes: [UInt8], path: String) throws(EngineError) -> ContainerRecord {
        do {
            return try JSONDecoder().decode(ContainerRecord.self, from: Data(bytes))
        } catch {
            throw .configuration(path: path, reason: "it is not a container's record")
        }
    }
}
