package import OCI

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
    package var registryRules = RegistryRules()
    package var insecureRegistries: [String] = []

    /// For what needs no file of a container's or an image's.
    package var readsOnly = false
    /// What a monitor tells the commands that it runs for an ordinary user, which are in the user's namespace by birth.
    package var rootless: Rootless?

    package enum LogLevel: String, Sendable, Hashable, CaseIterable {
        case debug, info, warn, error, fatal
    }

    package init() {}
}
