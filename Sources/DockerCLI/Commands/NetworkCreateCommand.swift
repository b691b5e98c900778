package import Engine
internal import OCI

/// `network create [OPTIONS] NETWORK`.
package enum NetworkCreateCommand: Command {
    package struct Draft: Sendable {
        package var request = NetworkRequest(name: "")
        var subnets = SubnetFlags()
    }

    package static let info = CommandInfo(
        path: "network create", synopsis: "[OPTIONS] NETWORK", summary: "Make a network", aliases: ["network create"],
        arguments: .exactly(1), operands: [.text])
    package static let flags = FlagTable<Draft>([{ kind }, { addresses }, { outside }])

    private static let kind: [Flag<Draft>] = [
        .value(
            "driver", short: "d", takes: .names(of: NetworkRecord.Driver.self), "Driver: bridge or macvlan",
            default: "\"bridge\""
        ) {
            $0.request.driver = $1
        },
        .bool("internal", "Let nothing of it lead to the outside") { $0.request.isInternal = $1 },
        .bool("ipv6", "Give containers an IPv6 address as well") { $0.request.hasIPv6 = $1 },
        .planned("ipv4", type: "bool", "Give containers an IPv4 address", neutral: "true"),
        .value("label", type: "list", takes: .text, "Label: KEY=VALUE") { (draft, text) throws(ValueError) in
            let label = try Names.label(text)
            draft.request.labels[label.name] = label.value ?? ""
        },
        .value("opt", short: "o", type: "map", takes: options, "Option of the driver: KEY=VALUE", default: "map[]") {
            (draft, text) throws(ValueError) in
            let (key, value) = try Names.clean(text, flag: "--opt").cut("=")
            draft.request.options[key] = value ?? ""
        },
    ]

    private static let addresses: [Flag<Draft>] = [
        .value("subnet", type: "strings", takes: .text, "Subnet, as 10.1.0.0/16") { $0.subnets.add($1, to: \.subnets) },
        .value("ip-range", type: "strings", takes: .text, "Part of a subnet from which containers get addresses") {
            $0.subnets.add($1, to: \.ranges)
        },
        .value("gateway", type: "strings", takes: .text, "The host's address in a subnet") {
            $0.subnets.add($1, to: \.gateways)
        },
        .value(
            "aux-address", type: "map", takes: .text, "Address that is somebody else's: NAME=ADDRESS", default: "map[]"
        ) {
            (draft, text) throws(ValueError) in
            let (name, value) = try Names.clean(text, flag: "--aux-address").cut("=")
            draft.subnets.reserved[name] = value ?? ""
        },
    ]

    /// Of clusters, and of other programs for addresses.
    private static let outside: [Flag<Draft>] = [
        .value("ipam-driver", takes: .words(["default"]), "Who deals out addresses", default: "\"default\"") {
            (_, text) throws(ValueError) in
            guard text == "default" else { throw .plain("plugin \(GoValue.quoted(text)) not found") }
        },
        .planned("ipam-opt", type: "map", "Option of who deals out addresses"),
        .value("scope", takes: .words(["local"]), "Scope: local") { (_, text) throws(ValueError) in
            guard text == "local" || text.isEmpty else { throw .plain("--scope \(Names.printable(text)): \(cluster)") }
        },
        .refused(
            "attachable", type: "bool", "Let containers join a service's network", reason: cluster, neutral: "false"),
        .refused("ingress", type: "bool", "Routing mesh of a cluster", reason: cluster, neutral: "false"),
        .refused("config-only", type: "bool", "Configuration for others", reason: cluster, neutral: "false"),
        .refused("config-from", type: "string", "Network whose configuration is taken", reason: cluster),
    ]

    private static let cluster = "clusters are not part of runimg"
    private static let options = ValueKind.either([
        .prefixed("\(NetworkOptionKey.bridgeName)=", .text),
        .prefixed("\(NetworkOptionKey.connectsContainers)=", .boolean),
        .prefixed("\(NetworkOptionKey.masquerades)=", .boolean),
        .prefixed("\(NetworkOptionKey.publishAddress)=", .text), .prefixed("\(NetworkOptionKey.mtu)=", .text),
        .prefixed("\(NetworkOptionKey.parent)=", .text),
        .prefixed("\(NetworkOptionKey.macvlanMode)=", .words(["bridge"])),
    ])

    package static func newDraft(_ context: CommandContext) -> Draft { Draft() }

    package static func execute(_ draft: Draft, _ arguments: [String], _ context: CommandContext) throws -> Int32 {
        var request = draft.request
        request.name = try Names.network(arguments[0])
        request.subnets = try draft.subnets.resolve()
        context.output.line(try context.engine().createNetwork(request).record.id)
        return 0
    }
}

/// `--subnet` and what belongs to one, in flags of their own: docker finds together what fits.
struct SubnetFlags: Sendable {
    var subnets: [String] = []
    var ranges: [String] = []
    var gateways: [String] = []
    var reserved: [String: String] = [:]

    mutating func add(_ text: String, to list: WritableKeyPath<SubnetFlags, [String]>) {
        self[keyPath: list] += text.pieces(",")
    }

    func resolve() throws(ValueError) -> [NetworkRequest.Subnet] {
        guard subnets.count >= ranges.count, subnets.count >= gateways.count else {
            throw .plain("every ip-range or gateway must have a corresponding subnet")
        }
        let prefixes = subnets.map { IPPrefix($0) }
        for (index, prefix) in prefixes.enumerated() {
            if prefixes[..<index].contains(where: { other in prefix.map { other?.overlaps($0) ?? false } ?? false }) {
                throw .plain("multiple overlapping subnet configuration is not supported")
            }
        }
        var result = subnets.map { NetworkRequest.Subnet($0) }
        func index(of address: IPAddress?) -> Int? {
            address.flatMap { address in prefixes.firstIndex { $0?.contains(address) ?? false } }
        }
        for range in ranges {
            guard let prefix = IPPrefix(range) else { throw .plain("invalid CIDR address: \(Names.printable(range))") }
            guard let index = index(of: prefix.address) else { throw .plain("no matching subnet for range \(range)") }
            if let other = result[index].range {
                throw .plain(
                    "cannot configure multiple ranges (\(range), \(other)) on the same subnet (\(subnets[index]))")
            }
            result[index].range = range
        }
        for gateway in gateways {
            guard let index = index(of: IPAddress(gateway)) else {
                throw .plain("no matching subnet for gateway \(Names.printable(gateway))")
            }
            if let other = result[index].gateway {
                throw .plain(
                    "cannot configure multiple gateways (\(gateway), \(other)) for the same subnet (\(subnets[index]))")
            }
            result[index].gateway = gateway
        }
        for (name, address) in reserved.sorted(by: { $0.key < $1.key }) {
            guard let index = index(of: IPAddress(address)) else {
                throw .plain("no matching subnet for aux-address \(address)")
            }
            result[index].reserved[name] = address
        }
        return result
    }
}
