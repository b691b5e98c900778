internal import FoundationEssentials
internal import OCI
internal import Sys

/// One `--change` of a commit: an instruction as Dockerfiles have them.
package struct CommitChange {
    package static let allowed = [
        "CMD", "ENTRYPOINT", "ENV", "EXPOSE", "HEALTHCHECK", "LABEL", "ONBUILD", "STOPSIGNAL", "USER", "VOLUME",
        "WORKDIR",
    ]

    private let instruction: String
    private let rest: String

    /// Refuses what changes more than the configuration.
    init(_ text: String) throws(EngineError) {
        let trimmed = CommitChange.trimmed(text)
        if trimmed.isEmpty || trimmed.hasPrefix("#") { throw .invalid("file with no instructions") }
        let word = trimmed.prefix { !CommitChange.isBlank($0) }
        instruction = word.uppercased()
        rest = CommitChange.trimmed(trimmed.dropFirst(word.count))
        guard CommitChange.allowed.contains(instruction) else {
            throw .invalid("\(ForeignText(word.lowercased())) is not a valid change command")
        }
    }

    /// Changes `execution` as a build would.
    func apply(to execution: inout ImageConfig.Execution) throws(EngineError) {
        let expander = WordExpander(environment: execution.env ?? [])
        switch instruction {
        case "CMD": execution.cmd = command(execution)
        case "ENTRYPOINT": execution.entrypoint = command(execution)
        case "ENV":
            for (name, value) in try pairs(expander) { CommitChange.set(name, value, in: &execution) }
        case "LABEL":
            for (name, value) in try pairs(expander) {
                execution.labels = (execution.labels ?? [:]).merging([name: value]) { $1 }
            }
        case "EXPOSE":
            for word in try words(expander) {
                for port in try ExposedPort.parse(word) {
                    execution.exposedPorts = (execution.exposedPorts ?? [:]).merging([port: .init()]) { $1 }
                }
            }
        case "VOLUME":
            for path in try paths(expander) {
                if path.isEmpty { throw .invalid("VOLUME specified can not be an empty string") }
                execution.volumes = (execution.volumes ?? [:]).merging([path: .init()]) { $1 }
            }
        case "USER": execution.user = try one(expander)
        case "STOPSIGNAL": execution.stopSignal = try one(expander)
        case "WORKDIR":
            let path = try one(expander)
            let base = execution.workingDir ?? "/"
            execution.workingDir = Path.cleaned(path.hasPrefix("/") ? path : "/\(base)/\(path)")
        case "ONBUILD": execution.onBuild = (execution.onBuild ?? []) + [try trigger()]
        default: execution.healthcheck = try HealthcheckInstruction(rest).value
        }
    }

    // MARK: Arguments

    /// JSON's strings, or a line for the image's shell.
    private func command(_ execution: ImageConfig.Execution) -> [String]? {
        if let words = jsonWords { return words.isEmpty ? nil : words }
        return rest.isEmpty ? nil : (execution.shell ?? ["/bin/sh", "-c"]) + [rest]
    }

    private var jsonWords: [String]? { CommitChange.jsonWords(rest) }

    static func jsonWords(_ text: String) -> [String]? {
        guard text.hasPrefix("["), let value = try? JSONDecoder().decode([String].self, from: Data(text.utf8)) else {
            return nil
        }
        return value
    }

    private func words(_ expander: WordExpander) throws(EngineError) -> [String] {
        let words = try WordExpander.split(rest).map { word throws(EngineError) in try expander.expand(word) }
        if words.isEmpty { throw .invalid("\(instruction) requires at least one argument") }
        return words
    }

    private func paths(_ expander: WordExpander) throws(EngineError) -> [String] {
        if let words = jsonWords { return words }
        return try words(expander)
    }

    private func one(_ expander: WordExpander) throws(EngineError) -> String {
        if rest.isEmpty { throw .invalid("\(instruction) requires exactly one argument") }
        return try expander.expand(rest)
    }

    /// `NAME=VALUE …`, or `NAME VALUE` with the rest of the line as it is.
    private func pairs(_ expander: WordExpander) throws(EngineError) -> [(String, String)] {
        let words = try WordExpander.split(rest)
        guard let first = words.first else { throw .invalid("\(instruction) requires at least one argument") }
        guard first.contains("=") else {
            let value = CommitChange.trimmed(rest.dropFirst(first.count))
            if value.isEmpty { throw .invalid("\(instruction) must have two arguments") }
            return [(try expander.expand(first), try expander.expand(value))]
        }
        var result: [(String, String)] = []
        for word in words {
            guard let mark = word.firstIndex(of: "=") else {
                throw .invalid(
                    "Syntax error - can't find = in \"\(ForeignText(word))\". Must be of the form: name=value")
            }
            let name = try expander.expand(String(word[..<mark]))
            if name.isEmpty { throw .invalid("\(instruction) names can not be blank") }
            result.append((name, try expander.expand(String(word[word.index(after: mark)...]))))
        }
        return result
    }

    private func trigger() throws(EngineError) -> String {
        if rest.isEmpty { throw .invalid("ONBUILD requires at least one argument") }
        let word = rest.prefix { !CommitChange.isBlank($0) }.uppercased()
        if word == "ONBUILD" { throw .invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed") }
        if word == "FROM" || word == "MAINTAINER" { throw .invalid("\(word) isn't allowed as an ONBUILD trigger") }
        return rest
    }

    private static func set(_ name: String, _ value: String, in execution: inout ImageConfig.Execution) {
        var list = execution.env ?? []
        let entry = "\(name)=\(value)"
        if let index = list.firstIndex(where: { $0.hasPrefix("\(name)=") }) {
            list[index] = entry
        } else {
            list.append(entry)
        }
        execution.env = list
    }

    static func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" || character.isNewline }

    static func trimmed(_ text: some StringProtocol) -> String {
        let start = text.drop(while: isBlank)
        guard let last = start.lastIndex(where: { !isBlank($0) }) else { return "" }
        return String(start[...last])
    }
}
