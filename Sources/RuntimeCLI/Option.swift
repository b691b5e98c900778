/// One option of a command line.
struct Option: Sendable {
    let name: String
    let short: Character?
    /// What help shows for its value; nil for a switch.
    let value: String?
    let summary: String

    init(_ name: String, short: Character? = nil, value: String? = nil, _ summary: String) {
        self.name = name
        self.short = short
        self.value = value
        self.summary = summary
    }
}

/// A command line taken apart, in the grammar of runc and crun: `--name value`, `--name=value`, one dash as good as two,
/// single letters; `--` ends the options.
struct ParsedLine: Sendable {
    private(set) var values: [String: [String]] = [:]
    private(set) var positionals: [String] = []
    private(set) var asksForHelp = false

    /// - Parameter stops: whether the first argument that is no option ends the options.
    init(_ arguments: some Sequence<String>, _ options: [Option], stops: Bool) throws(CommandFault) {
        var rest = ArraySlice(Array(arguments))
        while let argument = rest.popFirst() {
            if argument == "--" {
                positionals += rest
                break
            }
            if argument.utf8.first != UInt8(ascii: "-") || argument.utf8.count < 2 {
                positionals.append(argument)
                if !stops { continue }
                positionals += rest
                break
            }
            try take(argument, &rest, options)
        }
    }

    private mutating func take(
        _ argument: String, _ rest: inout ArraySlice<String>, _ options: [Option]
    ) throws(CommandFault) {
        let body = argument.drop { $0 == "-" }
        let parts = body.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = parts.first ?? ""
        guard let option = options.first(where: { $0.name == name || $0.short.map { String($0) } == name }) else {
            if name == "help" || name == "h" {
                asksForHelp = true
                return
            }
            throw .usage("flag provided but not defined: \(argument)")
        }
        if parts.count == 2 {
            values[option.name, default: []].append(parts[1])
        } else if option.value == nil {
            values[option.name, default: []].append("true")
        } else if let next = rest.popFirst() {
            values[option.name, default: []].append(next)
        } else {
            throw .usage("flag needs an argument: \(argument)")
        }
    }

    /// Of one that is given twice the last one counts.
    subscript(_ name: String) -> String? { values[name]?.last }

    func all(_ name: String) -> [String] { values[name] ?? [] }

    func isOn(_ name: String) throws(CommandFault) -> Bool {
        guard let text = self[name] else { return false }
        switch text {
        case "true", "1", "t", "T", "TRUE", "True": return true
        case "false", "0", "f", "F", "FALSE", "False": return false
        default: throw .usage("invalid value \"\(text)\" for flag --\(name): neither true nor false")
        }
    }

    func number<Number: FixedWidthInteger>(_ name: String) throws(CommandFault) -> Number? {
        guard let text = self[name] else { return nil }
        guard let number = Number(text) else {
            throw .usage("invalid value \"\(text)\" for flag --\(name): not a whole number, or out of range")
        }
        return number
    }

    /// A number of bytes, also as `64k`, `32MB` or `2GiB` in powers of 1024; -1 for no limit.
    func size(_ name: String) throws(CommandFault) -> Int64? {
        guard let text = self[name] else { return nil }
        if text == "-1" { return -1 }
        let digits = text.prefix { $0.isASCII && $0.isNumber }
        let units = ["", "k", "m", "g", "t", "p"]
        let unit = text.dropFirst(digits.count).lowercased()
        let power = units.firstIndex { unit == $0 || unit == $0 + "b" || !$0.isEmpty && unit == $0 + "ib" }
        guard let count = Int64(digits), let power else {
            throw .usage("invalid value \"\(text)\" for flag --\(name): not a whole number of bytes such as 64m")
        }
        let (bytes, isTooMuch) = count.multipliedReportingOverflow(by: 1 << (10 * Int64(power)))
        if isTooMuch { throw .usage("invalid value \"\(text)\" for flag --\(name): out of range") }
        return bytes
    }
}
