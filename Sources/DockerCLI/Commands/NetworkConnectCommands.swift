package import Engine
internal import OCI

/// `network connect [OPTIONS] NETWORK CONTAINER`.
package enum NetworkConnectCommand: Command {
    package struct Draft: Sendable { package var endpoint = EndpointOptions(network: "") }

    package static let info = CommandInfo(
        path: "network connect", synopsis: "[OPTIONS] NETWORK CONTAINER", summary: "Put a container on a network",
        aliases: ["network connect"], arguments: .exactly(2), operands: [.network, .container(.any)])
    package static let flags = FlagTable<Draft>([
        .value("alias", type: "strings", takes: .text, "Further name of the container on the network") {
            (draft, text) throws(ValueError) in
            for name in text.pieces(",") {
                draft.endpoint.aliases.append(try Names.hostWord(name, flag: "--alias"))
            }
        },
        .value("ip", takes: .text, "IPv4 address") { (draft, text) throws(ValueError) in
            draft.endpoint.address = text.isEmpty ? nil : try Addresses.version4(text)
        },
        .value("ip6", takes: .text, "IPv6 address") { (draft, text) throws(ValueError) in
            draft.endpoint.address6 = text.isEmpty ? nil : try Addresses.version6(text)
        },
        // podman's.
        .value("mac-address", takes: .text, "MAC address") { (draft, text) throws(ValueError) in
            draft.endpoint.mac = text.isEmpty ? nil : try Addresses.mac(text)
        },
        .planned("driver-opt", type: "strings", "Option of the driver"),
        .planned("gw-priority", type: "int", "Priority of its gateway", neutral: "0"),
        .planned("link", type: "list", "Link to another container"),
        .planned("link-local-ip", type: "strings", "Link-local addresses"),
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        var endpoint = draft.endpoint
        endpoint.network = arguments[0]
        try context.engine().connectNetwork(arguments[0], container: arguments[1], endpoint)
        return 0
    }
}

/// `network disconnect [OPTIONS] NETWORK CONTAINER`.
package enum NetworkDisconnectCommand: Command {
    package struct Draft: Sendable { package var force = false }

    package static let info = CommandInfo(
        path: "network disconnect", synopsis: "[OPTIONS] NETWORK CONTAINER",
        summary: "Take a container off a network", aliases: ["network disconnect"], arguments: .exactly(2),
        operands: [.network, .container(.any)])
    package static let flags = FlagTable<Draft>([
        .bool("force", short: "f", "Also a container that is not there any more") { $0.force = $1 }
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        try context.engine().disconnectNetwork(arguments[0], container: arguments[1], force: draft.force)
        return 0
    }
}
