package import Engine

extension RunFlags {
    /// What becomes of a container besides its process: who watches it, what is kept of its output, when it starts again.
    static let lifecycle: [RunFlag] = [
        .bool("detach", short: "d", "Run in the background and print the container's ID") { $0.request.detach = $1 },
        .value("detach-keys", takes: .text, "Keys that detach from the container") { $0.request.detachKeys = $1 },
        .bool("sig-proxy", "Pass signals on to the container", default: "true") { $0.request.signalProxy = $1 },
        .value(
            "attach", short: "a", type: "list", takes: .words(["stdin", "stdout", "stderr"]),
            "Attach to STDIN, STDOUT or STDERR"
        ) {
            (draft, text) throws(ValueError) in
            draft.request.attach = (draft.request.attach ?? []).union(try Attach.parse(text))
        },
        .value(
            "restart", takes: Restart.values,
            "When to start the container again: no, on-failure[:N], always, unless-stopped", default: "no"
        ) { (draft, text) throws(ValueError) in
            draft.request.lifecycle.restart = try Restart.parse(text)
        },
        .value("runtime", takes: .file, "OCI runtime that makes the container, by name or path") {
            $0.request.runtime = $1.isEmpty ? nil : $1
        },
        .value("stop-timeout", type: "int", "Seconds until a stop becomes a kill") {
            (draft, text) throws(ValueError) in
            draft.request.lifecycle.stopTimeout = Int(try GoValue.int64(text))
        },
        .value("label-file", type: "list", takes: .file, "File of labels, one a line") {
            $0.request.process.labelFiles.append($1)
        },
        .value("annotation", type: "map", takes: .text, "Annotation of the container: KEY=VALUE") {
            (draft, text) throws(ValueError) in
            draft.request.process.annotations.append(try Names.label(text))
        },
        .value(
            "log-driver", takes: .names(of: LogOptions.Driver.self), "Where the output is kept: json-file, local, none",
            default: "json-file"
        ) {
            (draft, text) throws(ValueError) in
            draft.request.log.driver = try LogDriver.parse(text)
        },
        .value("log-opt", type: "list", takes: LogDriver.values, "Option of the log driver: max-size, max-file, …") {
            (draft, text) throws(ValueError) in
            try LogDriver.add(text, to: &draft.request.log)
        },
        .value(
            "volumes-from", type: "list", takes: .container(.any), "Mount the volumes of another container: NAME[:ro]"
        ) {
            (draft, text) throws(ValueError) in
            try Names.checkReference(text.cut(":").0)
            draft.request.volumesFrom.append(text)
        },
    ]
}

/// `--attach`.
enum Attach {
    static func parse(_ text: String) throws(ValueError) -> AttachedStreamSet {
        switch text.lowercased() {
        case "stdin": .input
        case "stdout": .output
        case "stderr": .error
        default: throw .invalid("valid streams are STDIN, STDOUT and STDERR")
        }
    }
}

/// `--restart`, in docker's words.
package enum Restart {
    static let values = ValueKind.either([.names(of: RestartPolicy.Kind.self), .prefixed("on-failure:", .text)])

    package static func parse(_ text: String) throws(ValueError) -> RestartPolicy {
        let (name, count) = text.cut(":")
        if name.isEmpty, count == nil { return RestartPolicy() }
        guard let kind = RestartPolicy.Kind(rawValue: name) else {
            throw .plain(
                "invalid restart policy: unknown policy '\(Names.printable(name))'; use one of 'no', 'always', "
                    + "'on-failure', or 'unless-stopped'")
        }
        guard let count else { return RestartPolicy(kind: kind) }
        guard let maximum = Int(count) else {
            throw .plain("invalid restart policy format: maximum retry count must be an integer")
        }
        guard kind == .onFailure else {
            throw .plain("invalid restart policy: maximum retry count can only be used with 'on-failure'")
        }
        if maximum < 0 { throw .plain("invalid restart policy: maximum retry count cannot be negative") }
        return RestartPolicy(kind: kind, maximum: maximum)
    }
}

/// `--log-driver` and `--log-opt`.
enum LogDriver {
    private static let optionNames = [
        "max-size", "max-file", "labels", "labels-regex", "env", "env-regex", "tag", "compress", "mode",
    ]
    static let values = ValueKind.either(optionNames.map { .prefixed("\($0)=", .text) })

    static func parse(_ text: String) throws(ValueError) -> LogOptions.Driver {
        if let driver = LogOptions.Driver(rawValue: text.isEmpty ? "json-file" : text) { return driver }
        let known = ["syslog", "journald", "gelf", "fluentd", "awslogs", "splunk", "etwlogs", "gcplogs"]
        if known.contains(text) { throw .planned("log driver \(text)") }
        throw .plain("logger: no log driver named '\(Names.printable(text))' is registered")
    }

    static func add(_ text: String, to log: inout LogOptions) throws(ValueError) {
        let (name, value) = text.cut("=")
        guard let value else { throw .plain("invalid logging opt: \(Names.printable(text)): want NAME=VALUE") }
        guard optionNames.contains(name) else {
            throw .plain("unknown log opt '\(Names.printable(name))' for json-file log driver")
        }
        if name == "max-size" { log.maxSize = value == "-1" ? 0 : try Sizes.ram(value) }
        if name == "max-file" {
            guard let count = Int(value), count >= 1 else { throw .plain("max-file cannot be less than 1") }
            log.maxFiles = count
        }
        log.options[name] = value
    }
}
