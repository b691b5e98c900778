package import Engine
internal import OCI

/// `network ls --filter`.
package struct NetworkFilter: Sendable, Hashable {
    private var values: [String: [String]] = [:]

    package static let values = ValueKind.filter([
        FilterKey("dangling", .boolean), FilterKey("driver", .words(["bridge", "host", "macvlan", "null"])),
        FilterKey("id"), FilterKey("label"), FilterKey("name", .network), FilterKey("scope", .words(["local"])),
        FilterKey("type", .words(["custom", "builtin"])),
    ])

    package init() {}

    package mutating func add(_ text: String) throws(ValueError) {
        guard let (key, value) = try FilterText.split(text) else { return }
        values[key, default: []].append(value)
    }

    /// Refuses what is no filter, in docker's words.
    func check() throws(ValueError) {
        for (key, wanted) in values.sorted(by: { $0.key < $1.key }) {
            switch key {
            case "driver", "id", "label", "name", "scope": continue
            case "type":
                guard let wrong = wanted.first(where: { $0 != "custom" && $0 != "builtin" }) else { continue }
                throw .plain("invalid filter: 'type'='\(Names.printable(wrong))'")
            case "dangling":
                if wanted.count == 1, ["true", "1", "false", "0"].contains(wanted[0]) { continue }
                throw .plain(
                    "invalid value for filter 'dangling', must be \"true\" (or \"1\"), or \"false\" (or \"0\")")
            default: throw .plain("invalid filter '\(Names.printable(key))'")
            }
        }
    }

    package func apply(_ networks: [NetworkDetails]) -> [NetworkDetails] {
        networks.filter { network in values.allSatisfy { key, wanted in NetworkFilter.fits(network, key, wanted) } }
    }

    private static func fits(_ network: NetworkDetails, _ key: String, _ wanted: [String]) -> Bool {
        let record = network.record
        switch key {
        case "driver": return wanted.contains(network.driver)
        case "scope": return wanted.contains("local")
        case "id": return wanted.contains { TextPattern.matches($0, record.id) }
        case "name": return wanted.contains { TextPattern.matches($0, record.name) }
        case "type": return wanted.contains(network.isBuiltin ? "builtin" : "custom")
        case "dangling": return network.isUsed != ["true", "1"].contains(wanted[0])
        case "label":
            return wanted.allSatisfy { label in
                let (name, value) = label.cut("=")
                return record.labels[name].map { value == nil || value == $0 } ?? false
            }
        default: return true
        }
    }
}
