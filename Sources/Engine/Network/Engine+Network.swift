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

    /// What a new container gets where nobody said, or said `bridge`: the default network, or without root a program that
    /// leads outward, if one works here.
    func settleNetwork(_ isolation: inout IsolationOptions) throws(EngineError) {
        if case .user(let program) = isolation.network { return try checkNetwork(program) }
        // As the caller means it now: a start may come from anywhere.
        if case .path(let path) = isolation.network { isolation.network = .path(try Engine.absolute(path)) }
        guard rootless != nil else { return }
        if case .cni(let name) = isolation.network {
            throw .invalid(
                "network cni:\(name) takes root's rights: without them there are pasta, slirp4netns, host, none and "
                    + "container:NAME")
        }
        if case .named(let name) = isolation.network {
            throw .invalid(
                "network \(name) takes root's rights: without them there are pasta, slirp4netns, host, none and "
                    + "container:NAME")
        }
        guard isolation.network == .bridge else { return }
        var lack = "without a namespace there is none of one's own"
        if !isEmulated {
            let (program, reasons) = UserNetwork.usual()
            if let program {
                isolation.network = .user(program)
                return
            }
            lack = reasons
        }
        isolation.network = .none
        if isolation.networkAsked {
            notice("no network leads outward here: \(lack); the container runs with --network none")
        }
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

    /// Leads out of the namespace for as long as the process behind `pidfd` lives.
    func leadOutward(_ record: ContainerRecord, _ namespace: NetworkNamespace, pidfd: Int32) throws(EngineError) {
        guard case .user(let program) = record.request.isolation.network else { return }
        let entry = live.path(of: record.id)
        try system { () throws(SystemFailure) in
            try Directory.makePath("\(entry)/\(LiveContainer.networkDirectory)", mode: 0o700)
        }
        let mark = "\(entry)/\(LiveContainer.networkMark)"
        try network { () throws(NetworkError) in
            try program.start(NetworkTarget(namespace: namespace, pidfd: pidfd, mark: mark))
        }
    }
}

extension Spec {
    /// The namespace of this kind is one that is there.
    mutating func join(_ kind: Namespace.Kind, at path: String) {
        linux.namespaces.removeAll { $0.type == kind }
        linux.namespaces.append(Namespace(kind, path: path))
    }
}
