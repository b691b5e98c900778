package import Engine
internal import Glibc
internal import OCI

/// Choices of namespaces and of security options.
package enum Modes {
    /// `--pid` and `--uts`: the container's own, the host's or another container's.
    package static func namespace(_ text: String, flag: String, kind: String) throws(ValueError) -> NamespaceMode {
        if text == "private" { return .own }
        guard let mode = NamespaceMode(rawValue: text), mode != .container("") else {
            throw .plain("\(flag): invalid \(kind) mode")
        }
        if case .container(let owner) = mode { try Names.checkReference(owner) }
        return mode
    }

    package static func ipc(_ text: String) throws(ValueError) -> IPCMode {
        if text.isEmpty { return .isolated }
        guard let mode = IPCMode(rawValue: text), mode != .container("") else {
            throw .plain("invalid IPC mode: \(Names.printable(text))")
        }
        if case .container(let owner) = mode { try Names.checkReference(owner) }
        return mode
    }

    static let securityValues = ValueKind.either([
        .words(["no-new-privileges", "seccomp=unconfined", "seccomp=builtin", "apparmor=unconfined", "label=disable"]),
        .prefixed("seccomp=", .file),
    ])

    /// One `--security-opt`, in docker's spellings with `=` or the older `:`.
    package static func security(_ text: String, _ isolation: inout IsolationOptions) throws(ValueError) {
        if text == "no-new-privileges" {
            isolation.noNewPrivileges = true
            return
        }
        var (name, value) = text.cut("=")
        if value == nil { (name, value) = text.cut(":") }
        guard let value, !text.hasControlCharacters else {
            throw .plain("Invalid --security-opt: \(GoValue.quoted(text))")
        }
        switch (name, value) {
        case ("no-new-privileges", _):
            guard let on = try? GoValue.bool(value) else {
                throw .plain("invalid --security-opt 2: \(GoValue.quoted(text))")
            }
            isolation.noNewPrivileges = on
        case ("seccomp", "builtin"): isolation.seccomp = .standard
        case ("seccomp", "unconfined"): isolation.seccomp = .unconfined
        case ("seccomp", ""): throw .plain("Invalid --security-opt: \(GoValue.quoted(text))")
        case ("seccomp", _): isolation.seccomp = .profile(path: value)
        // No profile and no label are set, which is what these ask for.
        case ("apparmor", "unconfined"), ("label", "disable"): break
        case ("apparmor", _), ("label", _), ("systempaths", _), ("writable-cgroups", _):
            throw .planned("--security-opt \(text)")
        default: throw .plain("invalid --security-opt 2: \(GoValue.quoted(text))")
        }
    }

    package static func pull(_ text: String) throws(ValueError) -> RunRequest.PullPolicy {
        if text.isEmpty { return .missing }
        if text == "newer" { throw .planned("pull policy newer") }
        guard let policy = RunRequest.PullPolicy(rawValue: text) else {
            throw .plain("invalid pull option: '\(text)': must be one of \"always\", \"missing\" or \"never\"")
        }
        return policy
    }

    package static func capabilityProfile(_ text: String) throws(ValueError) -> IsolationOptions.CapabilityProfile {
        guard let profile = IsolationOptions.CapabilityProfile(rawValue: text) else {
            let choices = IsolationOptions.CapabilityProfile.allCases.map { "\"\($0.rawValue)\"" }
            throw .invalid("must be one of \(choices.joined(separator: ", "))")
        }
        return profile
    }

    /// A list of CPUs or memory nodes: `0-3,5` (cpuset(7), list format).
    package static func cpuset(_ text: String, _ what: String) throws(ValueError) -> String? {
        if text.isEmpty { return nil }
        for part in text.pieces(",") {
            let (low, high) = part.cut("-")
            guard let first = UInt16(low), let last = UInt16(high ?? low), first <= last,
                !part.utf8.contains(UInt8(ascii: "+"))
            else {
                throw .plain("invalid value \(Names.printable(text)) for cpuset \(what)")
            }
        }
        return text
    }
}

/// `--network`, in its short and long forms.
package struct NetworkChoice: Sendable, Hashable {
    package var name: String
    /// `ip`, `alias` and the like of the long form.
    package var hasOptions = false

    static let values = ValueKind.either([
        .words(NetworkMode.names), .prefixed("container:", .container(.running)),
    ])

    /// What podman has with options of its own, `slirp4netns:mtu=1500`.
    private static let podmanModes = ["ns:", "pasta:", "slirp4netns:"]

    package static func parse(_ text: String) throws(ValueError) -> NetworkChoice {
        guard text.contains("="), !podmanModes.contains(where: text.hasPrefix) else { return NetworkChoice(name: text) }
        var choice = NetworkChoice(name: "")
        for field in try CommaSeparated.fields(text) {
            let (key, value) = field.cut("=")
            guard let value else { throw .invalid("invalid field \(field)") }
            switch key.lowercased() {
            case "name": choice.name = value
            case "alias", "ip", "ip6", "mac-address", "link-local-ip", "driver-opt", "gw-priority":
                choice.hasOptions = true
            default: throw .invalid("invalid field key \(key.lowercased())")
            }
        }
        return choice
    }

    /// The mode of the container.
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
            choices.contains(where: { modes.contains($0.name) || $0.name.hasPrefix("container:") })
        {
            throw .plain(
                "conflicting options: cannot attach both user-defined and non-user-defined network-modes")
        }
        guard let choice = choices.first else { return NetworkChoices(mode: .bridge, asked: false) }
        switch choice.name {
        case "bridge", "default": return NetworkChoices(mode: .bridge, asked: true)
        case _ where NetworkMode.names.contains(choice.name):
            if choice.hasOptions { throw .plain("options of a network cannot be used with --network \(choice.name)") }
            guard let mode = NetworkMode(rawValue: choice.name) else { break }
            return NetworkChoices(mode: mode, asked: true)
        case _ where choice.name == "container" || choice.name.hasPrefix("container:"):
            guard let mode = NetworkMode(rawValue: choice.name), mode != .container("") else {
                throw .plain("invalid network mode: invalid container format container:<name|id>")
            }
            if case .container(let owner) = mode { try Names.checkReference(owner) }
            if choice.hasOptions {
                throw .plain("options of a network cannot be used with --network \(Names.printable(choice.name))")
            }
            return NetworkChoices(mode: mode, asked: true)
        case _ where podmanModes.contains(where: choice.name.hasPrefix):
            throw .planned("--network \(Names.printable(choice.name))")
        default: break
        }
        throw .plain("network \(Names.printable(choice.name)) not found")
    }
}

package struct NetworkChoices: Sendable, Hashable {
    package var mode: NetworkMode
    package var asked: Bool
}

/// `-p [[IP:][HOST]:]CONTAINER[/PROTOCOL]`, with ranges; form only.
package enum PortSpecification {
    package static func validate(_ text: String) throws(ValueError) {
        let (ports, transport) = text.cut("/")
        if let transport, !["tcp", "udp", "sctp"].contains(transport.lowercased()) {
            throw .plain("invalid proto: \(Names.printable(transport))")
        }
        var parts = ports.pieces(":")
        let container = parts.removeLast()
        guard !container.isEmpty else { throw .plain("no port specified: \(Names.printable(text))<empty>") }
        guard range(container) != nil else { throw .plain("invalid containerPort: \(Names.printable(container))") }
        let host = parts.popLast() ?? ""
        guard host.isEmpty || range(host) != nil else { throw .plain("invalid hostPort: \(Names.printable(host))") }
        let address = parts.joined(separator: ":")
        guard address.isEmpty || isAddress(address) else {
            throw .plain("invalid IP address: \(Names.printable(address))")
        }
        // Several ports of the host may lead to one of the container, and otherwise there are as many of each.
        if let outside = range(host), let inside = range(container), inside.count > 1, inside.count != outside.count {
            throw .plain("invalid ranges specified for container and host Ports: \(container) and \(host)")
        }
    }

    package static func validateExposed(_ text: String) throws(ValueError) {
        let (ports, transport) = text.cut("/")
        guard range(ports) != nil, transport.map({ ["tcp", "udp", "sctp"].contains($0.lowercased()) }) ?? true else {
            throw .plain("invalid range format for --expose: \(Names.printable(text))")
        }
    }

    private static func range(_ text: String) -> ClosedRange<UInt16>? {
        let (low, high) = text.cut("-")
        guard !text.utf8.contains(UInt8(ascii: "+")), let first = UInt16(low), let last = UInt16(high ?? low),
            first <= last
        else { return nil }
        return first...last
    }

    private static func isAddress(_ text: String) -> Bool {
        let isBracketed = text.hasPrefix("[") && text.hasSuffix("]")
        let bare = isBracketed ? String(text.dropFirst().dropLast()) : text
        var four = in_addr()
        var six = in6_addr()
        // C would stop at a NUL.
        guard !bare.utf8.contains(0) else { return false }
        return inet_pton(AF_INET, bare, &four) == 1 || inet_pton(AF_INET6, bare, &six) == 1
    }
}
