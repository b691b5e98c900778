internal import FoundationEssentials
internal import Images
internal import OCI
internal import Registry
internal import Sys

/// What commands tell each other of endpoints that were dead, slow or lying: a file of the data root, written by keepers
/// alone. It only sorts, so one that is damaged, or can't be written, is as good as none.
struct EndpointMemory: Sendable {
    private let path: String
    private static let limit = 64 << 10
    private static let most = 100

    init(_ layout: StoreLayout) { path = layout.endpoints }

    private struct Entry: Codable {
        var until: Int64
        var reason: String
    }

    func load() -> [String: EndpointHealth.Illness] {
        guard let bytes = try? File.readAll(path, limit: EndpointMemory.limit),
            let entries = try? JSONDecoder().decode([String: Entry].self, from: Data(bytes))
        else { return [:] }
        return entries.mapValues { EndpointHealth.Illness(until: $0.until, reason: $0.reason) }
    }

    /// Adds an endpoint and drops those whose time is over.
    func note(_ endpoint: String, _ reason: String) {
        let now = Clock.bootNanoseconds
        var entries = load().filter { $0.value.until > now && $0.value.until <= now + EndpointHealth.lifetime }
            .mapValues { Entry(until: $0.until, reason: $0.reason) }
        guard entries.count < EndpointMemory.most else { return }
        entries[endpoint] = Entry(
            until: now + EndpointHealth.lifetime, reason: ForeignText(reason, limit: 200).description)
        guard let bytes = try? JSONEncoder().encode(entries) else { return }
        try? File.replace(path, with: Array(bytes), durably: false)
    }
}
