internal import OCI

extension NetworkPlan {
    /// As asked, and of what is missing: one of version 4, and with `--ipv6` one of version 6.
    func subnets(_ driver: NetworkRecord.Driver) throws(EngineError) -> [NetworkRecord.Subnet] {
        var result = try asked()
        for version in [false, true] where result.count(where: { $0.prefix.isVersion6 == version }) > 1 {
            throw .invalid("\(driver.rawValue) driver doesn't support multiple subnets")
        }
        if !result.contains(where: { !$0.prefix.isVersion6 }) {
            let ours = pools.filter { !$0.base.isVersion6 }
            guard let prefix = SubnetPools.free(in: ours, apartFrom: taken + routes) else {
                throw .invalid("all predefined address pools have been fully subnetted")
            }
            result.append(NetworkRecord.Subnet(prefix))
        }
        if request.hasIPv6, !result.contains(where: \.prefix.isVersion6) {
            let ours = pools.filter(\.base.isVersion6)
            guard let prefix = SubnetPools.free(in: ours, apartFrom: taken + routes) ?? SubnetPools.uniqueLocal() else {
                throw .invalid("all predefined address pools have been fully subnetted")
            }
            result.append(NetworkRecord.Subnet(prefix))
        }
        for index in result.indices { result[index].gateway = try gateway(result[index]) }
        return result.sorted { !$0.prefix.isVersion6 && $1.prefix.isVersion6 }
    }

    private var taken: [IPPrefix] { others.flatMap { $0.subnets.map(\.prefix) } }

    private func gateway(_ subnet: NetworkRecord.Subnet) throws(EngineError) -> IPAddress {
        let prefix = subnet.prefix
        // Its own address and that of broadcasts are nobody's.
        guard prefix.length <= prefix.address.bitCount - 2 else {
            let asked = subnet.gateway.map { "\($0)" } ?? ""
            throw .invalid("failed to allocate gateway (\(asked)): No available addresses on this pool")
        }
        var gateway = subnet.gateway ?? prefix.address.advanced(by: 1)
        if subnet.gateway == nil {
            let reserved = Set(subnet.reserved.values)
            while reserved.contains(gateway) { gateway = gateway.advanced(by: 1) }
        }
        let isTaken = gateway == prefix.address || (gateway == prefix.last && !prefix.isVersion6)
        if isTaken || subnet.reserved.values.contains(gateway) || !prefix.contains(gateway) {
            throw .invalid("failed to allocate gateway (\(gateway)): Address already in use")
        }
        return gateway
    }

    private func asked() throws(EngineError) -> [NetworkRecord.Subnet] {
        var problems: [String] = []
        let result = request.subnets.compactMap { NetworkPlan.subnet($0, &problems) }
        guard problems.isEmpty else {
            let text = problems.count == 1 ? problems[0] : problems.map { "* \($0)" }.joined(separator: "\n")
            throw .invalid("invalid network config:\n\(text)")
        }
        for (index, subnet) in result.enumerated() {
            let earlier = result[..<index].map(\.prefix)
            if (taken + earlier).contains(where: { $0.overlaps(subnet.prefix) }) {
                throw .invalid("invalid pool request: Pool overlaps with other one on this address space")
            }
        }
        return result
    }

    /// All that is wrong with one, in docker's order; nil where there is no telling what was meant.
    private static func subnet(_ asked: NetworkRequest.Subnet, _ problems: inout [String]) -> NetworkRecord.Subnet? {
        guard let prefix = IPPrefix(asked.prefix) else {
            problems.append("invalid subnet \(ForeignText(asked.prefix)): invalid CIDR block notation")
            return nil
        }
        if prefix != prefix.network { problems.append("invalid subnet \(prefix): it should be \(prefix.network)") }
        if prefix.network.address.isMulticast || prefix.network.address.isLoopback || prefix.length == 0 {
            problems.append("invalid subnet \(prefix): its addresses are not for containers")
        }
        var result = NetworkRecord.Subnet(prefix.network)
        result.isAsked = true
        if let text = asked.range { result.range = range(text, in: prefix, &problems) }
        if let text = asked.gateway, !text.isEmpty {
            result.gateway = address(text, in: prefix, "gateway \(ForeignText(text))", &problems)
        }
        for (name, text) in asked.reserved.sorted(by: { $0.key < $1.key }) {
            result.reserved[name] = address(text, in: prefix, "auxiliary address \(ForeignText(name))", &problems)
        }
        return result
    }

    private static func range(_ text: String, in subnet: IPPrefix, _ problems: inout [String]) -> IPPrefix? {
        let what = "invalid ip-range \(ForeignText(text))"
        guard let range = IPPrefix(text) else {
            problems.append("\(what): invalid CIDR block notation")
            return nil
        }
        guard range.isVersion6 == subnet.isVersion6 else {
            problems.append("\(what): parent subnet is an \(word(subnet)) block")
            return nil
        }
        if range.length < subnet.length {
            problems.append("\(what): CIDR block is bigger than its parent subnet \(subnet)")
        }
        if range != range.network { problems.append("\(what): it should be \(range.network)") }
        if !subnet.overlaps(range) { problems.append("\(what): parent subnet \(subnet) doesn't contain ip-range") }
        return range
    }

    private static func address(
        _ text: String, in subnet: IPPrefix, _ what: String, _ problems: inout [String]
    ) -> IPAddress? {
        guard let address = IPAddress(text) else {
            problems.append("invalid \(what): invalid address")
            return nil
        }
        if address.isVersion6 != subnet.isVersion6 {
            problems.append("invalid \(what): parent subnet is an \(word(subnet)) block")
        } else if !subnet.contains(address) {
            problems.append("invalid \(what): parent subnet \(subnet) doesn't contain this address")
        }
        return address
    }

    private static func word(_ prefix: IPPrefix) -> String { prefix.isVersion6 ? "IPv6" : "IPv4" }
}
