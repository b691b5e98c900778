internal import CLinux
internal import Glibc
internal import OCI
internal import Sys

/// Certificates for one host.
struct TLSMaterial: Sendable {
    /// PEM; nil takes the system's file.
    var authorities: [UInt8]?
    /// Where the caller's environment wants the system's file or directory to be instead.
    var authorityFile: String?
    var authorityDirectory: String?
    var clientCertificate: [UInt8]?
    var clientKey: [UInt8]?
    var verifies = true

    /// The longest file that is read.
    private static let limit = 8 << 20

    /// From the directories of the configuration (`HOST:PORT`, then `HOST`), as docker lays them out, and from the
    /// variables that curl knows.
    static func load(
        host: String, port: UInt16?, trust: Endpoint.Trust, configuration: RegistryConfiguration
    ) throws(RegistryError) -> TLSMaterial {
        var result = TLSMaterial()
        result.readEnvironment(configuration.environment)
        result.authorities = configuration.authorities.map { $0 + [UInt8(ascii: "\n")] }
        let names = port.map { ["\(host):\($0)", host] } ?? [host]
        for directory in configuration.certificateDirectories {
            if let name = names.first(where: { File.exists("\(directory)/\($0)") }) {
                try result.add(directory: "\(directory)/\(name)")
            }
        }
        if let files = names.compactMap({ configuration.hostCertificates[$0] }).first { try result.add(files) }
        let knowsAuthority = result.authorities != nil
        result.verifies =
            switch trust {
            case .verified: true
            case .verifiedIfKnown: knowsAuthority
            case .anyCertificate: false
            }
        // A CA of the host's own is added to the usual ones; libcurl takes bytes instead of its file.
        if result.authorities != nil, let file = result.authorityFile {
            result.authorities?.append(UInt8(ascii: "\n"))
            result.authorities?.append(contentsOf: try read(file))
        }
        return result
    }

    private mutating func readEnvironment(_ environment: [String: String]) {
        func value(_ name: String) -> String? { environment[name].flatMap { $0.isEmpty ? nil : $0 } }
        if let bundle = value("CURL_CA_BUNDLE") {
            authorityFile = bundle
        } else {
            authorityDirectory = value("SSL_CERT_DIR")
            authorityFile = value("SSL_CERT_FILE")
        }
    }

    private mutating func add(directory: String) throws(RegistryError) {
        let names: [String]
        do throws(Errno) {
            names = try Directory.entries(directory).map(\.name).sorted()
        } catch {
            throw .configuration("read \(directory): \(error)")
        }
        for name in names where name.hasSuffix(".crt") {
            authorities = (authorities ?? []) + (try TLSMaterial.read("\(directory)/\(name)")) + [UInt8(ascii: "\n")]
        }
        for name in names where name.hasSuffix(".cert") && clientCertificate == nil {
            let key = String(name.dropLast(5)) + ".key"
            guard names.contains(key) else {
                throw .configuration("missing key \(key) for client certificate \(directory)/\(name)")
            }
            clientCertificate = try TLSMaterial.read("\(directory)/\(name)")
            clientKey = try TLSMaterial.read("\(directory)/\(key)")
        }
    }

    private mutating func add(_ files: HostCertificates) throws(RegistryError) {
        for path in files.authorities {
            authorities = (authorities ?? []) + (try TLSMaterial.read(path)) + [UInt8(ascii: "\n")]
        }
        guard let client = files.client, clientCertificate == nil else { return }
        clientCertificate = try TLSMaterial.read(client)
        clientKey = try TLSMaterial.read(files.clientKey ?? client)
    }

    private static func read(_ path: String) throws(RegistryError) -> [UInt8] {
        do throws(Errno) {
            return try File.readAll(path, limit: limit)
        } catch {
            throw .configuration("read \(path): \(error)")
        }
    }
}
