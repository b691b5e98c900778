internal import Network
internal import OCI
internal import Runtime
internal import Sys

/// A container's way out of its own network namespace.
extension Engine {
    /// The programs that lead outward and work here.
    var usableNetworks: [String] {
        rootless == nil || isEmulated ? [] : UserNetwork.allCases.filter { $0.obstacle == nil }.map(\.rawValue)
    }

    /// What a new container gets where nobody said, or said `bridge`: without root a program that leads outward, if one
    /// works here; else nothing yet.
    func settleNetwork(_ isolation: inout IsolationOptions) throws(EngineError) {
        if case .user(let program) = isolation.network { return try checkNetwork(program) }
        guard isolation.network == .bridge else { return }
        isolation.network = .none
        var lack = "network bridge is not supported yet (planned)"
        if rootless != nil, !isEmulated {
            let (program, reasons) = UserNetwork.usual()
            if let program {
                isolation.network = .user(program)
                return
            }
            lack = "no network leads outward here: \(reasons)"
        }
        if isolation.networkAsked { notice("\(lack); the container runs with --network none") }
    }

    private func checkNetwork(_ program: UserNetwork) throws(EngineError) {
        if rootless == nil {
            throw .invalid(
                "network \(program.rawValue) is for those who have no root; with root there are host, none and "
                    + "container:NAME")
        }
        // Without namespaces any network of one's own is refused, in words of its own.
        if !isEmulated, let obstacle = program.obstacle { throw .network(.unusable(program, obstacle)) }
    }

    /// The namespace that is connected before the container's program runs; nil where the launch makes it.
    func networkNamespace(_ record: ContainerRecord) throws(EngineError) -> NetworkNamespace? {
        guard case .user = record.request.isolation.network else { return nil }
        return try network { () throws(NetworkError) in try NetworkNamespace() }
    }

    /// Leads out of the namespace for as long as the process behind `pidfd` lives.
    func connect(_ record: ContainerRecord, _ namespace: NetworkNamespace?, pidfd: Int32) throws(EngineError) {
        guard let namespace, case .user(let program) = record.request.isolation.network else { return }
        let entry = live.path(of: record.id)
        try system { () throws(SystemFailure) in
            try Directory.makePath("\(entry)/\(LiveContainer.networkDirectory)", mode: 0o700)
        }
        let mark = "\(entry)/\(LiveContainer.networkMark)"
        try network { () throws(NetworkError) in
            try program.start(NetworkTarget(namespace: namespace, pidfd: pidfd, mark: mark))
        }
    }

    /// Ends what has led out of it, where the container's end has not done that.
    func disconnect(_ record: ContainerRecord) throws(EngineError) {
        guard case .user = record.request.isolation.network else { return }
        let entry = live.path(of: record.id)
        try call("take the network from", entry) { () throws(Errno) in try LiveContainers.removeNetwork(entry) }
    }
}

private func network<T>(_ body: () throws(NetworkError) -> T) throws(EngineError) -> T {
    do throws(NetworkError) {
        return try body()
    } catch {
        throw .network(error)
    }
}

extension Spec {
    /// The namespace of this kind is one that is there.
    mutating func join(_ kind: Namespace.Kind, at path: String) {
        linux.namespaces.removeAll { $0.type == kind }
        linux.namespaces.append(Namespace(kind, path: path))
    }
}
