package import OCI
internal import Sys

extension RegistryConfiguration {
    /// Adds what the command line says of the registry of `reference`, by the rules that lead there. Reads the
    /// certificates, so that nothing is left to be read later.
    package mutating func apply(_ access: RegistryAccess, to reference: Reference) throws(RegistryError) {
        let domain = try Resolver.place(of: reference, rules).0.domain
        if access.isInsecure { try trust(domain) }
        if let proxy = access.proxy { self.proxy = proxy }
        if let file = access.authorityFile { authorities = try RegistryConfiguration.authorities(file) }
        if case .password(let user, let password)? = access.credentials {
            let place = domain == Reference.defaultDomain ? Resolver.hubHost : domain
            credentials.own = (place, .password(user: user, password: password))
        }
        bytesPerSecond = access.bytesPerSecond
        if let rate = bytesPerSecond {
            // Several downloads share it, and none of them is to be given up for that.
            let least = max(1, Int(clamping: rate / 16))
            timeouts.slowBytesPerSecond = min(timeouts.slowBytesPerSecond, least)
            timeouts.slowBesideBytesPerSecond = min(timeouts.slowBesideBytesPerSecond, least)
        }
        if let retries = access.retries { retry.retries = retries }
        if let seconds = access.retrySeconds {
            retry.basePause = seconds
            retry.longestPause = max(retry.longestPause, seconds)
        }
    }

    private mutating func trust(_ domain: String) throws(RegistryError) {
        guard ![Reference.defaultDomain, Resolver.hubSearchHost].contains(domain) else {
            throw .configuration("--insecure is not for Docker Hub: it is asked over TLS, with its certificate checked")
        }
        insecureRegistries.append(domain)
    }

    private static func authorities(_ path: String) throws(RegistryError) -> [UInt8] {
        let bytes: [UInt8]
        do throws(Errno) {
            bytes = try File.readAll(path, limit: 8 << 20)
        } catch {
            throw .configuration("--cacert: read \(path): \(error)")
        }
        guard bytes.firstRange(of: Array("-----BEGIN CERTIFICATE-----".utf8)) != nil else {
            throw .configuration("--cacert: \(path) holds no certificate in PEM form")
        }
        return bytes
    }
}
