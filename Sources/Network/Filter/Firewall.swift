internal import CLinux
internal import Glibc
package import Sys

/// The kernel's firewall, in the network namespace in which the value was made: two tables of ours by nf_tables(netlink),
/// `inet runimg` and `bridge runimg`. What others have there is not touched. Dropping the value waits for what was
/// removed last, by whomever, to be freed: ten milliseconds (nft_rcv_nl_event waits for RCU).
package struct Firewall: ~Copyable {
    var socket: NetlinkSocket

    package init() throws(NetworkError) {
        do throws(Errno) {
            socket = try NetlinkSocket(NETLINK_NETFILTER)
        } catch  where error == Errno(rawValue: EPROTONOSUPPORT) {
            throw .noFirewall(Firewall.remedy)
        } catch {
            throw .system(SystemFailure("open", "a netlink socket", error))
        }
    }

    /// The socket, for who has the time to wait when it is closed.
    package consuming func release() -> OwnedFD { socket.release() }

    private static let remedy = "the kernel has no nf_tables (sudo modprobe nf_tables)"

    /// The number of changes to all of the kernel's tables, ours and others'.
    package mutating func generation() throws(NetworkError) -> UInt32 {
        var request = NetlinkRequest()
        request.firewall(NFT_MSG_GETGEN, 0, nil) { _ in }
        return try ask(request).flatMap { $0.attributes(after: 4).big(NFTA_GEN_ID.rawValue) } ?? 0
    }

    /// Makes both tables what the state means, in one step: no packet sees anything between.
    package mutating func replace(with state: FirewallState) throws(NetworkError) {
        var batch = FirewallBatch()
        for table in state.tables {
            batch.remove(table.family)
            batch.add(table)
        }
        do throws(NetworkError) {
            try commit(batch)
        } catch .firewallMissing {
            throw .noFirewall("the kernel lacks a part of nf_tables (sudo modprobe -a nft_nat nft_masq nft_fib_inet)")
        }
    }

    /// Neither table is there afterwards.
    package mutating func removeAll() throws(NetworkError) {
        var batch = FirewallBatch()
        batch.remove(.inet)
        batch.remove(.bridge)
        try commit(batch)
    }

    /// Lets a container send from its port, and leads published ports to it: what is there already is no error.
    /// `firewallMissing` where our tables are not there, `firewallChanged` where the generation is another one. Returns the
    /// generation that this made of the expected one.
    @discardableResult
    package mutating func add(
        _ endpoints: [FirewallEndpoint], _ ports: [FirewallPort], expecting generation: UInt32? = nil
    ) throws(NetworkError) -> UInt32? {
        let groups = Firewall.groups(endpoints, ports)
        if groups.isEmpty { return generation }
        var batch = FirewallBatch(expecting: generation)
        for group in groups { batch.add(group.elements, to: group.set, group.family) }
        do throws(NetworkError) {
            try commit(batch)
        } catch .kernel(let refusal) where refusal.errno == .exists || refusal.errno == .busy {
            // A port of a container that nobody took back; its owner can't run, since the port is taken by now.
            try replaceValues(groups, expecting: generation)
        }
        guard let generation else { return nil }
        // A transaction that changes nothing makes no generation. The kernel passes over 0.
        return try self.generation() == generation ? generation : generation == .max ? 1 : generation + 1
    }

    /// Takes the same back: what is not there, or leads elsewhere by now, is no error.
    package mutating func remove(
        _ endpoints: [FirewallEndpoint], _ ports: [FirewallPort]
    ) throws(NetworkError) {
        let groups = Firewall.groups(endpoints, ports)
        if groups.isEmpty { return }
        do throws(NetworkError) {
            try commit(Firewall.removal(of: groups))
        } catch .firewallMissing {
            return
        } catch .kernel(let refusal) where refusal.errno == .exists || refusal.errno == .busy {
            // One of them is somebody else's: then each by itself.
            for group in groups {
                for element in group.elements {
                    try removeOne(Group(family: group.family, set: group.set, elements: [element]))
                }
            }
        }
    }

    /// Elements of one set.
    struct Group {
        let family: RuleTable.Family
        let set: String
        var elements: [RuleElement]
    }

    private static func groups(_ endpoints: [FirewallEndpoint], _ ports: [FirewallPort]) -> [Group] {
        grouped(.bridge, endpoints.flatMap(\.elements)) + grouped(.inet, ports.flatMap(\.elements))
    }

    static func grouped(_ family: RuleTable.Family, _ all: [(set: String, element: RuleElement)]) -> [Group] {
        var result: [Group] = []
        for (set, element) in all {
            if let index = result.firstIndex(where: { $0.set == set }) {
                if !result[index].elements.contains(element) { result[index].elements.append(element) }
            } else {
                result.append(Group(family: family, set: set, elements: [element]))
            }
        }
        return result
    }

    /// Added first, so that there is something to remove: a missing element would fail the whole (nft(8) has `destroy`,
    /// which wants Linux 6.3).
    static func removal(of groups: [Group]) -> FirewallBatch {
        var batch = FirewallBatch()
        for group in groups {
            batch.add(group.elements, to: group.set, group.family)
            batch.remove(group.elements, from: group.set, group.family)
        }
        return batch
    }

    private mutating func removeOne(_ group: Group) throws(NetworkError) {
        do throws(NetworkError) {
            try commit(Firewall.removal(of: [group]))
        } catch .kernel(let refusal) where refusal.errno == .exists || refusal.errno == .busy {
            return
        }
    }

    private mutating func replaceValues(_ groups: [Group], expecting generation: UInt32?) throws(NetworkError) {
        var batch = FirewallBatch(expecting: generation)
        for group in groups {
            let keys = Set(group.elements.map(\.key))
            let present = try elements(of: group.set, group.family).filter { keys.contains($0.key) }
            batch.remove(present, from: group.set, group.family)
            batch.add(group.elements, to: group.set, group.family)
        }
        try commit(batch)
    }

    /// A batch, and what its refusal means.
    mutating func commit(_ batch: FirewallBatch) throws(NetworkError) {
        do throws(NetlinkRefusal) {
            try socket.request(batch.closed, trailing: 1)
        } catch {
            throw Firewall.meaning(error)
        }
    }

    mutating func ask(_ request: NetlinkRequest) throws(NetworkError) -> NetlinkReply? {
        do throws(NetlinkRefusal) {
            return try socket.ask(request)
        } catch {
            throw Firewall.meaning(error)
        }
    }

    static func meaning(_ refusal: NetlinkRefusal) -> NetworkError {
        switch refusal.errno.rawValue {
        case ERESTART: .firewallChanged
        case ENOENT: .firewallMissing
        case EPERM: .noFirewall("only root, with CAP_NET_ADMIN, may change it")
        case EOPNOTSUPP, EPROTONOSUPPORT, EAFNOSUPPORT: .noFirewall(remedy)
        default: .kernel(KernelRefusal("change", "the firewall", refusal))
        }
    }
}
