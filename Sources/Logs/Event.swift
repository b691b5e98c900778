internal import OCI

/// Something that happened to a container, an image or a volume.
package struct Event: Sendable, Hashable {
    /// `container`, `image`, `volume`.
    package var type: String
    package var action: String
    /// Of what it happened to: a container's or image's ID, a volume's name.
    package var actor: String
    package var attributes: [String: String]
    package var time: LogTime

    package init(
        _ type: String, _ action: String, actor: String, attributes: [String: String] = [:], time: LogTime = .now
    ) {
        self.type = type
        self.action = action
        self.actor = actor
        self.attributes = attributes
        self.time = time
    }

    /// The image that a container was made from.
    package var from: String { type == "container" ? attributes["image"] ?? "" : "" }

    /// One that containers and images had before there were types.
    package var hasStatus: Bool { type == "container" || type == "image" }

    /// `2024-… container start ID (image=busybox, name=x)`, as docker prints it.
    package var line: String {
        let details = attributes.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: ", ")
        return "\(time.localText) \(type) \(action) \(actor)\(details.isEmpty ? "" : " (\(details))")"
    }

    package var timeNanoseconds: Int64 { time.seconds &* 1_000_000_000 &+ time.nanoseconds }
}

extension Event {
    init?(json line: some Collection<UInt8>) {
        guard let value = try? JSONValue(parsing: Array(line)), let type = value["Type"]?.string,
            let action = value["Action"]?.string, let actor = value["Actor"]?["ID"]?.string,
            let nanoseconds = value["timeNano"]?.integer
        else { return nil }
        let time = LogTime(seconds: nanoseconds / 1_000_000_000, nanoseconds: nanoseconds % 1_000_000_000)
        let attributes = value["Actor"]?["Attributes"]?.stringMap ?? [:]
        self.init(type, action, actor: actor, attributes: attributes, time: time)
    }

    /// docker's object, with the fields that it has for older clients.
    var json: String {
        var members: [String] = []
        if hasStatus { members += ["\"status\":\(quoted(action))", "\"id\":\(quoted(actor))"] }
        if !from.isEmpty { members.append("\"from\":\(quoted(from))") }
        let details = attributes.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
        members += ["\"Type\":\(quoted(type))", "\"Action\":\(quoted(action))"]
        members.append("\"Actor\":{\"ID\":\(quoted(actor)),\"Attributes\":{\(details.joined(separator: ","))}}")
        members += ["\"scope\":\"local\"", "\"time\":\(time.seconds)", "\"timeNano\":\(timeNanoseconds)"]
        return "{\(members.joined(separator: ","))}"
    }

    private func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result.unicodeScalars.append(contentsOf: ["\\", scalar])
            case "\u{0}"..<" ":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
