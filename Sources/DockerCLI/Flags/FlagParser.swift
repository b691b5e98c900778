/// pflag's grammar over a table of flags: `--x=v`, `--x v`, switches with and without `=`, clusters `-itv a:b`, `-e=V`,
/// `-eV`, and `--` that ends the flags.
package struct FlagParser<Target> {
    private let table: FlagTable<Target>
    /// Whether flags may stand behind positional arguments; `run` stops at IMAGE.
    private let interspersed: Bool

    package struct Outcome: Sendable {
        package var positionals: [String] = []
        package var help = false
        package var warnings: [String] = []
        /// What a flag refused that pflag would not have: like docker, said after all flags have been read.
        fileprivate var late: ParseError?
    }

    package init(_ table: FlagTable<Target>, interspersed: Bool = true) {
        self.table = table
        self.interspersed = interspersed
    }

    package func parse(_ arguments: ArraySlice<String>, into target: inout Target) throws(ParseError) -> Outcome {
        var rest = arguments
        return try parse(&rest, into: &target)
    }

    private func parse(_ rest: inout ArraySlice<String>, into target: inout Target) throws(ParseError) -> Outcome {
        var outcome = Outcome()
        while let argument = rest.popFirst() {
            if argument == "--" {
                outcome.positionals += rest
                break
            }
            let bytes = argument.utf8
            if bytes.count < 2 || bytes.first != UInt8(ascii: "-") {
                outcome.positionals.append(argument)
                if interspersed { continue }
                outcome.positionals += rest
                break
            }
            if bytes.dropFirst().first == UInt8(ascii: "-") {
                try parseLong(argument, &rest, &target, &outcome)
            } else {
                try parseCluster(argument.unicodeScalars.dropFirst(), &rest, &target, &outcome)
            }
        }
        if let late = outcome.late, !outcome.help { throw late }
        return outcome
    }

    private func parseLong(
        _ argument: String, _ rest: inout ArraySlice<String>, _ target: inout Target, _ outcome: inout Outcome
    ) throws(ParseError) {
        let body = String(argument.unicodeScalars.dropFirst(2))
        guard let first = body.utf8.first, first != UInt8(ascii: "-"), first != UInt8(ascii: "=") else {
            throw .syntax(argument)
        }
        let (name, given) = body.cut("=")
        guard let flag = table.first(where: { $0.name == name }) else {
            guard name == "help" else { throw .unknown(name) }
            outcome.help = try helpValue(given ?? "true", spelling: "--help")
            return
        }
        if let given {
            try apply(flag, given, &target, &outcome)
        } else if flag.info.kind == .bool {
            try apply(flag, "true", &target, &outcome)
        } else if let next = rest.popFirst() {
            try apply(flag, next, &target, &outcome)
        } else {
            throw .needsArgument("--\(name)")
        }
    }

    private func parseCluster(
        _ cluster: Substring.UnicodeScalarView, _ rest: inout ArraySlice<String>, _ target: inout Target,
        _ outcome: inout Outcome
    ) throws(ParseError) {
        var letters = cluster
        while let letter = letters.first {
            let tail = letters.dropFirst()
            guard let flag = table.first(where: { $0.short == letter }) else {
                // Where `-h` is no flag of the command's own, it asks for help.
                guard letter == "h" else {
                    throw .unknownShort("\(letter)", in: String(Substring(letters)))
                }
                outcome.warnings.append("Flag shorthand -h has been deprecated, use --help")
                outcome.help = true
                letters = tail
                continue
            }
            // As pflag: `-x=` with nothing behind it is no assignment.
            if tail.first == "=", tail.count > 1 {
                return try apply(flag, String(tail.dropFirst()), &target, &outcome)
            }
            if flag.info.kind == .bool {
                try apply(flag, "true", &target, &outcome)
                letters = tail
                continue
            }
            if !tail.isEmpty { return try apply(flag, String(tail), &target, &outcome) }
            guard let next = rest.popFirst() else { throw .needsArgument("'\(letter)' in -\(Substring(letters))") }
            return try apply(flag, next, &target, &outcome)
        }
    }

    private func helpValue(_ text: String, spelling: String) throws(ParseError) -> Bool {
        do throws(ValueError) { return try GoValue.bool(text) } catch {
            throw .value(flag: spelling, text: text, error)
        }
    }

    private func apply(
        _ flag: Flag<Target>, _ text: String, _ target: inout Target, _ outcome: inout Outcome
    ) throws(ParseError) {
        let info = flag.info
        if let advice = info.deprecation {
            outcome.warnings.append("Flag --\(info.name) has been deprecated, \(advice)")
        }
        if case .ignored(let warning?) = info.availability { outcome.warnings.append(warning) }
        if isNeutral(info, text) { return }
        do throws(ValueError) {
            try flag.set(&target, text)
        } catch {
            let failure = ParseError.value(flag: info.spelling, text: text, error)
            if failure.showsUsage { throw failure }
            outcome.late = outcome.late ?? failure
        }
    }

    /// A switch that is off until something turns it on is not asked for by `--x=false`.
    private func isNeutral(_ info: FlagInfo, _ text: String) -> Bool {
        switch info.availability {
        case .supported, .ignored: return false
        case .planned, .refused:
            if let neutral = info.neutralValue, neutral == text { return true }
            guard info.kind == .bool, let value = try? GoValue.bool(text) else { return false }
            return value == (info.neutralValue == "true")
        }
    }
}

/// What is wrong with a command line; the descriptions are docker's.
package enum ParseError: Error, Equatable, CustomStringConvertible {
    case syntax(String)
    case unknown(String)
    case unknownShort(String, in: String)
    case needsArgument(String)
    case value(flag: String, text: String, ValueError)

    package var description: String {
        switch self {
        case .syntax(let argument): "bad flag syntax: \(argument)"
        case .unknown(let name): "unknown flag: --\(name)"
        case .unknownShort(let letter, let cluster): "unknown shorthand flag: '\(letter)' in -\(cluster)"
        case .needsArgument(let flag): "flag needs an argument: \(flag)"
        case .value(let flag, let text, .invalid(let reason)):
            "invalid argument \(GoValue.quoted(text)) for \(GoValue.quoted(flag)) flag: \(reason)"
        case .value(_, _, .plain(let reason)): reason
        case .value(_, _, .planned(let subject)): "\(subject): not supported yet (planned)"
        }
    }

    /// Whether docker shows the usage line below the message: for what pflag refuses, not for later checks.
    package var showsUsage: Bool {
        switch self {
        case .value(_, _, .plain), .value(_, _, .planned): false
        default: true
        }
    }
}
