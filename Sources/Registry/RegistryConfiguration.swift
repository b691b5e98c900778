package import OCI

/// All that decides how registries are reached. Built once; nothing here is read again later, but for the certificates
/// of hosts that only turn up on the way.
package struct RegistryConfiguration: Sendable {
    /// Mirrors are URLs without a path (`https://mirror.example`).
    package var rules = RegistryRules()
    /// `host`, `host:port`, or a block of addresses: their certificates are not checked, and they may be spoken to in
    /// plain http.
    package var insecureRegistries: [String] = []
    /// Directories that hold `HOST:PORT/{*.crt,*.cert,*.key}`.
    package var certificateDirectories: [String]
    /// Further files, by `host[:port]`.
    package var hostCertificates: [String: HostCertificates] = [:]
    package var credentials = CredentialStore()
    /// Proxy and CA variables are taken from here, under the names that curl knows.
    package var environment: [String: String]
    /// Comes before the environment's proxies and their exceptions; empty: none.
    package var proxy: String?
    /// Certificates of authorities for all hosts, PEM.
    package var authorities: [UInt8]?
    /// Of all downloads together.
    package var bytesPerSecond: Int64?
    package var retry = RetryPolicy()
    package var timeouts = Timeouts()
    package var health = EndpointHealth()
    package var userAgent = "runimg"
    /// Set where something is given to the registry: mirrors are not asked then.
    package var push: PushAccess?

    /// What a push needs besides its own repository.
    package struct PushAccess: Sendable {
        /// Repositories of the registry that blobs may be taken over from.
        package var sources: [String]

        package init(sources: [String]) { self.sources = sources }
    }

    /// The scopes of a token (distribution's token specification).
    func scopes(_ repository: String) -> [String] {
        guard let push else { return ["repository:\(repository):pull"] }
        return ["repository:\(repository):pull,push"] + push.sources.map { "repository:\($0):pull" }
    }

    package init(environment: [String: String] = [:]) {
        self.environment = environment
        certificateDirectories = ["/etc/docker/certs.d"]
        if let home = environment["HOME"], !home.isEmpty {
            certificateDirectories.append("\(home)/.config/docker/certs.d")
        }
    }
}

extension RegistryConfiguration {
    package var proxies: ProxySettings {
        proxy.map { ProxySettings(all: $0) } ?? ProxySettings(environment: environment)
    }
}

/// When a request is sent again.
package struct RetryPolicy: Sendable, Hashable {
    /// How often one request is sent again to one endpoint.
    package var retries = 5
    /// The same while another endpoint is to be asked as well, and only where a connection broke.
    package var retriesBeside = 1
    /// Seconds before the first repetition; each next pause is twice as long, and all vary by half.
    package var basePause = 1.0
    /// Seconds; bounds Retry-After too.
    package var longestPause = 60.0
    /// A download that got this many bytes further since its last fault has all its retries again.
    package var progressThatCounts: Int64 = 1 << 20

    package init() {}
}

/// Seconds, but where named otherwise.
package struct Timeouts: Sendable, Hashable {
    package var connect = 30.0
    /// A transfer slower than this for `slowPeriod` is given up and tried again.
    package var slowBytesPerSecond = 1024
    package var slowPeriod = 60
    /// The same while another endpoint is to be asked as well; 0 makes no difference.
    package var slowBesideBytesPerSecond = 64 << 10
    package var slowBesidePeriod = 10

    /// What holds while another endpoint is to be asked as well.
    var beside: Timeouts {
        guard slowBesideBytesPerSecond > 0 else { return self }
        var result = self
        result.slowBytesPerSecond = max(slowBytesPerSecond, slowBesideBytesPerSecond)
        result.slowPeriod = min(slowPeriod, slowBesidePeriod)
        result.connect = min(connect, Double(result.slowPeriod))
        return result
    }

    package init() {}
}

/// What a caller hears of a transfer, on the thread that made the call.
package struct RegistryObserver: Sendable {
    /// Asked about once a second, and oftener: true ends the call with `RegistryError.interrupted`.
    package var isInterrupted: @Sendable () -> Bool = { false }
    package var retrying: @Sendable (RetryNotice) -> Void = { _ in }
    package var warning: @Sendable (String) -> Void = { _ in }
    package var debug: @Sendable (String) -> Void = { _ in }

    package init() {}
}

/// A pause before the next try.
package struct RetryNotice: Sendable, Hashable {
    /// The blob or manifest that is asked for, where it has a digest.
    package let digest: Digest?
    package let endpoint: String
    package let reason: String
    /// Of the pause.
    package let seconds: Double
    /// 1 for the first repetition.
    package let retry: Int
}
