/// An image's configuration (OCI image spec, config.md, with docker's additions). Unknown keys are kept by whoever keeps
/// the bytes: the image ID is their digest.
package struct ImageConfig: Hashable, Sendable, Codable {
    package var created: String?
    package var author: String?
    package var architecture: String
    package var os: String
    package var variant: String?
    package var osVersion: String?
    package var config: Execution?
    package var rootfs: RootFS
    package var history: [History]?

    private enum CodingKeys: String, CodingKey {
        case created, author, architecture, os, variant, config, rootfs, history
        case osVersion = "os.version"
    }

    package var platform: Platform { Platform(os: os, architecture: architecture, variant: variant) }

    /// What a container made from the image starts with.
    package struct Execution: Hashable, Sendable, Codable {
        package var user: String?
        package var exposedPorts: [String: Empty]?
        package var env: [String]?
        package var entrypoint: [String]?
        package var cmd: [String]?
        package var volumes: [String: Empty]?
        package var workingDir: String?
        package var labels: [String: String]?
        package var stopSignal: String?
        package var shell: [String]?
        package var healthcheck: Healthcheck?
        /// Instructions for builds on top of the image.
        package var onBuild: [String]?

        private enum CodingKeys: String, CodingKey {
            case user = "User"
            case exposedPorts = "ExposedPorts"
            case env = "Env"
            case entrypoint = "Entrypoint"
            case cmd = "Cmd"
            case volumes = "Volumes"
            case workingDir = "WorkingDir"
            case labels = "Labels"
            case stopSignal = "StopSignal"
            case shell = "Shell"
            case healthcheck = "Healthcheck"
            case onBuild = "OnBuild"
        }

        package init() {}
    }

    package struct Healthcheck: Hashable, Sendable, Codable {
        package var test: [String]?
        /// Nanoseconds, as all durations here.
        package var interval: Int64?
        package var timeout: Int64?
        package var startPeriod: Int64?
        /// Between two checks of a container that starts.
        package var startInterval: Int64?
        package var retries: Int?

        package init() {}

        private enum CodingKeys: String, CodingKey {
            case test = "Test"
            case interval = "Interval"
            case timeout = "Timeout"
            case startPeriod = "StartPeriod"
            case startInterval = "StartInterval"
            case retries = "Retries"
        }
    }

    /// The `{}` that stands behind each port and volume.
    package struct Empty: Hashable, Sendable, Codable {
        package init() {}
    }

    package struct RootFS: Hashable, Sendable, Codable {
        package var type: String
        package var diffIDs: [Digest]

        private enum CodingKeys: String, CodingKey {
            case type
            case diffIDs = "diff_ids"
        }

        package init(diffIDs: [Digest]) {
            self.type = "layers"
            self.diffIDs = diffIDs
        }

        /// Builders leave `diff_ids` out, or write null, for an image without layers.
        package init(from decoder: any Decoder) throws {
            let container = try decoder.container(keyedBy: CodingKeys.self)
            type = try container.decode(String.self, forKey: .type)
            diffIDs = try container.decodeIfPresent([Digest].self, forKey: .diffIDs) ?? []
        }
    }

    package struct History: Hashable, Sendable, Codable {
        package var created: String?
        package var createdBy: String?
        package var author: String?
        package var comment: String?
        package var emptyLayer: Bool?

        package init() {}

        private enum CodingKeys: String, CodingKey {
            case created, author, comment
            case createdBy = "created_by"
            case emptyLayer = "empty_layer"
        }
    }

    package init(os: String, architecture: String, diffIDs: [Digest]) {
        self.os = os
        self.architecture = architecture
        self.rootfs = RootFS(diffIDs: diffIDs)
    }
}
