import DockerCLI
import Testing

/// pflag's grammar; the expected texts are those of docker 28.
@Suite struct FlagGrammarTests {
    private struct Options: Sendable, Equatable {
        var interactive = false
        var terminal = false
        var memory = ""
        var variables: [String] = []
    }

    private static let flags: [Flag<Options>] = [
        .bool("interactive", short: "i", "") { $0.interactive = $1 },
        .bool("tty", short: "t", "") { $0.terminal = $1 },
        .value("memory", short: "m", "") { $0.memory = $1 },
        .value("env", short: "e", type: "list", "") { $0.variables.append($1) },
        .planned("detach", short: "d", type: "bool", ""),
        .planned("restart", "", neutral: "no"),
        .planned("sig-proxy", type: "bool", "", neutral: "true"),
        .refused("host", short: "H", type: "list", "", reason: "there is no daemon"),
        Flag.value("graph", short: "g", "") { $0.memory = $1 }.hidden(deprecated: "use --data-root instead"),
        .ignored("kernel-memory", type: "bytes", "", warning: "no effect"),
    ]

    private static func parse(
        _ arguments: [String], interspersed: Bool = false
    ) throws(ParseError) -> (Options, FlagParser<Options>.Outcome) {
        var options = Options()
        let outcome = try FlagParser(FlagTable(flags), interspersed: interspersed).parse(arguments[...], into: &options)
        return (options, outcome)
    }

    @Test(
        arguments: [
            (["-it"], true, true, "", []), (["-i", "-t"], true, true, "", []), (["-ti=false"], false, true, "", []),
            (["--interactive=0", "-t=1"], false, true, "", []), (["-itm", "5m"], true, true, "5m", []),
            (["-itm5m"], true, true, "5m", []), (["-m=5m"], false, false, "5m", []),
            (["--memory=5=m"], false, false, "5=m", []),
            (["--memory", "5m", "-m", "6m"], false, false, "6m", []),
            (["-e=A=B", "-eC=D", "--env", "E"], false, false, "", ["A=B", "C=D", "E"]),
            (["-e", "--tty"], false, false, "", ["--tty"]), (["--memory="], false, false, "", []),
            (["-m="], false, false, "=", []),
            (["--detach=false", "--restart=no", "--sig-proxy"], false, false, "", []),
        ] as [([String], Bool, Bool, String, [String])])
    func accepts(_ arguments: [String], _ interactive: Bool, _ terminal: Bool, _ memory: String, _ variables: [String])
        throws
    {
        let expected = Options(interactive: interactive, terminal: terminal, memory: memory, variables: variables)
        #expect(try Self.parse(arguments).0 == expected)
    }

    @Test(
        arguments: [
            (["--foo"], "unknown flag: --foo"), (["--foo=x"], "unknown flag: --foo"),
            (["-zx"], "unknown shorthand flag: 'z' in -zx"), (["-izx"], "unknown shorthand flag: 'z' in -zx"),
            (["-i="], "unknown shorthand flag: '=' in -="), (["-m"], "flag needs an argument: 'm' in -m"),
            (["-itm"], "flag needs an argument: 'm' in -m"), (["--memory"], "flag needs an argument: --memory"),
            (["--=x"], "bad flag syntax: --=x"), (["---x"], "bad flag syntax: ---x"),
            (
                ["-ti=x"],
                "invalid argument \"x\" for \"-i, --interactive\" flag: strconv.ParseBool: parsing \"x\": invalid syntax"
            ), (["-d"], "flag -d, --detach: not supported yet (planned)"),
            (["--detach=true"], "flag -d, --detach: not supported yet (planned)"),
            (["--restart=always"], "flag --restart: not supported yet (planned)"),
            (["--sig-proxy=false"], "flag --sig-proxy: not supported yet (planned)"),
            (["-H", "tcp://x"], "flag -H, --host: there is no daemon"),
        ] as [([String], String)])
    func refuses(_ arguments: [String], _ message: String) {
        let error = #expect(throws: ParseError.self) { try Self.parse(arguments) }
        #expect(error?.description == message)
    }

    @Test func flagsEndAtTheFirstArgument() throws {
        let (options, outcome) = try Self.parse(["-i", "alpine", "-t", "--foo", "--"])
        #expect(options == Options(interactive: true))
        #expect(outcome.positionals == ["alpine", "-t", "--foo", "--"])
        let (_, dash) = try Self.parse(["-", "-t"])
        #expect(dash.positionals == ["-", "-t"])
        let (_, empty) = try Self.parse(["", "-t"])
        #expect(empty.positionals == ["", "-t"])
    }

    @Test func flagsMayFollowArgumentsWhereTheCommandAllows() throws {
        let (options, outcome) = try Self.parse(["a", "-i", "b", "--", "-t"], interspersed: true)
        #expect(options == Options(interactive: true))
        #expect(outcome.positionals == ["a", "b", "-t"])
    }

    @Test func helpAndWarnings() throws {
        #expect(try Self.parse(["--help"]).1.help)
        #expect(try !Self.parse(["--help=false"]).1.help)
        let (_, short) = try Self.parse(["-h"])
        #expect(short.help && short.warnings == ["Flag shorthand -h has been deprecated, use --help"])
        let (options, old) = try Self.parse(["-g", "/x", "--kernel-memory", "1"])
        #expect(options.memory == "/x")
        #expect(old.warnings == ["Flag --graph has been deprecated, use --data-root instead", "no effect"])
    }

    /// A flag that does not exist is worse than one that is refused, and help is given in spite of the latter.
    @Test func saysTheGravestFirst() throws {
        let error = #expect(throws: ParseError.self) { try Self.parse(["-d", "--restart=always", "--foo"]) }
        #expect(error?.description == "unknown flag: --foo")
        let first = #expect(throws: ParseError.self) { try Self.parse(["--restart=always", "-d"]) }
        #expect(first?.description == "flag --restart: not supported yet (planned)")
        #expect(try Self.parse(["-d", "--help"]).1.help)
    }

    /// A combining mark behind `=` must not hide it.
    @Test func splitsByBytes() throws {
        let (options, _) = try Self.parse(["--env=\u{301}x", "-e\u{301}"])
        #expect(options.variables == ["\u{301}x", "\u{301}"])
    }
}
