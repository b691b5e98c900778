/// What stands before the command: `runimg --data-root DIR run …`.
package struct GlobalOptions: Sendable, Hashable {
    package var dataRoot: String?
    /// Where the state of running containers is kept; gone after a reboot.
    package var execRoot: String?
    package var configFile: String?
    /// The directory of docker's `config.json` (`--config`).
    package var dockerConfigDirectory: String?
    /// nil: as the configuration says.
    package var storageDriver: String?
    package var logLevel = LogLevel.info
    package var registryMirrors: [String] = []
    package var insecureRegistries: [String] = []

    package enum LogLevel: String, Sendable, Hashable, CaseIterable {
        case debug, info, warn, error, fatal
    }

    package init() {}
}
