internal import CLinux
internal import Glibc
package import OCI
internal import Synchronization
internal import Sys

/// Debian's docker-registry on a free loopback port, with its storage in a directory of its own; stopped when the value
/// goes away.
package final class RealRegistry: Sendable {
    package struct Options: Sendable {
        /// A certificate under a CA made for this registry, and https only.
        package var tls = false
        /// Basic authentication by htpasswd.
        package var credentials: (user: String, password: String)?
        /// A cache of the registry at this URL.
        package var proxied: String?

        package init(
            tls: Bool = false, credentials: (user: String, password: String)? = nil, proxied: String? = nil
        ) {
            self.tls = tls
            self.credentials = credentials
            self.proxied = proxied
        }
    }

    package struct Failure: Error, CustomStringConvertible {
        package let description: String
    }

    package let port: UInt16
    package let options: Options
    package let scratch: Scratch
    private let process: Mutex<ChildProcess>

    /// `127.0.0.1:PORT`.
    package var host: String { "127.0.0.1:\(port)" }
    package var url: String { "\(options.tls ? "https" : "http")://\(host)" }
    /// The CA's certificate, as a file that `curl --cacert` takes.
    package var authorityFile: String { scratch("certs/ca.crt") }
    /// A directory such as `/etc/docker/certs.d/HOST`: it holds `ca.crt`.
    package var certificateDirectory: String { scratch("certs") }
    package var storage: String { scratch("storage") }

    package init(_ options: Options = Options()) throws {
        self.options = options
        scratch = try Scratch()
        if options.tls { try RealRegistry.makeCertificates(scratch) }
        var lastError = ""
        for _ in 0..<5 {
            let port = try RealRegistry.freePort()
            try RealRegistry.writeConfiguration(scratch, port: port, options)
            var child = try RealRegistry.start(scratch)
            let up = try Wait.until(seconds: 15) {
                try RealRegistry.accepts(port) || child.wait(seconds: 0) != nil
            }
            if up, try child.wait(seconds: 0) == nil {
                self.port = port
                process = Mutex(child)
                return
            }
            try child.kill()
            lastError = (try? RealRegistry.text(scratch("registry.log"))) ?? ""
        }
        throw Failure(description: "docker-registry did not start: \(lastError)")
    }

    deinit {
        process.withLock { child in _ = try? child.stop() }
    }

    /// Puts an image of a layout (`oci:DIR:TAG`, `docker://…`; any of skopeo's names) under `name`, such as
    /// `library/alpine:latest`, whole indexes with all they name, digests unchanged. `format` converts: `v2s2`, `oci`.
    package func push(_ source: String, as name: String, format: String? = nil) throws {
        var arguments = ["--insecure-policy", "copy", "--quiet", "--all"]
        if let format { arguments += ["--format", format] } else { arguments.append("--preserve-digests") }
        if options.tls {
            arguments += ["--dest-cert-dir", certificateDirectory]
        } else {
            arguments.append("--dest-tls-verify=false")
        }
        if let credentials = options.credentials {
            arguments += ["--dest-creds", "\(credentials.user):\(credentials.password)"]
        }
        try Tool.check("skopeo", arguments + [source, "docker://\(host)/\(name)"], timeout: 120)
    }

    /// Holds the registry still, in the middle of whatever it sends, and lets it go on.
    package func suspend() throws { try process.withLock { try $0.signal(SIGSTOP) } }
    package func resume() throws { try process.withLock { try $0.signal(SIGCONT) } }

    /// One answered request, in the order of the registry's log.
    package struct Request: Sendable, Hashable {
        package let method: String
        package let path: String
        package let status: Int
        package let bytes: Int
        package let agent: String
    }

    /// The access log (Apache's combined format). The registry writes a line when the answer is out.
    package func requests() throws -> [Request] {
        try RealRegistry.text(scratch("access.log")).split(separator: "\n").compactMap { line in
            let quoted = line.split(separator: "\"", omittingEmptySubsequences: false)
            guard quoted.count >= 6 else { return nil }
            let request = quoted[1].split(separator: " ")
            let numbers = quoted[2].split(separator: " ")
            guard request.count >= 2, numbers.count >= 2, let status = Int(numbers[0]) else { return nil }
            return Request(
                method: String(request[0]), path: String(request[1]), status: status, bytes: Int(numbers[1]) ?? 0,
                agent: String(quoted[5]))
        }
    }

    /// How often each blob was sent whole or in part, by hexadecimal digest, to agents whose name has `agent`.
    package func blobFetches(agent: String = "runimg") throws -> [String: Int] {
        var counts: [String: Int] = [:]
        for request in try requests() where request.method == "GET" && request.agent.contains(agent) {
            guard let mark = request.path.split(separator: "/").last, mark.hasPrefix("sha256:"),
                request.path.contains("/blobs/"), (200...206).contains(request.status)
            else { continue }
            counts[String(mark.dropFirst("sha256:".count)), default: 0] += 1
        }
        return counts
    }

    /// The file in the registry's storage that holds a blob, for tests that damage it.
    package func blobFile(_ digest: Digest) -> String {
        "\(storage)/docker/registry/v2/blobs/sha256/\(digest.hex.prefix(2))/\(digest.hex)/data"
    }
}

extension RealRegistry {
    private static func text(_ path: String) throws -> String {
        String(decoding: try File.readAll(path), as: UTF8.self)
    }

    /// A port that nobody listens on. Someone may take it before the registry does: then the start is tried again.
    package static func freePort() throws -> UInt16 {
        let fd = OwnedFD(adopting: try check { socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0) })
        let number = fd.raw
        var address = loopback(port: 0)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        try check { withSockaddr(&address) { bind(number, .init(__sockaddr__: $0), size) } }
        var length = size
        try check { withSockaddr(&address) { getsockname(number, .init(__sockaddr__: $0), &length) } }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func accepts(_ port: UInt16) throws -> Bool {
        let fd = OwnedFD(adopting: try check { socket(AF_INET, Int32(SOCK_STREAM.rawValue) | O_CLOEXEC, 0) })
        let number = fd.raw
        var address = loopback(port: port)
        let size = socklen_t(MemoryLayout<sockaddr_in>.size)
        return withSockaddr(&address) { connect(number, .init(__sockaddr__: $0), size) } == 0
    }

    private static func loopback(port: UInt16) -> sockaddr_in {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
        return address
    }

    private static func withSockaddr<R>(
        _ address: inout sockaddr_in, _ body: (UnsafeMutablePointer<sockaddr>) -> R
    ) -> R {
        withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1, body)
        }
    }

    private static func start(_ scratch: Scratch) throws -> ChildProcess {
        guard let path = Tool.find("docker-registry") else { throw Tool.Missing(name: "docker-registry") }
        let flags = O_WRONLY | O_CREAT | O_APPEND
        let access = try File.open(scratch("access.log"), flags, mode: 0o644)
        let log = try File.open(scratch("registry.log"), flags, mode: 0o644)
        return try ChildProcess(
            path, ["serve", scratch("config.yml")], environment: Tool.baseEnvironment,
            output: .descriptor(access.raw), errors: .descriptor(log.raw))
    }

    private static func writeConfiguration(_ scratch: Scratch, port: UInt16, _ options: Options) throws {
        var text = """
            version: 0.1
            log:
              level: warn
              accesslog:
                disabled: false
            storage:
              filesystem:
                rootdirectory: \(scratch("storage"))
              delete:
                enabled: true
            http:
              addr: 127.0.0.1:\(port)

            """
        if options.tls {
            text += """
                  tls:
                    certificate: \(scratch("tls/server.crt"))
                    key: \(scratch("tls/server.key"))

                """
        }
        if let proxied = options.proxied { text += "proxy:\n  remoteurl: \(proxied)\n" }
        if let credentials = options.credentials {
            let line = try Tool.check("htpasswd", ["-Bbn", "-C", "5", credentials.user, credentials.password]).stdout
            text += """
                auth:
                  htpasswd:
                    realm: tests
                    path: \(try scratch.file("htpasswd", line))

                """
        }
        try scratch.file("config.yml", text)
    }

    private static func makeCertificates(_ scratch: Scratch) throws {
        let directory = try scratch.directory("tls")
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        try Tool.check(
            "openssl",
            ["req", "-x509", "-days", "2", "-subj", "/CN=runimg test CA", "-keyout", "ca.key", "-out", "ca.crt"] + key,
            directory: directory)
        try Tool.check(
            "openssl", ["req", "-subj", "/CN=localhost", "-keyout", "server.key", "-out", "server.csr"] + key,
            directory: directory)
        try scratch.file("tls/san", "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1\n")
        try Tool.check(
            "openssl",
            [
                "x509", "-req", "-days", "2", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                "-CAcreateserial", "-extfile", "san", "-out", "server.crt",
            ], directory: directory)
        // Nothing else there: a client takes a .key in such a directory for its own.
        try scratch.directory("certs")
        try File.rename("\(directory)/ca.crt", to: scratch("certs/ca.crt"))
    }
}
