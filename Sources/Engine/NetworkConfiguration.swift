internal import OCI

/// The keys of a configuration file that are about networks, docker's and `publish-mode`.
struct NetworkKeys: FieldRecord {
    static let blank = NetworkKeys()

    var dns: [String]?
    var dnsSearch: [String]?
    var dnsOptions: [String]?
    var bip: String?
    var pools: [Pool]?
    var mtu: Int?
    var publishAddress: String?
    var connectsContainers: Bool?
    var masquerades: Bool?
    var publishMode: String?
    var cniConfigurations: String?
    var cniPlugins: String?

    struct Pool: FieldRecord {
        static let blank = Pool(base: "", size: 0)
        var base: String
        var size: Int

        mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
            try coder.field("base", &base, .required)
            try coder.field("size", &size, .required)
        }
    }

    mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("dns", &dns)
        try coder.field("dns-search", &dnsSearch)
        try coder.field("dns-opts", &dnsOptions)
        try coder.field("bip", &bip)
        try coder.field("default-address-pools", &pools)
        try coder.field("mtu", &mtu)
        try coder.field("ip", &publishAddress)
        try coder.field("icc", &connectsContainers)
        try coder.field("ip-masq", &masquerades)
        try coder.field("publish-mode", &publishMode)
        try coder.field("cni-conf-dir", &cniConfigurations)
        try coder.field("cni-bin-dir", &cniPlugins)
    }

    /// Sets what is asked; throws what is wrong with it. The address of docker's bridge is docker's.
    func apply(to configuration: inout Configuration, isDockers: Bool) throws(Fault) {
        for text in dns ?? [] {
            guard let address = IPAddress(text) else { throw Fault("dns: \"\(ForeignText(text))\" is no IP address") }
            configuration.dns.servers.append(address)
        }
        configuration.dns.search = try words(dnsSearch, "dns-search")
        configuration.dns.options = try words(dnsOptions, "dns-opts")
        if let bip, !isDockers {
            guard let prefix = IPPrefix(bip), !prefix.isVersion6, (1...30).contains(prefix.length),
                prefix.address != prefix.network.address, prefix.address != prefix.last
            else { throw Fault("bip: \"\(ForeignText(bip))\" is no address with a prefix length, as 172.17.0.1/16") }
            configuration.bridgeAddress = prefix
        }
        configuration.addressPools = try addressPools()
        if let mtu {
            guard mtu == 0 || (68...65_535).contains(mtu) else { throw Fault("mtu: \(mtu) is not from 68 to 65535") }
            configuration.mtu = mtu == 0 ? nil : mtu
        }
        if let publishAddress {
            guard let address = IPAddress(publishAddress) else {
                throw Fault("ip: \"\(ForeignText(publishAddress))\" is no IP address")
            }
            configuration.publishAddress = address
        }
        configuration.connectsContainers = connectsContainers
        configuration.masquerades = masquerades
        try setForeign(&configuration)
        if let publishMode {
            guard let mode = Configuration.PublishMode(rawValue: publishMode) else {
                throw Fault("publish-mode: \"\(ForeignText(publishMode))\" is neither nft nor proxy")
            }
            configuration.publishMode = mode
        }
    }

    private func setForeign(_ configuration: inout Configuration) throws(Fault) {
        for (key, path) in [("cni-conf-dir", cniConfigurations), ("cni-bin-dir", cniPlugins)] {
            if let path, !path.hasPrefix("/") { throw Fault("\(key): \"\(ForeignText(path))\" is no absolute path") }
        }
        configuration.cniConfigurations = cniConfigurations
        configuration.cniPlugins = cniPlugins
    }

    struct Fault: Error {
        let reason: String

        init(_ reason: String) { self.reason = reason }
    }

    /// They become words of a line.
    private func words(_ texts: [String]?, _ key: String) throws(Fault) -> [String] {
        for text in texts ?? [] where !HostsText.isName(text) {
            throw Fault("\(key): \"\(ForeignText(text))\" is not one word")
        }
        return texts ?? []
    }

    private func addressPools() throws(Fault) -> [AddressPool]? {
        guard let pools, !pools.isEmpty else { return nil }
        var result: [AddressPool] = []
        for pool in pools {
            guard let base = IPPrefix(pool.base) else {
                throw Fault(
                    "default-address-pools: \"\(ForeignText(pool.base))\" is no range of addresses, as 10.10.0.0/16")
            }
            // A network needs an address, a gateway and one that is broadcast to.
            guard base.length > 0, pool.size >= base.length, pool.size <= base.address.bitCount - 2 else {
                throw Fault("default-address-pools: subnets of size \(pool.size) do not fit into \(base)")
            }
            result.append(AddressPool(base, size: pool.size))
        }
        return result
    }
}
