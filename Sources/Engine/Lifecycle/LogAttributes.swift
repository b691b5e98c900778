internal import OCI

/// What `--log-opt labels`, `labels-regex`, `env`, `env-regex` and `tag` add to each entry of a log, as docker's "attrs".
enum LogAttributes {
    /// More would not fit into an entry (`CMON_LOG_ATTRS_MAX`).
    private static let limit = 32 << 10

    /// A JSON object; empty where nothing was asked for.
    static func json(of record: ContainerRecord) throws(EngineError) -> String {
        let options = record.request.log.options
        if options.isEmpty { return "" }
        var attributes = try chosen(from: record.labels, "labels", options)
        var environment: [String: String] = [:]
        for entry in (record.execution.env ?? []) + record.environment {
            let parts = entry.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            if parts.count == 2 { environment[String(parts[0])] = String(parts[1]) }
        }
        attributes.merge(try chosen(from: environment, "env", options)) { $1 }
        if let tag = options["tag"], !tag.isEmpty { attributes["tag"] = try fill(tag, record) }
        if attributes.isEmpty { return "" }
        let members = attributes.sorted { $0.key < $1.key }.map { "\(quoted($0.key)):\(quoted($0.value))" }
        let text = "{\(members.joined(separator: ","))}"
        guard text.utf8.count <= limit else {
            throw .invalid("log options labels, env and tag: more than \(limit) bytes for each entry")
        }
        return text
    }

    /// Of `values` those that the option `name` lists, and those that its pattern fits.
    private static func chosen(
        from values: [String: String], _ name: String, _ options: [String: String]
    ) throws(EngineError) -> [String: String] {
        let names = Set((options[name] ?? "").split(separator: ",").map(String.init))
        guard let text = options["\(name)-regex"], !text.isEmpty else {
            return values.filter { names.contains($0.key) }
        }
        guard let pattern = TextPattern(text) else {
            throw .invalid("log option \(name)-regex: \(ForeignText(text)): it is not a regular expression")
        }
        var result: [String: String] = [:]
        for (key, value) in values where names.contains(key) || pattern.matches(key) { result[key] = value }
        return result
    }

    /// docker's fields of a tag, with its meanings; other templates are refused.
    private static func fill(_ tag: String, _ record: ContainerRecord) throws(EngineError) -> String {
        let fields = [
            "ID": record.shortID, "FullID": record.id, "Name": record.name, "ImageID": record.image.short,
            "ImageFullID": record.image.description, "ImageName": record.imageName, "DaemonName": "docker",
            "Command": ([record.path] + record.args).joined(separator: " "), "Hostname": HostFacts.hostname(),
            "ContainerID": record.id, "ContainerName": "/\(record.name)", "ContainerCreated": record.created,
            "ContainerImageID": record.image.description, "ContainerImageName": record.imageName,
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
                + "{{.ImageFullID}}, {{.ImageName}}, {{.Command}}, {{.Hostname}} and {{.DaemonName}} are known")
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
