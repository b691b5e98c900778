internal import Engine

/// Which containers a command is about: those that are named, or as podman has it all, those that fit, or the latest.
package struct ContainerSelection: Sendable {
    package var all = false
    package var latest = false
    /// `ps`'s; by itself it chooses among all.
    package var filter = ContainerFilter()
    /// A container that is not there is no failure.
    package var ignoresMissing = false

    package init() {}

    /// podman's flags, in all commands that take several containers. `shorts` are podman's letters that docker gives no
    /// other meaning in the command.
    static func flags<Draft>(
        _ path: any WritableKeyPath<Draft, ContainerSelection> & Sendable, ignore: Bool = true, shorts: String = "afil"
    ) -> [Flag<Draft>] {
        func short(_ letter: Unicode.Scalar) -> Unicode.Scalar? {
            shorts.unicodeScalars.contains(letter) ? letter : nil
        }
        var flags: [Flag<Draft>] = [
            .bool("all", short: short("a"), "All containers that the command can be used on") {
                $0[keyPath: path].all = $1
            },
            .value(
                "filter", short: short("f"), type: "filter", takes: ContainerFilter.values,
                "Only containers that fit, as in ps: KEY=VALUE"
            ) {
                (draft, text) throws(ValueError) in
                try draft[keyPath: path].filter.add(text)
            },
            .bool("latest", short: short("l"), "The container that was made last") { $0[keyPath: path].latest = $1 },
        ]
        if ignore {
            flags.append(
                .bool("ignore", short: short("i"), "Say nothing of containers that are not there") {
                    $0[keyPath: path].ignoresMissing = $1
                })
        }
        return flags
    }

    /// The names, or the IDs of the containers that fit and for which `applies` is true; with `latest` the newest of those
    /// that fit.
    func names(
        _ arguments: [String], _ engine: any EngineVerbs, _ info: CommandInfo, _ path: String,
        where applies: (ContainerSummary) -> Bool
    ) throws -> [String] {
        guard all || latest || !filter.isEmpty else {
            try Failure.checkCount(arguments, atLeast: 1, path)
            return arguments
        }
        if all, latest { throw CommandError.failed("--all and --latest cannot be used together", code: 125) }
        if !arguments.isEmpty {
            let flag = all ? "--all" : latest ? "--latest" : "--filter"
            throw CommandError.failed("\(flag) takes no arguments", code: 125)
        }
        do {
            let listed = try engine.summaries(SummaryScope()) { _ in }
            let fitting = try filter.apply(listed) { try engine.imageID(named: $0) }
            return (latest ? Array(fitting.prefix(1)) : fitting.filter(applies)).map(\.id)
        } catch let error as ValueError {
            throw Failure.plain(error, 125)
        }
    }

    /// Does `body` for each, goes on after a failure, and tells by the exit code whether there was one. What `body` returns
    /// is printed.
    func each(
        _ names: [String], _ context: CommandContext, _ body: (String) throws -> String?
    ) -> Int32 {
        var code: Int32 = 0
        for name in names {
            do {
                if let line = try body(name) { context.output.line(line) }
            } catch {
                if ignoresMissing, (error as? any MissingObjectError)?.isMissingObject == true { continue }
                context.errors.line("\(context.program): \(error)")
                code = 1
            }
        }
        return code
    }
}
