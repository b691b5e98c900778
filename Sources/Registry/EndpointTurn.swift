/// One endpoint's turn at a request. As long as others are to be asked as well it is left soon: for being slower than a
/// floor, for a status that says it is busy, at the second broken connection. Who fails so has a patient turn when all
/// others have failed.
struct EndpointTurn {
    /// Its place in the list.
    let index: Int
    let session: EndpointSession
    var isPatient: Bool

    var endpoint: Endpoint { session.endpoint }

    func send(_ ask: EndpointSession.Ask, into sink: any BodySink) throws(Fault) -> ResponseHead {
        var ask = ask
        ask.isPatient = isPatient
        return try session.send(ask, into: sink)
    }

    /// Whether the same request is made here once more, `retry` times after the first.
    func repeats(_ fault: Fault, retry: Int, _ policy: RetryPolicy) -> Bool {
        // A place that never served is most likely not there; waiting for it would only hide that.
        if case .unreachable = fault, !session.hasServed { return false }
        if isPatient { return fault.isPassing && retry < policy.retries }
        guard case .broken = fault else { return false }
        return retry < min(policy.retries, policy.retriesBeside)
    }

    /// Whether it is worth a patient turn later.
    func comesAgain(after fault: Fault) -> Bool {
        if case .unreachable = fault, !session.hasServed { return false }
        return !isPatient && fault.isPassing
    }
}

/// Where the bytes of a download came from, kept from one call to the next.
struct DownloadRecord {
    /// Stands for bytes that were there before.
    static let unknown = -1

    /// The endpoints whose bytes the last call left in the file.
    var givers: Set<Int> = []
    /// Those that gave the whole of it alone, and it was wrong.
    var liars: Set<Int> = []
    /// Its bytes were wrong once: from then on all of them come from one endpoint, so that it is known whose they are.
    var isDoubted = false
}
