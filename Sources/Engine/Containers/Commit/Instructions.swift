internal import OCI

/// The argument of `EXPOSE`: `[IP:][HOSTPORT:]PORT[-PORT][/PROTOCOL]`, of which an image keeps the container's part.
enum ExposedPort {
    static func parse(_ text: String) throws(EngineError) -> [String] {
        let parts = text.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
        let kind = parts.count == 2 && !parts[1].isEmpty ? parts[1].lowercased() : "tcp"
        guard ["tcp", "udp", "sctp"].contains(kind) else { throw .invalid("Invalid proto: \(ForeignText(kind))") }
        let ports = parts[0].split(separator: ":", omittingEmptySubsequences: false).last ?? ""
        let ends = ports.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard let first = ends.first.flatMap({ UInt16($0) }), let last = ends.last.flatMap({ UInt16($0) }), first > 0
        else {
            throw .invalid("Invalid containerPort: \(ForeignText(String(ports)))")
        }
        guard first <= last else { throw .invalid("Invalid range specified for port: \(ports)") }
        return (first...last).map { "\($0)/\(kind)" }
    }
}

/// The argument of `HEALTHCHECK`: `NONE`, or `[--interval=… …] CMD COMMAND`.
struct HealthcheckInstruction {
    private(set) var value = ImageConfig.Healthcheck()

    init(_ text: String) throws(EngineError) {
        var rest = text
        while rest.hasPrefix("--") {
            let word = rest.prefix { !CommitChange.isBlank($0) }
            rest = CommitChange.trimmed(rest.dropFirst(word.count))
            try option(word.dropFirst(2))
        }
        let kind = rest.prefix { !CommitChange.isBlank($0) }.uppercased()
        let command = CommitChange.trimmed(rest.dropFirst(kind.count))
        switch kind {
        case "": throw .invalid("HEALTHCHECK requires at least one argument")
        case "NONE":
            if !command.isEmpty { throw .invalid("HEALTHCHECK NONE takes no arguments") }
            value.test = ["NONE"]
        case "CMD":
            if command.isEmpty { throw .invalid("missing command after HEALTHCHECK CMD") }
            value.test = CommitChange.jsonWords(command).map { ["CMD"] + $0 } ?? ["CMD-SHELL", command]
        default: throw .invalid("unknown type \"\(ForeignText(kind))\" in HEALTHCHECK (try CMD)")
        }
    }

    private mutating func option(_ text: Substring) throws(EngineError) {
        let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
        guard parts.count == 2 else { throw .invalid("missing a value on flag: \(ForeignText(String(text)))") }
        switch parts[0] {
        case "interval": value.interval = try duration(parts[1])
        case "timeout": value.timeout = try duration(parts[1])
        case "start-period": value.startPeriod = try duration(parts[1])
        case "start-interval": value.startInterval = try duration(parts[1])
        case "retries":
            guard let count = Int(parts[1]), count >= 0 else {
                throw .invalid("--retries must be at least 0 (not \(ForeignText(parts[1])))")
            }
            value.retries = count
        default: throw .invalid("unknown flag: \(ForeignText(parts[0]))")
        }
    }

    private func duration(_ text: String) throws(EngineError) -> Int64 {
        guard let nanoseconds = GoDuration.nanoseconds(text) else {
            throw .invalid("time: invalid duration \"\(ForeignText(text))\"")
        }
        return nanoseconds
    }
}
