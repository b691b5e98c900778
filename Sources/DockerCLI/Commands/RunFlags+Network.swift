internal import Engine

extension RunFlags {
    /// What a container is on its network: addresses, names, and where it asks for others'.
    static let addressing: [RunFlag] = [
        .value("ip", takes: .text, "IPv4 address on the network") { (draft, text) throws(ValueError) in
            draft.endpoint.address = text.isEmpty ? nil : try Addresses.version4(text)
        },
        .value("ip6", takes: .text, "IPv6 address on the network") { (draft, text) throws(ValueError) in
            draft.endpoint.address6 = text.isEmpty ? nil : try Addresses.version6(text)
        },
        .value("mac-address", takes: .text, "MAC address on the network") { (draft, text) throws(ValueError) in
            draft.endpoint.mac = text.isEmpty ? nil : try Addresses.mac(text)
        },
        alias("network-alias"),
        alias("net-alias").hidden(),
        .value("dns", type: "list", takes: .text, "DNS server") { (draft, text) throws(ValueError) in
            draft.networking.dns.servers.append(try Addresses.server(text))
        },
        .value("dns-search", type: "list", takes: .text, "DNS search domain; . for none") {
            (draft, text) throws(ValueError) in
            draft.networking.dns.search.append(try Addresses.searchDomain(text))
        },
        resolverOption("dns-option"),
        resolverOption("dns-opt").hidden(),
        .value("add-host", type: "list", takes: .text, "Line for /etc/hosts: NAME:IP, or NAME:host-gateway") {
            (draft, text) throws(ValueError) in
            draft.networking.extraHosts.append(try Addresses.extraHost(text))
        },
    ]

    private static func alias(_ name: String) -> RunFlag {
        .value(name, type: "list", takes: .text, "Further name on the network") { (draft, text) throws(ValueError) in
            draft.endpoint.aliases.append(try Names.hostWord(text, flag: "--\(name)"))
        }
    }

    private static func resolverOption(_ name: String) -> RunFlag {
        .value(name, type: "list", takes: .text, "Option of the DNS resolver") { (draft, text) throws(ValueError) in
            draft.networking.dns.options.append(try Names.hostWord(text, flag: "--\(name)"))
        }
    }
}

extension RunDraft {
    /// The flags that say how the container is on a network hold for the first one.
    mutating func addNetworking(_ choices: NetworkChoices) throws(ValueError) {
        var options = networking
        options.endpoints = choices.endpoints
        var first = choices.endpoints.first ?? EndpointOptions(network: choices.mode.rawValue)
        func refuse(_ flag: String, _ what: String) -> ValueError {
            .plain("conflicting options: cannot specify both --\(flag) and per-network \(what)")
        }
        if !endpoint.aliases.isEmpty {
            if !first.aliases.isEmpty { throw refuse("network-alias", "alias") }
            first.aliases = endpoint.aliases
        }
        if let address = endpoint.address {
            if first.address != nil { throw refuse("ip", "IPv4 address") }
            first.address = address
        }
        if let address = endpoint.address6 {
            if first.address6 != nil { throw refuse("ip6", "IPv6 address") }
            first.address6 = address
        }
        if let mac = endpoint.mac {
            if first.mac != nil { throw refuse("mac-address", "MAC address") }
            first.mac = mac
        }
        switch choices.mode {
        case .named, .cni: options.endpoints[0] = first
        default:
            options.mac = first.mac
            // The engine says what these modes have not.
            let isAsking = first.address != nil || first.address6 != nil || !first.aliases.isEmpty
            options.endpoints = isAsking ? [first] : []
        }
        request.networking = options == NetworkOptions() ? nil : options
    }
}

extension NetworkMode {
    /// Whether the network is neither the host's nor another container's.
    var hasOwnInterfaces: Bool {
        switch self {
        case .host, .container, .path: false
        case .none, .bridge, .named, .cni, .user: true
        }
    }
}
