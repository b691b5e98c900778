package import OCI

// Networks in the records of containers and of what runs.

extension NetworkOptions: FieldRecord {
    package static let blank = NetworkOptions()

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("endpoints", &endpoints)
        try coder.field("published", &published)
        try coder.field("publishesAll", &publishesAll)
        try coder.field("exposed", &exposed)
        try coder.field("dns", &dns)
        try coder.field("extraHosts", &extraHosts)
        try coder.field("mac", &mac)
    }
}

extension DNSOptions: FieldRecord {
    package static let blank = DNSOptions()

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("servers", &servers)
        try coder.field("search", &search)
        try coder.field("options", &options)
    }
}

extension ExtraHost: FieldRecord {
    package static let blank = ExtraHost(name: "", address: nil)

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("name", &name, .required)
        try coder.field("address", &address)
    }
}

extension EndpointOptions: FieldRecord {
    package static let blank = EndpointOptions(network: "")

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("network", &network, .required)
        try coder.field("aliases", &aliases)
        try coder.field("address", &address)
        try coder.field("address6", &address6)
        try coder.field("mac", &mac)
    }
}

extension NetworkRecord: FieldRecord {
    package static let blank = NetworkRecord(id: "", name: "", created: "")

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("version", &version)
        try coder.field("id", &id, .required)
        try coder.field("name", &name, .required)
        try coder.field("created", &created, .required)
        try coder.field("driver", &driver, .required)
        try coder.field("subnets", &subnets, .required)
        try coder.field("isInternal", &isInternal, .required)
        try coder.field("hasIPv6", &hasIPv6, .required)
        try coder.field("labels", &labels, .required)
        try coder.field("options", &options, .required)
    }
}

extension NetworkRecord.Driver: FieldValue {}

extension NetworkRecord.Subnet: FieldRecord {
    package static let blank = NetworkRecord.Subnet(IPPrefix.all4)

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("prefix", &prefix, .required)
        try coder.field("gateway", &gateway)
        try coder.field("range", &range)
        try coder.field("reserved", &reserved, .written)
        try coder.field("isAsked", &isAsked, .written)
    }
}

extension Endpoint: FieldRecord {
    package static let blank = Endpoint(
        network: "", networkName: "", driver: .bridge, link: "", port: nil, interface: "", mac: MACAddress(of: .any4),
        addresses: [], gateways: [], aliases: [])

    package mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("network", &network, .required)
        try coder.field("networkName", &networkName, .required)
        try coder.field("driver", &driver, .required)
        try coder.field("link", &link, .required)
        try coder.field("port", &port)
        try coder.field("interface", &interface, .required)
        try coder.field("mac", &mac, .required)
        try coder.field("addresses", &addresses, .required)
        try coder.field("gateways", &gateways, .required)
        try coder.field("aliases", &aliases, .required)
    }
}

extension ActiveNetwork: FieldRecord {
    static let blank = ActiveNetwork(
        id: "", name: "", driver: .bridge, link: "", index: 0, mtu: 0, subnets: [], isInternal: false)

    mutating func fields<Coder: FieldCoder>(_ coder: inout Coder) throws(Coder.Failure) {
        try coder.field("id", &id, .required)
        try coder.field("name", &name, .required)
        try coder.field("driver", &driver, .required)
        try coder.field("link", &link, .required)
        try coder.field("index", &index, .required)
        try coder.field("mtu", &mtu, .required)
        try coder.field("subnets", &subnets, .required)
        try coder.field("isInternal", &isInternal, .required)
        try coder.field("masquerades", &masquerades, .required)
        try coder.field("allowsPeers", &allowsPeers, .required)
        try coder.field("isOwn", &isOwn, .required)
        try coder.field("mode", &mode)
    }
}
