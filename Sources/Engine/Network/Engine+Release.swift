internal import Network
internal import OCI
internal import Sys

extension Engine {
    /// Takes a container off its networks, by what its entry says: the way out that a program has made, the process that
    /// holds its ports, its places in the firewall, its names and its addresses. All of it can be done again. `keep` is lent a
    /// socket that takes the kernel time to close: who keeps it open spares us that.
    func disconnect(_ id: String, _ state: LiveState, keep: (Int32) -> Void = { _ in }) throws(EngineError) {
        let entry = live.path(of: id)
        if let attachments = state.attachments { detachForeign(attachments, entry) }
        if state.endpoints == nil, state.holder == nil, !File.exists("\(entry)/\(LiveContainer.networkDirectory)") {
            return
        }
        try call("take the network from", entry) { () throws(Errno) in try LiveContainers.removeNetwork(entry) }
        if let holder = state.holder {
            try network { () throws(NetworkError) in
                try PortHolder(pid: holder.pid, startTime: holder.startTime).stop()
            }
        }
        // On those of CNI's nothing else is ours.
        guard state.attachments == nil, state.endpoints != nil, let namespace = state.networkNamespace else { return }
        let host: HostNetworks
        do throws(EngineError) {
            host = try HostNetworks(identity: namespace)
        } catch .system(let failure) where failure.errno == .noEntry {
            return
        }
        let socket = try release(state, of: id, host)
        _ = consume host
        if let socket { keep(socket.raw) }
    }

    /// The part of it that takes the right to change the host's networks. The links go with the container's namespace: to
    /// delete them takes the kernel 15 ms, and what outlives the container in its namespace is cut off by the firewall.
    @discardableResult
    func release(
        _ state: LiveState, of id: String, _ host: borrowing HostNetworks
    ) throws(EngineError) -> OwnedDescriptor? {
        let socket: OwnedDescriptor?
        do throws(EngineError) {
            socket = try host.expel(state)
        } catch {
            // Whatever becomes of the entry: the next start looks at the firewall.
            try? host.setGeneration(nil)
            throw error
        }
        for endpoint in state.endpoints ?? [] {
            dismiss(id, endpoint, host)
            giveBack(endpoint, of: id, host)
        }
        return socket
    }

    /// What can't be given back is free when the holder's entry has gone.
    func giveBack(_ endpoint: Endpoint, of id: String, _ host: borrowing HostNetworks) {
        let leases = host.leases(endpoint.network)
        for prefix in endpoint.addresses { try? leases.release(prefix.address, of: live.path(of: id)) }
    }
}
