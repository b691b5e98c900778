package import Logs
internal import OCI

/// `events --filter`. The same key twice widens, but for labels; different keys narrow.
package struct EventFilter: Sendable, Hashable {
    private var values: [String: [String]] = [:]

    /// docker's keys; of those that name kinds of things that are not here none ever fits.
    package static let filterKeys: [FilterKey] = [
        FilterKey("config"), FilterKey("container", .container(.any)), FilterKey("daemon"),
        FilterKey(
            "event",
            .words([
                "attach", "connect", "create", "delete", "destroy", "detach", "die", "disconnect", "exec_create",
                "exec_die", "exec_start",
                "health_status", "kill", "oom", "pause", "pull", "rename", "restart", "start", "stop", "tag", "unpause",
                "untag", "update",
            ])), FilterKey("image", .image), FilterKey("label"), FilterKey("network", .network), FilterKey("node"),
        FilterKey("plugin"), FilterKey("scope", .words(["local"])), FilterKey("secret"), FilterKey("service"),
        FilterKey("type", .words(["container", "image", "network", "volume"])), FilterKey("volume", .volume),
    ]
    package static let values = ValueKind.filter(filterKeys)
    private static let keys = Set(filterKeys.map(\.name))
    /// Keys whose values are the beginnings of IDs or names.
    private static let subjects = keys.subtracting(["event", "image", "label", "scope", "type"])
    /// Their actions go on behind a colon.
    private static let prefixes: Set<String> = ["health_status", "exec_create", "exec_start"]

    package init() {}

    package mutating func add(_ text: String) throws(ValueError) {
        guard let (key, value) = try FilterText.split(text) else { return }
        guard EventFilter.keys.contains(key) else { throw .plain("invalid filter '\(Names.printable(key))'") }
        values[key, default: []].append(value)
    }

    package func includes(_ event: Event) -> Bool {
        values.allSatisfy { key, wanted in
            switch key {
            case "event": matchesAction(event.action, wanted)
            case "type": wanted.contains(event.type)
            case "scope": wanted.contains("local")
            case "label": wanted.allSatisfy { matchesLabel($0, event.attributes) }
            case "image": matchesImage(event, wanted)
            default:
                EventFilter.subjects.contains(key)
                    && wanted.contains { event.actor.hasPrefix($0) || (event.attributes["name"] ?? "").hasPrefix($0) }
            }
        }
    }

    private func matchesAction(_ action: String, _ wanted: [String]) -> Bool {
        let isFuzzy = !EventFilter.prefixes.isDisjoint(with: wanted)
        return wanted.contains { isFuzzy ? action.hasPrefix($0) : action == $0 }
    }

    private func matchesLabel(_ label: String, _ attributes: [String: String]) -> Bool {
        let (name, value) = label.cut("=")
        guard let actual = attributes[name] else { return false }
        return value == nil || value == actual
    }

    /// An image's own events, and those of containers that were made from it; with or without its tag.
    private func matchesImage(_ event: Event, _ wanted: [String]) -> Bool {
        let name = event.attributes[event.type == "image" ? "name" : "image"] ?? ""
        return wanted.contains { [event.actor, name, repository(event.actor), repository(name)].contains($0) }
    }

    private func repository(_ name: String) -> String {
        (try? Reference(parsing: name))?.familiarRepository ?? name
    }
}
