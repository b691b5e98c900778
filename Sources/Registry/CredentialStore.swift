internal import FoundationEssentials
internal import OCI
internal import Sys

/// Docker's `config.json`: credentials by registry, in the file itself or with a helper program.
package struct CredentialStore: Sendable {
    private var auths: [String: Entry] = [:]
    private var helpers: [String: String] = [:]
    private var defaultHelper: String?
    /// Of this command only, for the registry of that name and port: it comes before what is kept.
    package var own: (place: String, credential: Credential)?
    /// Where it was read from, for messages.
    private var origin = "credentials"

    /// What docker files its own registry under.
    package static let hubKey = "https://index.docker.io/v1/"

    package init() {}

    /// The program that keeps the credential of that key; nil: the file itself.
    func helper(for key: String) -> String? { (helpers[key] ?? defaultHelper).flatMap { $0.isEmpty ? nil : $0 } }

    /// As in the file.
    var keys: [String] { auths.keys.sorted() }
    var helperKeys: [String] { helpers.keys.sorted() }

    /// Reads `config.json` in `directory`; no such file is an empty store.
    package static func load(directory: String) throws(RegistryError) -> CredentialStore {
        let path = "\(directory)/config.json"
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try File.readAll(path, limit: 4 << 20)
        } catch .noEntry {
            return CredentialStore()
        } catch .notDirectory {
            return CredentialStore()
        } catch {
            throw .configuration("read \(path): \(error)")
        }
        return try CredentialStore(json: bytes, origin: path)
    }

    /// The text of a `config.json`; other keys than those of credentials are passed over.
    package init(json bytes: [UInt8], origin: String) throws(RegistryError) {
        let file: ConfigFile
        do throws(JSONFault) {
            file = try BoundedJSON.decode(ConfigFile.self, from: bytes, limit: 4 << 20)
        } catch {
            throw .configuration("read \(origin): \(error)")
        }
        self.origin = origin
        auths = file.auths ?? [:]
        helpers = file.credHelpers ?? [:]
        defaultHelper = file.credsStore
    }

    /// The credential filed under exactly this host, or nil. A helper that fails is told to `warn` and passed over: a
    /// public image must not need somebody's keychain.
    package func credential(
        for endpoint: Endpoint, environment: [String: String], warn: (String) -> Void
    ) -> Credential? {
        if let own, own.place == endpoint.name, endpoint.role == .registry { return own.credential }
        let isHub = endpoint.role == .registry && endpoint.host == Resolver.hubHost
        let server = isHub ? CredentialStore.hubKey : endpoint.name
        if let helper = helpers[server] ?? helpers[endpoint.name] ?? defaultHelper, !helper.isEmpty {
            do throws(CredentialHelper.Failure) {
                let found = try CredentialHelper(name: helper, environment: environment).get(server: server)
                if let found { return found }
            } catch {
                warn("\(error)")
            }
        }
        return entry(for: endpoint, isHub: isHub).flatMap { entry in
            let credential = entry.credential
            if credential == nil, entry.auth != nil { warn("\(origin): unreadable \"auth\" of \(server) is left out") }
            return credential
        }
    }

    /// Where the credential of this host would come from; nil: there is none. Runs no helper.
    package func source(for endpoint: Endpoint) -> String? {
        if let own, own.place == endpoint.name, endpoint.role == .registry { return "--creds" }
        let isHub = endpoint.role == .registry && endpoint.host == Resolver.hubHost
        let server = isHub ? CredentialStore.hubKey : endpoint.name
        if let helper = helpers[server] ?? helpers[endpoint.name] ?? defaultHelper, !helper.isEmpty {
            return "docker-credential-\(ForeignText(helper, limit: 60)), asked for \(server)"
        }
        return entry(for: endpoint, isHub: isHub)?.credential == nil ? nil : "\(origin)"
    }

    private func entry(for endpoint: Endpoint, isHub: Bool) -> Entry? {
        if isHub {
            if let entry = auths[CredentialStore.hubKey] { return entry }
            return auths.keys.sorted().first { CredentialStore.hubNames.contains(CredentialStore.host(ofKey: $0)) }
                .flatMap { auths[$0] }
        }
        if let entry = auths[endpoint.name] { return entry }
        return auths.keys.sorted().first { CredentialStore.host(ofKey: $0) == endpoint.name }.flatMap { auths[$0] }
    }

    /// What a key means: `HOST[:PORT]`, or docker.io for any name of that.
    static func registry(ofKey key: String) -> String {
        let host = host(ofKey: key)
        return hubNames.contains(host) ? Reference.defaultDomain : host
    }

    private static let hubNames: Set = ["index.docker.io", Reference.defaultDomain, Resolver.hubHost]

    /// Keys of old files are URLs; only their host and port count.
    private static func host(ofKey key: String) -> String {
        var rest = Substring(key)
        for scheme in ["https://", "http://"] where rest.hasPrefix(scheme) { rest = rest.dropFirst(scheme.count) }
        return String(rest.prefix { $0 != "/" })
    }
}

private struct ConfigFile: Decodable {
    var auths: [String: Entry]?
    var credsStore: String?
    var credHelpers: [String: String]?
}

private struct Entry: Decodable, Sendable {
    var auth: String?
    var username: String?
    var password: String?
    var identitytoken: String?
    var registrytoken: String?

    var credential: Credential? {
        if let token = registrytoken, !token.isEmpty { return .registryToken(token) }
        if let token = identitytoken, !token.isEmpty { return .identityToken(token) }
        if let auth, !auth.isEmpty {
            // Docker ends some of these with a NUL.
            guard let data = Data(base64Encoded: auth) else { return nil }
            let text = String(decoding: data, as: UTF8.self)
            guard let colon = text.firstIndex(of: ":") else { return nil }
            let password = text[text.index(after: colon)...].reversed().drop { $0 == "\0" }.reversed()
            return .password(user: String(text[..<colon]), password: String(password))
        }
        if let username, let password, !username.isEmpty { return .password(user: username, password: password) }
        return nil
    }
}
