import DockerCLI
import Engine
import OCI
import Testing

private func reason(_ body: () throws(ValueError) -> some Any) -> String? {
    do throws(ValueError) {
        _ = try body()
        return nil
    } catch {
        switch error {
        case .invalid(let text), .plain(let text): return text
        case .planned(let text): return "planned: " + text
        }
    }
}

@Suite struct SizeTests {
    @Test(
        arguments: [
            ("0", 0), ("32", 32), ("32b", 32), ("32B", 32), ("1k", 1024), ("1K", 1024), ("1KB", 1024), ("1kib", 1024),
            ("1.5g", 1_610_612_736), (".5g", 536_870_912), ("5.", 5), ("1 k", 1024), ("100 kb", 102_400), ("1e3", 1000),
            ("2t", 2 << 40), ("1p", 1 << 50), ("512m", 512 << 20),
        ] as [(String, Int64)])
    func reads(_ text: String, _ bytes: Int64) throws { #expect(try Sizes.ram(text) == bytes) }

    /// docker's words, as its own client prints them.
    @Test(arguments: [
        ("", "invalid size: ''"), ("x", "invalid size: 'x'"), ("-5", "invalid size: '-5'"), ("=", "invalid size: '='"),
        ("1x", "invalid suffix: 'x'"), ("1kbb", "invalid suffix: 'kbb'"), ("1gg", "invalid suffix: 'gg'"),
        ("5bb", "invalid suffix: 'bb'"), ("1kibi", "invalid suffix: 'kibi'"),
        ("1  k", "strconv.ParseFloat: parsing \"1 \": invalid syntax"),
        ("1.5.5g", "strconv.ParseFloat: parsing \"1.5.5\": invalid syntax"),
        (" 5m", "strconv.ParseFloat: parsing \" 5\": invalid syntax"),
        ("0x5", "strconv.ParseFloat: parsing \"0x5\": invalid syntax"),
        ("1e999", "strconv.ParseFloat: parsing \"1e999\": value out of range"),
        ("999999999999g", "invalid size: '999999999999g': value out of range"),
    ])
    func refuses(_ text: String, _ message: String) {
        #expect(reason { () throws(ValueError) in try Sizes.ram(text) } == message)
    }

    @Test(
        arguments: [
            ("1.5", 1_500_000_000), ("1", 1_000_000_000), (".5", 500_000_000), ("1e-2", 10_000_000),
            ("3/4", 750_000_000),
            ("0.000000001", 1), ("1.5000000000000000", 1_500_000_000), ("+2", 2_000_000_000),
        ] as [(String, Int64)])
    func readsCPUs(_ text: String, _ nano: Int64) throws { #expect(try Sizes.nanoCPUs(text) == nano) }

    @Test(arguments: [
        ("1/3", "value is too precise"), ("0.0000000001", "value is too precise"),
        ("99999999999999999", "value is too large"),
        ("", "failed to parse  as a rational number"), ("1/0", "failed to parse 1/0 as a rational number"),
        ("inf", "failed to parse inf as a rational number"),
        ("1e99999999999", "failed to parse 1e99999999999 as a rational number"),
        (" 1", "failed to parse  1 as a rational number"), (".", "failed to parse . as a rational number"),
        ("-", "failed to parse - as a rational number"), ("1e", "failed to parse 1e as a rational number"),
    ])
    func refusesCPUs(_ text: String, _ message: String) {
        #expect(reason { () throws(ValueError) in try Sizes.nanoCPUs(text) } == message)
    }

    @Test(
        arguments: [
            ("0x10", 16), ("1_0", 10), ("010", 8), ("0b11", 3), ("-1", -1), ("9223372036854775807", .max),
            ("-9223372036854775808", .min),
        ] as [(String, Int64)])
    func readsIntegers(_ text: String, _ value: Int64) throws { #expect(try GoValue.int64(text) == value) }

    @Test(arguments: ["", "-", "1_", "_1", "08", "0x", "1 ", "99999999999999999999", "9223372036854775808", "١"])
    func refusesIntegers(_ text: String) { #expect(reason { () throws(ValueError) in try GoValue.int64(text) } != nil) }

    @Test(
        "X5: what a terminal would obey is quoted as Go quotes it",
        arguments: [
            ("a b", #""a b""#), ("\n\t\u{1b}\u{7f}", #""\n\t\x1b\x7f""#), ("\u{9b}31m", #""\u009b31m""#),
            ("\u{202e}x", #""\u202ex""#), ("\u{a0}", #""\u00a0""#), ("\u{e0001}", #""\U000e0001""#),
            ("ü\u{301}\"\\", "\"ü\u{301}\\\"\\\\\""),
        ])
    func quotesWhatDoesNotShow(_ text: String, _ expected: String) {
        #expect(Array(GoValue.quoted(text).unicodeScalars) == Array(expected.unicodeScalars))
    }

    @Test("X5: controls of every kind are seen", arguments: ["\0", "\n", "\u{1b}", "\u{7f}", "\u{80}", "\u{9f}"])
    func seesControlCharacters(_ character: String) {
        #expect("a\(character)b".hasControlCharacters && !"a\u{a0}ü b".hasControlCharacters)
    }
}

@Suite struct VolumeTests {
    @Test(arguments: [
        ("/a:/b", MountRequest.Kind.bind(source: "/a", create: true), "/b"),
        ("./a:/b", .bind(source: "./a", create: true), "/b"), ("..:/b/../c/", .bind(source: "..", create: true), "/c"),
        ("name:/b", .volume(name: "name"), "/b"), ("/b", .anonymousVolume, "/b"),
    ])
    func reads(_ text: String, _ kind: MountRequest.Kind, _ target: String) throws {
        #expect(try Volumes.parse(text) == MountRequest(kind: kind, target: target))
    }

    @Test func readsOptions() throws {
        let request = try Volumes.parse("/a:/b:ro,rslave,z,nocopy,cached")
        #expect(request.readOnly && request.propagation == "rslave" && !request.copyUp)
        #expect(try !Volumes.parse("/a:/b:rw").readOnly)
    }

    @Test(arguments: [
        ("a:b:c:d", "invalid volume specification: 'a:b:c:d'"), (":", "invalid volume specification: ':'"),
        (":/b", "invalid volume specification: ':/b'"), ("/a:", "invalid volume specification: '/a:'"),
        ("/a:ro", "invalid volume specification: '/a:ro'"), ("/a:/b:foo", "invalid mode: foo"),
        ("/a:/b:ro,rw", "invalid mode: ro,rw"), ("/a:/b:ro,ro", "invalid mode: ro,ro"),
        ("/a:/b:ro,", "invalid mode: ro,"),
        (
            "/a:b",
            "invalid volume specification: '/a:b': invalid mount config for type \"bind\": invalid mount path: 'b' mount path must be absolute"
        ),
        (
            "/a:/",
            "invalid volume specification: '/a:/': invalid mount config for type \"bind\": invalid specification: destination can't be '/'"
        ),
        (
            "/a:/x/..",
            "invalid volume specification: '/a:/x/..': invalid mount config for type \"bind\": invalid specification: destination can't be '/'"
        ),
        ("n:/b", "create n: volume name is too short, names should be at least two alphanumeric characters"),
        (
            "x/y:/b",
            "create x/y: \"x/y\" includes invalid characters for a local volume name, only \"[a-zA-Z0-9][a-zA-Z0-9_.-]\" are allowed. If you intended to pass a host directory, use absolute path"
        ),
        (
            "nn:/b:rshared",
            "invalid volume specification: 'nn:/b:rshared': invalid mount config for type \"volume\": field BindOptions must not be specified"
        ),
        ("/a\n:/b", "invalid volume specification: '\"/a\\n:/b\"': control character"),
    ])
    func refuses(_ text: String, _ message: String) {
        #expect(reason { () throws(ValueError) in try Volumes.parse(text) } == message)
    }

    @Test(arguments: [
        ("foo", "invalid mount config for type \"tmpfs\": invalid mount path: 'foo' mount path must be absolute"),
        ("/x:size", "invalid tmpfs option \"size\""), ("/x:foo=1", "invalid tmpfs option \"foo=1\""),
        ("/", "invalid mount config for type \"tmpfs\": invalid specification: destination can't be '/'"),
    ])
    func refusesTmpfs(_ text: String, _ message: String) {
        #expect(reason { () throws(ValueError) in try Tmpfs.parse(text) } == message)
    }
}

@Suite struct MountTests {
    @Test func reads() throws {
        var bind = MountRequest(kind: .bind(source: "/a,b", create: false), target: "/c")
        bind.readOnly = true
        bind.propagation = "rshared"
        #expect(try Mounts.parse("type=bind,\"src=/a,b\",dst=/c,readonly,bind-propagation=rshared") == bind)
        #expect(try Mounts.parse("TYPE=BIND,source=./x,target=/c,ro=false").kind == .bind(source: "./x", create: false))
        let tmpfs = try Mounts.parse("type=tmpfs,destination=/t,tmpfs-size=64m,tmpfs-mode=1770")
        #expect(tmpfs.kind == .tmpfs(options: ["size=67108864", "mode=1770"]))
        let volume = try Mounts.parse("src=data,dst=/d,volume-nocopy,volume-driver=local")
        #expect(volume.kind == .volume(name: "data") && !volume.copyUp)
        #expect(try Mounts.parse("dst=/d").kind == .anonymousVolume)
        #expect(
            try Mounts.parse("\"type=\"\"bind\"\"\",src=/a,dst=/b".replacing("\"\"bind\"\"", with: "bind")).target
                == "/b")
    }

    /// docker 28's own words where its client checks, its daemon's where that does.
    @Test(arguments: [
        ("", "EOF"), ("foo", "invalid field 'foo' must be a key=value pair"),
        ("foo=bar", "unexpected key 'foo' in 'foo=bar'"), ("type=bind", "target is required"),
        ("dst=", "target is required"), ("type=,target=/x", "type is required"),
        ("dst=/b,", "invalid field '' must be a key=value pair"),
        ("dst=/b, ro", "invalid field ' ro' must be a key=value pair"),
        ("dst =/b", "unexpected key 'dst ' in 'dst =/b'"),
        ("type=bind,src=/a,target=/x,volume-nocopy=true", "cannot mix 'volume-*' options with mount type 'bind'"),
        ("type=volume,dst=/b,bind-recursive=disabled", "cannot mix 'bind-*' options with mount type 'volume'"),
        ("type=bind,tmpfs-mode=755,dst=/b", "cannot mix 'tmpfs-*' options with mount type 'bind'"),
        ("type=tmpfs,target=/x,tmpfs-size=x", "invalid value for tmpfs-size: x"),
        ("type=tmpfs,target=/x,tmpfs-mode=9", "invalid value for tmpfs-mode: 9"),
        ("type=bind,src=a,target=x,readonly=maybe", "invalid value for readonly: maybe"),
        ("type=bind,\"src=a", "parse error on line 1, column 17: extraneous or missing \" in quoted-field"),
        ("type=bi\"nd,dst=/b", "parse error on line 1, column 8: bare \" in non-quoted-field"),
        ("\"type\"x=bind,dst=/b", "parse error on line 1, column 6: extraneous or missing \" in quoted-field"),
        (
            "type=bind,src=/a,dst=/b,bind-recursive=x",
            "invalid value for bind-recursive: x (must be \"enabled\", \"disabled\", \"writable\", or \"readonly\")"
        ),
        (
            "type=bind,src=/a,dst=/b,bind-recursive=writable",
            "option 'bind-recursive=writable' requires 'readonly' to be specified in conjunction"
        ),
        ("type=bind,src=/a,dst=/b,ro,bind-recursive=readonly", "planned: mount option bind-recursive=readonly"),
        ("type=image,src=a,dst=/b", "planned: mount type image"),
        ("dst=/b,volume-opt=a=b", "planned: mount option volume-opt"),
        ("type=bind,target=/x", "invalid mount config for type \"bind\": field Source must not be empty"),
        (
            "type=bind,src=a,dst=/x",
            "invalid mount config for type \"bind\": invalid mount path: 'a' mount path must be absolute"
        ),
        ("type=tmpfs,src=/a,dst=/x", "invalid mount config for type \"tmpfs\": field Source must not be specified"),
        (
            "type=bind,src=/a,dst=/x,bind-propagation=foo",
            "invalid mount config for type \"bind\": invalid propagation mode: foo"
        ),
        (
            "type=bind,src=/a,dst=x",
            "invalid mount config for type \"bind\": invalid mount path: 'x' mount path must be absolute"
        ),
        ("type=foo,dst=/x", "mount type unknown: \"foo\""),
        (
            "dst=/x,ro",
            "invalid mount config for type \"volume\": must not set ReadOnly mode when using anonymous volumes"
        ),
        ("dst=/x\n", "control character in the specification"),
    ])
    func refuses(_ text: String, _ message: String) {
        #expect(reason { () throws(ValueError) in try Mounts.parse(text) } == message)
    }
}

@Suite struct EnvironmentFileTests {
    @Test func reads() throws {
        let text = "\u{FEFF}A=1\n# no\n\n  # no either\n  B = x \nC\nD=\"q\" # kept\nE=\r\nF=a=b\n\tG=\t\nH=é"
        let error = #expect(throws: EnvironmentFile.ParseError.self) {
            try EnvironmentFile.parse(Array(text.utf8), file: "f")
        }
        #expect(error?.description == "f:5: variable 'B ' contains whitespaces")
        let good = text.replacing("B =", with: "B=")
        let entries = try EnvironmentFile.parse(Array(good.utf8), file: "f")
        #expect(entries.map(\.name) == ["A", "B", "C", "D", "E", "F", "G", "H"])
        #expect(entries.map(\.value) == ["1", " x ", nil, "\"q\" # kept", "", "a=b", "\t", "é"])
    }

    @Test(
        arguments: [
            ([0x3D, 0x78], "f:1: no variable name on line '=x'"), ([0x41, 0x0A, 0x42, 0xFF], "f:2: invalid UTF-8"),
            ([0x41, 0x3D, 0x00], "f:1: NUL byte"),
        ] as [([UInt8], String)])
    func refuses(_ bytes: [UInt8], _ message: String) {
        let error = #expect(throws: EnvironmentFile.ParseError.self) { try EnvironmentFile.parse(bytes, file: "f") }
        #expect(error?.description == message)
    }

    @Test func refusesEndlessLines() {
        let error = #expect(throws: EnvironmentFile.ParseError.self) {
            try EnvironmentFile.parse([UInt8](repeating: 65, count: 200_000), file: "f")
        }
        #expect(error?.reason == "line is too long")
        #expect(throws: Never.self) { try EnvironmentFile.parse([], file: "f") }
    }
}
