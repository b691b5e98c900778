internal import Images
internal import OCI
internal import Sys

/// A name without a registry means what the default registry makes of it, for every verb.
extension Engine {
    /// The name in full. The digits of an image's ID stay, where no name is meant.
    func meant(_ name: String, _ asked: RegistryRules = RegistryRules()) -> String {
        let rules = rules(asked)
        if PullRequest.isLocal(name) || name.hasPrefix("sha256:") { return name }
        let full = rules.qualified(name)
        guard full != name, ImageStore.mayBeID(name) else { return full }
        let isName = (try? images.resolve(full)) != nil
        return !isName && (try? images.resolve("sha256:\(name)")) != nil ? name : full
    }

    /// The request with the image's name in full.
    func meant(_ request: RunRequest) -> RunRequest {
        if request.rootDirectory != nil { return request }
        var request = request
        request.image = meant(request.image, request.registryRules ?? RegistryRules())
        return request
    }

    /// A name that is about to be given, in full.
    func meantNew(_ name: String) -> String { rules(RegistryRules()).qualified(name) }
}
