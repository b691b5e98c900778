internal import Images
internal import OCI
internal import Sys

/// What podman's and containerd's files say of registries, read where they are. Only what asks a registry reads them.
struct ForeignRegistries: Sendable {
    var namespaces: [RegistryRules.Namespace] = []
    var insecure: [String] = []
    var certificates: [String: HostCertificates] = [:]
    var warnings: [String] = []
}

/// Where these files are; the command line's configuration file stands for all of the system's.
struct ForeignFiles: Sendable, Hashable {
    /// The first that is there is read, and the drop-ins of all.
    var registries: [String]
    var aliases: String?
    var hosts: String?

    init(_ configuration: Configuration, isOwnFile: Bool) {
        let home = Environment["XDG_CONFIG_HOME"] ?? Environment["HOME"].map { $0 + "/.config" }
        registries = (home.map { ["\($0)/containers/registries.conf"] } ?? []) + ["/etc/containers/registries.conf"]
        aliases = "/var/cache/containers/short-name-aliases.conf"
        hosts = "/etc/containerd/certs.d"
        if isOwnFile { (registries, aliases, hosts) = ([], nil, nil) }
        if let path = configuration.registriesConf { registries = path.isEmpty ? [] : [path] }
        if let path = Environment["CONTAINERS_REGISTRIES_CONF"], !path.isEmpty { registries = [path] }
        if let path = configuration.hostsDirectory { hosts = path.isEmpty ? nil : path }
    }
}

extension Engine {
    private static let limit = 1 << 20

    private var foreignFiles: ForeignFiles { ForeignFiles(configuration, isOwnFile: options.configFile != nil) }

    /// For a pull of that name, which is whole.
    func foreignRegistries(_ name: String, _ rules: RegistryRules) throws(EngineError) -> ForeignRegistries {
        var result = ForeignRegistries()
        guard let reference = try? Reference(parsing: name), let place = try? rules.place(of: reference).name else {
            return result
        }
        let conf = try registriesConf()
        result.namespaces = conf.namespaces
        result.insecure = conf.insecure
        result.warnings = conf.warnings
        var known = RegistryRules()
        known.namespaces = conf.namespaces
        guard known.namespace(of: place) == nil, let hosts = try hostsFile(of: place.domain) else { return result }
        result.namespaces.append(hosts.namespace)
        result.insecure += hosts.insecure
        result.certificates = hosts.certificates
        result.warnings += hosts.warnings
        return result
    }

    // MARK: registries.conf

    func registriesConf(aliases: Bool = false) throws(EngineError) -> RegistriesConf {
        let files = foreignFiles
        var paths = files.registries.first(where: { File.exists($0) }).map { [$0] } ?? []
        // The system's before the user's, as the later one counts.
        for main in files.registries.reversed() { paths += Engine.dropIns("\(main).d") }
        if aliases, let cache = files.aliases, File.exists(cache) { paths.append(cache) }
        var conf = RegistriesConf()
        for path in paths {
            let table = try Engine.toml(path)
            do throws(RegistriesConf.Fault) {
                try conf.add(table, path: path)
            } catch {
                throw .configuration(path: path, reason: "line \(error.line): \(error.reason)")
            }
        }
        return conf
    }

    private static func dropIns(_ directory: String) -> [String] {
        let names = (try? Directory.entries(directory))?.map(\.name) ?? []
        return names.filter { $0.hasSuffix(".conf") }.sorted().map { "\(directory)/\($0)" }
    }

    /// Names without a registry as registries.conf has them, where the configuration asks for it.
    var searchedNames: (aliases: [String: String], registry: RegistryRules.DefaultRegistry?)? {
        guard configuration.searchesRegistriesConf else { return nil }
        let conf = (try? registriesConf(aliases: true)) ?? RegistriesConf()
        return (conf.aliases, conf.searched.first)
    }

    // MARK: hosts.toml

    private func hostsFile(of registry: String) throws(EngineError) -> HostsFile? {
        guard let directory = foreignFiles.hosts else { return nil }
        var names = [registry]
        if let colon = registry.lastIndex(of: ":") {
            names.insert("\(registry[..<colon])_\(registry[registry.index(after: colon)...])_", at: 0)
        }
        for name in names + ["_default"] {
            let path = "\(directory)/\(name)/hosts.toml"
            guard File.exists(path) else { continue }
            let table = try Engine.toml(path)
            do throws(RegistriesConf.Fault) {
                return try HostsFile(
                    table, path: path, registry: name == "_default" ? nil : registry, asked: registry)
            } catch {
                throw .configuration(path: path, reason: "line \(error.line): \(error.reason)")
            }
        }
        return nil
    }

    private static func toml(_ path: String) throws(EngineError) -> TOMLTable {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try File.readAll(path, limit: limit)
        } catch {
            throw .configuration(path: path, reason: "\(error)")
        }
        do throws(TOMLFault) {
            return try TOMLReader.read(bytes)
        } catch {
            throw .configuration(path: path, reason: "\(error)")
        }
    }
}
