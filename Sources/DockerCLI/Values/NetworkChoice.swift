package import Engine
internal import OCI

/// `--network`, in its short and long forms.
package struct NetworkChoice: Sendable, Hashable {
    /// With what the long form says of the container on that network.
    package var endpoint: EndpointOptions
    /// Whether the long form says something.
    package var hasOptions = false

    package var name: String { endpoint.network }

    package init(_ name: String) { endpoint = EndpointOptions(network: name) }

    static let values = ValueKind.either([
        .words(NetworkMode.names), .network, .prefixed("container:", .container(.running)),
        .prefixed(NetworkMode.pathPrefix, .file),
    ])

    /// What podman has with options of its own, `slirp4netns:mtu=1500`.
    private static let podmanModes = ["pasta:", "slirp4netns:"]

    package static func parse(_ text: String) throws(ValueError) -> NetworkChoice {
        guard text.contains("="), !(podmanModes + [NetworkMode.pathPrefix]).contains(where: text.hasPrefix) else {
            return NetworkChoice(text)
        }
        var choice = NetworkChoice("")
        for field in try CommaSeparated.fields(text) {
            let (key, value) = field.cut("=")
            guard let value else { throw .invalid("invalid field \(field)") }
            if key.lowercased() == "name" {
                choice.endpoint.network = value
            } else {
                try choice.set(key.lowercased(), value)
                choice.hasOptions = true
            }
        }
        return choice
    }

    private mutating func set(_ key: String, _ value: String) throws(ValueError) {
        switch key {
        case "alias": endpoint.aliases.append(try Names.hostWord(value, flag: "alias"))
        case "ip": endpoint.address = try Addresses.version4(value)
        case "ip6": endpoint.address6 = try Addresses.version6(value)
        case "mac-address": endpoint.mac = try Addresses.mac(value)
        case "gw-priority": if value != "0" { throw .planned("gw-priority of a network") }
        case "link-local-ip", "driver-opt": throw .planned("\(key) of a network")
        default: throw .invalid("invalid field key \(key)")
        }
    }

    /// The mode of the container, and its places on networks that were made.
    package static func resolve(_ choices: [NetworkChoice]) throws(ValueError) -> NetworkChoices {
        var seen: Set<String> = []
        let modes = NetworkMode.names + ["default"]
        for choice in choices {
            if choice.name.isEmpty { throw .plain("no name set for network") }
            if choices.count > 1, !seen.insert(choice.name).inserted {
                throw .plain("network \(GoValue.quoted(choice.name)) is specified multiple times")
            }
        }
        if choices.count > 1,
            choices.contains(where: { choice in
                modes.contains(choice.name)
                    || ["container:", NetworkMode.pathPrefix].contains(where: choice.name.hasPrefix)
            })
        {
            throw .plain(
                "conflicting options: cannot attach both user-defined and non-user-defined network-modes")
        }
        guard let choice = choices.first else { return NetworkChoices(mode: .bridge, asked: false) }
        switch choice.name {
        case "bridge", "default":
            var endpoint = choice.endpoint
            endpoint.network = "bridge"
            return NetworkChoices(mode: .bridge, asked: true, endpoints: choice.hasOptions ? [endpoint] : [])
        case _ where NetworkMode.names.contains(choice.name):
            if choice.hasOptions { throw .plain("options of a network cannot be used with --network \(choice.name)") }
            guard let mode = NetworkMode(rawValue: choice.name) else { break }
            return NetworkChoices(mode: mode, asked: true)
        case _ where choice.name == "container" || choice.name.hasPrefix("container:"):
            guard let mode = NetworkMode(rawValue: choice.name), mode != .container(""), mode != .named("container")
            else {
                throw .plain("invalid network mode: invalid container format container:<name|id>")
            }
            if case .container(let owner) = mode { try Names.checkReference(owner) }
            if choice.hasOptions {
                throw .plain("options of a network cannot be used with --network \(Names.printable(choice.name))")
            }
            return NetworkChoices(mode: mode, asked: true)
        case _ where choice.name.hasPrefix(NetworkMode.pathPrefix):
            return try foreignNamespace(choice)
        case _ where choices.contains(where: { $0.name.hasPrefix(NetworkMode.foreignPrefix) }):
            return try foreignNetworks(choices)
        case _ where podmanModes.contains(where: choice.name.hasPrefix):
            throw .planned("--network \(Names.printable(choice.name))")
        default: break
        }
        for name in choices.map(\.name) {
            if podmanModes.contains(where: name.hasPrefix) { throw .planned("--network \(Names.printable(name))") }
            // Before anything is looked for.
            if !ResourceName.isNetwork(name) { throw .plain("network \(Names.printable(name)) not found") }
        }
        return NetworkChoices(mode: .named(choice.name), asked: true, endpoints: choices.map(\.endpoint))
    }

    private static func foreignNamespace(_ choice: NetworkChoice) throws(ValueError) -> NetworkChoices {
        let path = choice.name.dropFirst(NetworkMode.pathPrefix.count)
        if path.isEmpty { throw .plain("invalid network mode: ns: takes the path of a network namespace, ns:PATH") }
        if choice.hasOptions {
            throw .plain("options of a network cannot be used with --network \(Names.printable(choice.name))")
        }
        return NetworkChoices(mode: .path(String(path)), asked: true)
    }

    private static func foreignNetworks(_ choices: [NetworkChoice]) throws(ValueError) -> NetworkChoices {
        for choice in choices where !choice.name.hasPrefix(NetworkMode.foreignPrefix) {
            throw .plain("conflicting options: cannot attach both CNI's and other networks")
        }
        let names = choices.map { String($0.name.dropFirst(NetworkMode.foreignPrefix.count)) }
        for name in names where name.isEmpty {
            throw .plain("invalid network mode: cni: takes the name of a network, cni:NAME")
        }
        return NetworkChoices(mode: .cni(names[0]), asked: true, endpoints: choices.map(\.endpoint))
    }
}

package struct NetworkChoices: Sendable, Hashable {
    package var mode: NetworkMode
    package var asked: Bool
    /// One for each network that was made; what is asked of the default network, which the engine refuses.
    package var endpoints: [EndpointOptions] = []
}
