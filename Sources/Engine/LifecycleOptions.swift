package import OCI

/// What becomes of a container when it ends, is stopped or falls ill.
package struct LifecycleOptions: Sendable, Hashable {
    package var restart = RestartPolicy()
    /// Seconds until a stop becomes a kill; -1: never; nil: the default, 10.
    package var stopTimeout: Int?
    /// What is asked of the health check; what it leaves open is the image's.
    package var health: ImageConfig.Healthcheck?

    package init() {}
}

/// When a container that has ended is started again.
package struct RestartPolicy: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable, CaseIterable {
        case no
        case onFailure = "on-failure"
        case always
        case unlessStopped = "unless-stopped"
    }

    package var kind = Kind.no
    /// The most restarts of `on-failure`; 0: no limit.
    package var maximum = 0

    package init(kind: Kind = .no, maximum: Int = 0) {
        self.kind = kind
        self.maximum = maximum
    }
}

/// Where the output is kept.
package struct LogOptions: Sendable, Hashable {
    package enum Driver: String, Sendable, Hashable, CaseIterable {
        case jsonFile = "json-file"
        case local
        case none

        /// Of a container that names none.
        package static let usual = Driver.jsonFile
    }

    /// nil: the usual one.
    package var driver: Driver?
    /// Names and values as given: `max-size`, `max-file`, `labels`, `env`, `tag`.
    package var options: [String: String] = [:]
    /// Bytes until a file is rotated, 0: never; nil: the driver's.
    package var maxSize: Int64?
    package var maxFiles: Int?

    package init() {}
}

/// Standard streams by name.
package struct AttachedStreamSet: OptionSet, Sendable, Hashable {
    package let rawValue: UInt8
    package init(rawValue: UInt8) { self.rawValue = rawValue }
    package static let input = AttachedStreamSet(rawValue: 1)
    package static let output = AttachedStreamSet(rawValue: 2)
    package static let error = AttachedStreamSet(rawValue: 4)
}
