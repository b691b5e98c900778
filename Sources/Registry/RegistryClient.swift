internal import CLinux
internal import Glibc
package import OCI
internal import Synchronization
internal import Sys

/// Reads one repository, at the first of its endpoints that has what is asked for. May be used by several threads at
/// once. Credential helpers run and certificates are read in `init`; afterwards the network, name resolution and the
/// system's CA files are all that is needed.
package final class RegistryClient: Sendable {
    package let reference: Reference
    let transport: Transport
    let sessions: [EndpointSession]
    private let memory = Mutex(Memory())

    private struct Memory {
        /// The position of the endpoint that served last.
        var preferred = 0
        var downloads: [Digest: DownloadRecord] = [:]
    }

    /// `scope` is what tokens are asked for; nil: reading the repository, or where `reference` is a whole registry, nothing.
    package init(
        reference: Reference, configuration: RegistryConfiguration, scope: String? = nil,
        observer: RegistryObserver = RegistryObserver()
    ) throws(RegistryError) {
        self.reference = reference
        transport = try Transport(configuration: configuration, observer: observer)
        let certificates = CertificateCache(configuration)
        var sessions: [EndpointSession] = []
        for endpoint in try Resolver.endpoints(for: reference, configuration: configuration)
        where configuration.push == nil || endpoint.role == .registry {
            try certificates.load(endpoint)
            let credential = configuration.credentials.credential(
                for: endpoint, environment: configuration.environment, warn: observer.warning)
            sessions.append(
                EndpointSession(
                    endpoint: endpoint, credential: credential,
                    scopes: scope.map { [$0] }
                        ?? (reference.isRegistry ? [] : configuration.scopes(endpoint.repository)),
                    transport: transport, certificates: certificates))
        }
        self.sessions = sessions
    }

    /// Where requests go, in order.
    package var endpoints: [Endpoint] { sessions.map(\.endpoint) }

    var observer: RegistryObserver { transport.observer }

    // MARK: Tries

    /// Calls `body` with one endpoint after the other until it succeeds. `furthest` says how far a download got; endpoints
    /// in `without` are not asked, and `byTag` those not that may not say what a tag points to.
    func attempt<Value>(
        _ what: String, digest: Digest? = nil, byTag: Bool = false, without: Set<Int> = [],
        furthest: () -> Int64 = { 0 },
        _ body: (EndpointTurn) throws(Fault) -> Value
    ) throws(RegistryError) -> Value {
        var failures = without.sorted().map { failure($0, .refused("the bytes that it gave were wrong")) }
        var turns = order().filter { !without.contains($0) && (!byTag || sessions[$0].endpoint.resolves) }
            .map { EndpointTurn(index: $0, session: sessions[$0], isPatient: false) }
        while !turns.isEmpty {
            var turn = turns.removeFirst()
            turn.isPatient = turn.isPatient || turns.isEmpty
            do throws(Fault) {
                let value = try repeating(turn, digest, furthest: furthest, body)
                // Of an answer that others may not give it says nothing that it was this one's.
                if !byTag || endpoints.allSatisfy(\.resolves) { memory.withLock { $0.preferred = turn.index } }
                return value
            } catch .interrupted {
                throw .interrupted
            } catch .file(let operation, let errno) {
                throw .file(SystemFailure(operation, "download of \(what)", errno))
            } catch {
                if error.isEndpoints { noteIllness(turn.index, "\(error)") }
                failures.removeAll { $0.endpoint == turn.endpoint.name }
                failures.append(failure(turn.index, error))
                guard turn.comesAgain(after: error) else { continue }
                turn.isPatient = true
                turns.append(turn)
            }
        }
        throw RegistryError(
            what: what, repository: reference.familiarRepository, tried: failures,
            action: transport.configuration.push == nil ? .pull : .push)
    }

    private func failure(_ index: Int, _ fault: Fault) -> EndpointFailure {
        let endpoint = sessions[index].endpoint
        return EndpointFailure(endpoint: endpoint.name, role: endpoint.role, fault: fault)
    }

    /// Where there is but one place it is of no use to know.
    private func noteIllness(_ index: Int, _ reason: String) {
        guard sessions.count > 1 else { return }
        let name = sessions[index].endpoint.name
        observer.debug("\(name) is asked last from now on: \(reason)")
        health.note(name, reason)
    }

    private var health: EndpointHealth { transport.configuration.health }

    /// The one that served last first; those that are ill last.
    private func order() -> [Int] {
        let preferred = memory.withLock(\.preferred)
        func rank(_ index: Int) -> Int {
            (health.illness(of: sessions[index].endpoint.name) == nil ? 0 : 2) + (index == preferred ? 0 : 1)
        }
        let ranks = sessions.indices.map(rank)
        return sessions.indices.sorted { (ranks[$0], $0) < (ranks[$1], $1) }
    }

    /// Repeats `body` at one endpoint while its faults are passing ones, with growing pauses.
    private func repeating<Value>(
        _ turn: EndpointTurn, _ digest: Digest?, furthest: () -> Int64,
        _ body: (EndpointTurn) throws(Fault) -> Value
    ) throws(Fault) -> Value {
        let policy = transport.configuration.retry
        var retry = 0
        var mark = furthest()
        while true {
            do throws(Fault) {
                return try body(turn)
            } catch {
                if furthest() - mark >= policy.progressThatCounts {
                    mark = furthest()
                    retry = 0
                }
                guard turn.repeats(error, retry: retry, policy) else { throw error }
                retry += 1
                let seconds = pause(policy, retry, error)
                observer.retrying(
                    RetryNotice(
                        digest: digest, endpoint: turn.endpoint.name, reason: "\(error)", seconds: seconds,
                        retry: retry))
                try sleep(seconds)
            }
        }
    }

    // MARK: Downloads

    func download(of digest: Digest) -> DownloadRecord { memory.withLock { $0.downloads[digest] ?? DownloadRecord() } }

    func note(_ givers: Set<Int>, of digest: Digest) {
        memory.withLock { $0.downloads[digest, default: DownloadRecord()].givers = givers }
    }

    /// To be told when the bytes of a download have another digest or length than they should. Whether asking for it once
    /// more may bring others: from then on they come whole from one endpoint, and not from one that gave wrong ones.
    package func distrust(_ digest: Digest) -> Bool {
        let (liar, isLeft) = memory.withLock { memory -> (Int?, Bool) in
            var record = memory.downloads[digest] ?? DownloadRecord()
            let liar = record.givers.count == 1 ? record.givers.first { $0 != DownloadRecord.unknown } : nil
            if let liar { record.liars.insert(liar) }
            record.givers = []
            record.isDoubted = true
            memory.downloads[digest] = record
            return (liar, record.liars.count < sessions.count)
        }
        if let liar { noteIllness(liar, "what it gave for \(digest) has another digest") }
        return isLeft
    }

    private func pause(_ policy: RetryPolicy, _ retry: Int, _ fault: Fault) -> Double {
        if case .status(_, _, let after?) = fault { return min(after, policy.longestPause) }
        // Between half and three halves, so that clients that failed together do not come back together.
        let base = policy.basePause * Double(1 << min(retry - 1, 16))
        return min(base * Double.random(in: 0.5...1.5), policy.longestPause)
    }

    private func sleep(_ seconds: Double) throws(Fault) {
        let end = Clock.monotonicNanoseconds + Int64(seconds * 1e9)
        while true {
            if observer.isInterrupted() { throw .interrupted }
            let left = end - Clock.monotonicNanoseconds
            if left <= 0 { return }
            usleep(useconds_t(min(left / 1000 + 1, 100_000)))
        }
    }
}
