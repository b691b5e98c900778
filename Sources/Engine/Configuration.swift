internal import Glibc
package import OCI
internal import Sys

/// The settings that runimg takes from files: `/etc/runimg/config.json`, else docker's `/etc/docker/daemon.json`, with
/// docker's keys. What the command line says wins over both.
package struct Configuration: Sendable, Hashable {
    package var registryRules = RegistryRules()
    package var insecureRegistries: [String] = []
    /// Bytes a second below which a mirror is left for the next place.
    package var slowMirror: Int?
    /// A directory of programs that say which images may be pulled: containerd's image verifiers. nil: nobody is asked.
    package var verifiers: String?
    /// Blobs that are fetched at once.
    package var maximumDownloads: Int?
    /// podman's registries.conf and containerd's directory of hosts.toml instead of the usual ones; empty: none.
    package var registriesConf: String?
    package var hostsDirectory: String?
    /// Names without a registry are podman's.
    package var searchesRegistriesConf = false
    package var dataRoot: String?
    package var execRoot: String?
    package var storageDriver: String?
    /// Whether containers get no_new_privs unless their command line says otherwise.
    package var noNewPrivileges = false
    /// For containers whose command line says nothing.
    package var dns = DNSOptions()
    /// The default network's: the bridge's own address with the length of its subnet. nil: one that is free.
    package var bridgeAddress: IPPrefix?
    /// nil: docker's.
    package var addressPools: [AddressPool]?
    /// Of the default network; nil: the usual one.
    package var mtu: Int?
    /// Where `-p` without an address publishes; nil: all of the host's.
    package var publishAddress: IPAddress?
    /// Of the default network; nil: yes.
    package var connectsContainers: Bool?
    package var masquerades: Bool?
    package var publishMode = PublishMode.nft
    /// Where CNI's configurations and plugins are; nil: the usual places.
    package var cniConfigurations: String?
    package var cniPlugins: String?
    /// OCI runtimes by name, and which one makes the containers whose command line names none; nil: our own.
    package var runtimes: [String: Runtime] = [:]
    package var defaultRuntime: String?
    /// The file that was read.
    package var file: String?

    /// How what comes to a published port gets to the container.
    package enum PublishMode: String, Sendable, Hashable, CaseIterable {
        /// By the kernel, but for what comes from the host's loopback.
        case nft
        /// By a process, whatever comes.
        case proxy
    }

    package init() {}

    /// As the default registry: that this file says what names without one mean.
    private static let registriesConfName = "registries.conf"

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

    private struct Keys: FieldRecord {
        static let blank = Keys()
        var registryMirrors: [String]?
        var insecureRegistries: [String]?
        var defaultRegistry: String?
        var imageRepository: String?
        var registriesConf: String?
        var hostsDirectory: String?
        var verifiers: String?
        var slowMirror: Int?
        var maximumDownloads: Int?
        var replace: [String: String]?
        var dataRoot: String?
        var graph: String?
        var execRoot: String?
        var storageDriver: String?
        var noNewPrivileges: Bool?

        mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
            try coder.field("registry-mirrors", &registryMirrors)
            try coder.field("insecure-registries", &insecureRegistries)
            try coder.field("default-registry", &defaultRegistry)
            try coder.field("image-repository", &imageRepository)
            try coder.field("registries-conf", &registriesConf)
            try coder.field("hosts-directory", &hostsDirectory)
            try coder.field("image-verifiers", &verifiers)
            try coder.field("slow-mirror", &slowMirror)
            try coder.field("max-concurrent-downloads", &maximumDownloads)
            try coder.field("replace", &replace)
            try coder.field("data-root", &dataRoot)
            try coder.field("graph", &graph)
            try coder.field("exec-root", &execRoot)
            try coder.field("storage-driver", &storageDriver)
            try coder.field("no-new-privileges", &noNewPrivileges)
        }
    }

    static func decode(_ bytes: [UInt8], path: String) throws(EngineError) -> Configuration {
        let text = ConfigurationText(bytes)
        // The decoder would let the comma pass.
        if let slip = text.slip { throw .configuration(path: path, reason: slip) }
        let keys: Keys
        let networks: NetworkKeys
        let runtimes: RuntimeKeys
        do throws(FieldFault) {
            let document = try JSONValue(record: bytes)
            (keys, networks, runtimes) = (try Keys(document), try NetworkKeys(document), try RuntimeKeys(document))
        } catch {
            throw .configuration(path: path, reason: error.path.isEmpty ? "invalid JSON: \(error)" : "\(error)")
        }
        var result = Configuration()
        result.registryRules = try rules(keys, text, path: path)
        result.insecureRegistries = keys.insecureRegistries ?? []
        if let rate = keys.slowMirror, rate < 0 {
            throw .configuration(path: path, reason: "slow-mirror: \(rate) is no number of bytes a second")
        }
        result.slowMirror = keys.slowMirror
        if let directory = keys.verifiers, !directory.hasPrefix("/") {
            throw .configuration(path: path, reason: "image-verifiers: \"\(directory)\" is no absolute path")
        }
        result.verifiers = keys.verifiers
        if let count = keys.maximumDownloads, count < 1 {
            throw .configuration(path: path, reason: "max-concurrent-downloads: \(count) is less than 1")
        }
        result.maximumDownloads = keys.maximumDownloads
        result.registriesConf = keys.registriesConf
        result.hostsDirectory = keys.hostsDirectory
        result.searchesRegistriesConf = keys.defaultRegistry == Configuration.registriesConfName
        result.noNewPrivileges = keys.noNewPrivileges ?? false
        // docker's own directories stay docker's: only a file of ours moves where we keep things.
        let isDockers = path.hasSuffix("/docker/daemon.json")
        if !isDockers {
            result.dataRoot = keys.dataRoot ?? keys.graph
            result.execRoot = keys.execRoot
            result.storageDriver = keys.storageDriver
        }
        do throws(NetworkKeys.Fault) {
            try networks.apply(to: &result, isDockers: isDockers)
        } catch {
            throw .configuration(path: path, reason: error.reason)
        }
        runtimes.apply(to: &result, isDockers: isDockers)
        result.file = path
        return result
    }

    /// Mirrors of Docker Hub, and of others as HOST[/PATH]=URL; rewrites, which docker has not.
    private static func rules(
        _ keys: Keys, _ text: ConfigurationText, path: String
    ) throws(EngineError) -> RegistryRules {
        var rules = RegistryRules()
        do throws(NamePrefix.Fault) {
            for mirror in keys.registryMirrors ?? [] {
                rules.mirrors.append(
                    try RegistryRules.Mirror(parsing: mirror, origin: "\(path):\(text.line(of: mirror))"))
            }
            for (prefix, target) in (keys.replace ?? [:]).sorted(by: { $0.key < $1.key }) {
                rules.rewrites.append(
                    RegistryRules.Rewrite(
                        try NamePrefix(parsing: prefix), to: try NamePrefix(parsing: target),
                        origin: "\(path):\(text.line(of: prefix))"))
            }
            func origin(_ value: String) -> String { "\(path):\(text.line(of: value))" }
            if let place = keys.imageRepository {
                rules.rewrites += try RegistryRules.imageRepository(
                    try NamePrefix(parsing: place), origin: origin(place))
            }
            let named = keys.defaultRegistry.flatMap { $0 == registriesConfName ? nil : $0 }
            rules.defaultRegistry = try named.map { place throws(NamePrefix.Fault) in
                RegistryRules.DefaultRegistry(try NamePrefix(parsing: place), origin: origin(place))
            }
        } catch {
            throw .configuration(path: path, reason: "\(error)")
        }
        return rules
    }
}
