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
    private let sessions: [EndpointSession]
    private let memory = Mutex(Memory())

    private struct Memory {
        /// The position of the endpoint that served last.
        var preferred = 0
        /// Which endpoints a download came from. Who asks for the same once more could not use what they gave.
        var downloads: [Digest: Set<Int>] = [:]
    }

    package init(
        reference: Reference, configuration: RegistryConfiguration, observer: RegistryObserver = RegistryObserver()
    ) throws(RegistryError) {
        self.reference = reference
        transport = try Transport(configuration: configuration, observer: observer)
        let certificates = CertificateCache(configuration)
        var sessions: [EndpointSession] = []
        for endpoint in try Resolver.endpoints(for: reference, configuration: configuration) {
            try certificates.load(endpoint)
            let credential = configuration.credentials.credential(
                for: endpoint, environment: configuration.environment, warn: observer.warning)
            sessions.append(
                EndpointSession(
                    endpoint: endpoint, credential: credential, transport: transport, certificates: certificates))
        }
        self.sessions = sessions
    }

    /// Where requests go, in order.
    package var endpoints: [Endpoint] { sessions.map(\.endpoint) }

    var observer: RegistryObserver { transport.observer }

    // MARK: Tries

    /// Calls `body` with one endpoint after the other until it succeeds. `furthest` says how far a download got;
    /// `isDownload` that its caller checks what comes.
    func attempt<Value>(
        _ what: String, digest: Digest? = nil, isDownload: Bool = false, furthest: () -> Int64 = { 0 },
        _ body: (EndpointSession) throws(Fault) -> Value
    ) throws(RegistryError) -> Value {
        var failures: [EndpointFailure] = []
        for index in order(isDownload ? digest : nil) {
            let session = sessions[index]
            do throws(Fault) {
                let value = try repeating(session, digest, furthest: furthest, body)
                memory.withLock { memory in
                    memory.preferred = index
                    if isDownload, let digest { memory.downloads[digest, default: []].insert(index) }
                }
                return value
            } catch .interrupted {
                throw .interrupted
            } catch .file(let operation, let errno) {
                throw .file(SystemFailure(operation, "download of \(what)", errno))
            } catch {
                if error.isPassing { session.isSick = true }
                failures.append(
                    EndpointFailure(endpoint: session.endpoint.name, role: session.endpoint.role, fault: error))
            }
        }
        throw RegistryError(what: what, repository: reference.familiarRepository, tried: failures)
    }

    /// The one that served last first; those whose tries were used up, and those that gave this download before, last.
    private func order(_ download: Digest?) -> [Int] {
        let (preferred, doubted) = memory.withLock { memory in
            (memory.preferred, download.flatMap { memory.downloads[$0] } ?? [])
        }
        func rank(_ index: Int) -> Int {
            let last = doubted.contains(index) ? 4 : 0
            return last + (sessions[index].isSick ? 2 : 0) + (index == preferred ? 0 : 1)
        }
        return sessions.indices.sorted { (rank($0), $0) < (rank($1), $1) }
    }

    /// Repeats `body` at one endpoint while its faults are passing ones, with growing pauses.
    private func repeating<Value>(
        _ session: EndpointSession, _ digest: Digest?, furthest: () -> Int64,
        _ body: (EndpointSession) throws(Fault) -> Value
    ) throws(Fault) -> Value {
        let policy = transport.configuration.retry
        var retry = 0
        var mark = furthest()
        while true {
            do throws(Fault) {
                return try body(session)
            } catch {
                if furthest() - mark >= policy.progressThatCounts {
                    mark = furthest()
                    retry = 0
                }
                // A place that never served is most likely not there; waiting for it would only hide that.
                if case .unreachable = error, !session.hasServed { throw error }
                guard error.isPassing, retry < policy.retries else { throw error }
                retry += 1
                let seconds = pause(policy, retry, error)
                observer.retrying(
                    RetryNotice(
                        digest: digest, endpoint: session.endpoint.name, reason: "\(error)", seconds: seconds,
                        retry: retry))
                try sleep(seconds)
            }
        }
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
