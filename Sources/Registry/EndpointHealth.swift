internal import Synchronization
internal import Sys

/// Which endpoints are asked last because they were dead, slow or lying a short while ago. All clients of a process share
/// one, and what it is told may be kept for the next process.
package final class EndpointHealth: Sendable {
    package struct Illness: Sendable, Hashable {
        /// On the clock that counts from the boot.
        package var until: Int64
        package var reason: String

        package init(until: Int64, reason: String) {
            self.until = until
            self.reason = reason
        }
    }

    /// Nanoseconds.
    package static let lifetime: Int64 = 300 * 1_000_000_000

    private let known: Mutex<[String: Illness]>
    private let report: @Sendable (String, Illness) -> Void

    /// `report` hears of each endpoint (`host[:port]`) that falls ill.
    package init(
        _ known: [String: Illness] = [:], report: @escaping @Sendable (String, Illness) -> Void = { _, _ in }
    ) {
        self.known = Mutex(known)
        self.report = report
    }

    /// Why that endpoint is asked last at the moment.
    package func illness(of endpoint: String) -> Illness? {
        guard let found = known.withLock({ $0[endpoint] }) else { return nil }
        let now = Clock.bootNanoseconds
        // A time that is too far off was written before the machine started.
        return found.until > now && found.until <= now + EndpointHealth.lifetime ? found : nil
    }

    func note(_ endpoint: String, _ reason: String) {
        let isKnown = illness(of: endpoint) != nil
        let illness = Illness(until: Clock.bootNanoseconds + EndpointHealth.lifetime, reason: reason)
        known.withLock { $0[endpoint] = illness }
        if !isKnown { report(endpoint, illness) }
    }
}
