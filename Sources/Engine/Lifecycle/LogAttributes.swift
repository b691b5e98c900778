internal import OCI

/// What `--log-opt labels`, `env` and `tag` add to each entry of a log, as docker's "attrs".
enum LogAttributes {
    /// More would not fit into an entry (`CMON_LOG_ATTRS_MAX`).
    private static let limit = 32 << 10

    /// A JSON object; empty where nothing was asked for.
    static func json(of record: ContainerRecord) throws(EngineError) -> String {
        let options = record.request.log.options
        for name in ["labels-regex", "env-regex"] where options[name] != nil {
            throw .notSupportedYet("log option \(name)")
        }
        var attributes: [String: String] = [:]
        for name in names(options["labels"]) { attributes[name] = record.labels[name] }
        let environment = (record.execution.env ?? []) + record.environment
        for name in names(options["env"]) {
            attributes[name] = EnvironmentBuilder.value(of: name, in: environment)
        }
        if let tag = options["tag"], !tag.isEmpty { attributes["tag"] = try fill(tag, record) }
        if attributes.isEmpty { return "" }
        let members = attributes.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
        let text = "{\(members.joined(separator: ","))}"
        guard text.utf8.count <= limit else {
            throw .invalid("log options labels, env and tag: more than \(limit) bytes for each entry")
        }
        return text
    }

    private static func names(_ list: String?) -> [String] {
        (list ?? "").split(separator: ",").map(String.init)
    }

    /// docker's fields of a tag, with its meanings; other templates are refused.
    private static func fill(_ tag: String, _ record: ContainerRecord) throws(EngineError) -> String {
        let fields = [
            "ID": record.shortID, "FullID": record.id, "Name": record.name, "ImageID": record.image.short,
            "ImageFullID": record.image.description, "ImageName": record.imageName, "DaemonName": "docker",
        ]
        var rest = Substring(tag)
        var result = ""
        while let open = rest.firstRange(of: "{{") {
            result += rest[..<open.lowerBound]
            rest = rest[open.upperBound...]
            guard let close = rest.firstRange(of: "}}") else { throw unknown(tag) }
            let name = rest[..<close.lowerBound].filter { $0 != " " }
            guard name.hasPrefix("."), let value = fields[String(name.dropFirst())] else { throw unknown(tag) }
            result += value
            rest = rest[close.upperBound...]
        }
        return result + rest
    }

    private static func unknown(_ tag: String) -> EngineError {
        .invalid(
            "log option tag: \(ForeignText(tag)): only {{.ID}}, {{.FullID}}, {{.Name}}, {{.ImageID}}, "
                + "{{.ImageFullID}}, {{.ImageName}} and {{.DaemonName}} are known")
    }

    /// A JSON string as Go writes it.
    private static func quoted(_ text: String) -> String {
        var result = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": result.unicodeScalars.append(contentsOf: ["\\", scalar])
            case "\u{0}"..<" ", "<", ">", "&", "\u{2028}", "\u{2029}":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }
}
