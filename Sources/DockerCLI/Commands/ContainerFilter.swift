package import Engine
package import OCI

/// `--filter` of lists of containers and of the verbs on them. The same key twice widens (labels narrow), different keys narrow.
package struct ContainerFilter: Sendable, Hashable {
    private var values: [String: [String]] = [:]

    /// docker's keys, and podman's.
    package static let keys: [FilterKey] = [
        FilterKey("ancestor", .image), FilterKey("before", .container(.any)), FilterKey("exited"), FilterKey("expose"),
        FilterKey("health", .words(healthStates)), FilterKey("id"), FilterKey("is-task", .boolean),
        FilterKey("isolation"), FilterKey("label"), FilterKey("name", .container(.any)),
        FilterKey("network", .network), FilterKey("publish"),
        FilterKey("restart-policy", .names(of: RestartPolicy.Kind.self)), FilterKey("since", .container(.any)),
        FilterKey("status", .words(states)), FilterKey("volume", .volume),
    ]
    package static let values = ValueKind.filter(keys)

    private static let states = ["created", "running", "paused", "restarting", "removing", "exited", "dead"]
    private static let healthStates = ["none", "starting", "healthy", "unhealthy"]

    package init() {}

    var isEmpty: Bool { values.isEmpty }

    /// Whether there is a condition on this.
    package func asks(for key: String) -> Bool { values[key] != nil }

    /// Refuses only what is no filter at all; docker's daemon judges the rest, after the command line is read.
    package mutating func add(_ text: String) throws(ValueError) {
        guard let (key, value) = try FilterText.split(text) else { return }
        values[key, default: []].append(value)
    }

    /// Whether containers that don't run can be among the results, without `--all`.
    var asksForStatus: Bool { values["status"] != nil }

    /// Whether containers that don't run must be looked at.
    var needsAll: Bool { asksForStatus || values["before"] != nil || values["since"] != nil }

    /// Those of `containers`, newest first, that fit. `imageID` finds an image by name.
    package func apply(
        _ containers: [ContainerSummary], imageID: (String) throws -> Digest?
    ) throws -> [ContainerSummary] {
        if values.isEmpty { return containers }
        try check()
        var tests: [(ContainerSummary) -> Bool] = []
        func oneOf(_ key: String, _ test: @escaping (ContainerSummary, String) -> Bool) {
            guard let wanted = values[key] else { return }
            tests.append { container in wanted.contains { test(container, $0) } }
        }
        oneOf("id") { TextPattern.matches($1, $0.id) }
        oneOf("name") { TextPattern.matches($1, $0.name) || TextPattern.matches($1, "/" + $0.name) }
        oneOf("status") { $0.stateName == $1 }
        oneOf("exited") { $0.hasEnded && $0.state.exitCode == Int32($1) }
        oneOf("health") { $0.health.map(\.rawValue) ?? "none" == $1 }
        oneOf("is-task") { (_, value) in value == "false" || value == "0" }
        oneOf("network") { $0.isOn(network: $1) }
        oneOf("restart-policy") { $0.restart.kind.rawValue == $1 }
        oneOf("volume") { (container, text) in
            container.mounts.contains { $0.source == text || $0.target == text.cleanedPath }
        }
        oneOf("publish") { PortFilter($1)?.includes(oneOf: $0.bindings) ?? false }
        oneOf("expose") { PortFilter($1)?.includes(oneOf: $0.exposedPorts) ?? false }
        for label in values["label"] ?? [] { tests.append { $0.hasLabel(label) } }
        if let names = values["ancestor"] {
            let images = Set(try names.compactMap { try imageID($0) })
            tests.append { images.contains($0.image) }
        }
        try addOrder(containers, &tests)
        return containers.filter { container in tests.allSatisfy { $0(container) } }
    }

    private func addOrder(
        _ containers: [ContainerSummary], _ tests: inout [(ContainerSummary) -> Bool]
    ) throws(ValueError) {
        func created(_ text: String) throws(ValueError) -> String {
            let name = text.hasPrefix("/") ? String(text.dropFirst()) : text
            let found = containers.first { $0.name == name } ?? containers.first { $0.id.hasPrefix(name) }
            guard let found, !name.isEmpty else { throw .plain("No such container: \(Names.printable(text))") }
            return found.created
        }
        for text in values["before"] ?? [] {
            let bound = try created(text)
            tests.append { $0.created < bound }
        }
        for text in values["since"] ?? [] {
            let bound = try created(text)
            tests.append { $0.created > bound }
        }
    }

    private func check() throws(ValueError) {
        for (key, texts) in values.sorted(by: { $0.key < $1.key }) {
            guard Self.keys.contains(where: { $0.name == key }) else {
                throw .plain("invalid filter '\(Names.printable(key))'")
            }
            for text in texts where !Self.isValid(key, text) {
                let shown = Names.printable(text)
                throw .plain(
                    key == "health"
                        ? "unrecognized filter value for health: \(shown)" : "invalid filter '\(key)=\(shown)'")
            }
        }
    }

    private static func isValid(_ key: String, _ text: String) -> Bool {
        switch key {
        case "status": states.contains(text)
        case "health": healthStates.contains(text)
        case "restart-policy": RestartPolicy.Kind(rawValue: text) != nil
        case "exited": Int32(text) != nil
        case "is-task": ["true", "false", "1", "0"].contains(text)
        case "publish", "expose": PortFilter(text) != nil
        default: true
        }
    }
}

extension ContainerSummary {
    fileprivate var hasEnded: Bool { condition == .exited || condition == .ending }

    /// By the network's name, its mode, its ID or the short form of that.
    fileprivate func isOn(network text: String) -> Bool {
        networkNames.contains(text) || networks.contains { $0.id.hasPrefix(text) && text.utf8.count >= 12 }
    }

    /// `KEY` or `KEY=VALUE`.
    func hasLabel(_ text: String) -> Bool {
        let (key, value) = text.cut("=")
        guard let actual = labels[key] else { return false }
        return value == nil || value == actual
    }
}

/// `80`, `80/udp`, `8000-8080/tcp`.
private struct PortFilter {
    let range: ClosedRange<Int>
    let name: String

    init?(_ text: String) {
        let (numbers, name) = text.cut("/")
        let bounds = numbers.pieces("-").map { Int($0) }
        guard let first = bounds.first.flatMap({ $0 }), let last = bounds.last.flatMap({ $0 }), bounds.count <= 2,
            first <= last, (0...65_535).contains(first), last <= 65_535, ["tcp", "udp", "sctp"].contains(name ?? "tcp")
        else { return nil }
        range = first...last
        self.name = name ?? "tcp"
    }

    func includes(oneOf ports: [ContainerPort]) -> Bool {
        ports.contains { $0.transport.rawValue == name && range.contains(Int($0.number)) }
    }
}
