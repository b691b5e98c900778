import DockerCLI
import Testing

@Suite struct TemplateTests {
    private static let value = TemplateValue.record([
        .init("Name", .string("web")), .init("Size", .int(3)), .init("On", .bool(true)), .init("Off", .bool(false)),
        .init("Empty", .string("")), .init("Nothing", .null), .init("List", .strings(["a", "b"])),
        .init("Map", .map(["k": .string("v"), "a": .int(1)])),
        .init("Inner", .record([.init("Deep", .record([.init("X", .string("y"))]))])),
    ])

    @Test(arguments: [
        ("{{.Name}}", "web"), ("a{{ .Name }}b", "awebb"), ("{{.Inner.Deep.X}}", "y"), ("{{$.Name}}", "web"),
        ("{{.List}} {{.Map}} {{.On}} {{.Size}} {{.Nothing}}", "[a b] map[a:1 k:v] true 3 <nil>"),
        ("{{json .List}}", #"["a","b"]"#), ("{{json .Map}}", #"{"a":1,"k":"v"}"#), ("{{.Nothing | json}}", "null"),
        ("{{json .Inner}}", #"{"Deep":{"X":"y"}}"#), ("{{.Map.k}}{{.Map.none}}", "v<no value>"),
        ("{{upper .Name}}{{lower \"AB\"}}{{title \"a bc\"}}", "WEBabA Bc"), ("{{join .List \",\"}}", "a,b"),
        ("{{join (split \"a:b\" \":\") \"-\"}}", "a-b"), ("{{pad .Name 1 2}}|", " web  |"),
        ("{{truncate .Name 2}}", "we"),
        ("{{if .On}}y{{else}}n{{end}}{{if .Off}}y{{else}}n{{end}}", "yn"),
        ("{{if .Empty}}1{{else if .List}}2{{else}}3{{end}}", "2"),
        ("{{if and .On .Name}}1{{end}}{{if or .Off .Empty}}2{{end}}{{if not .Off}}3{{end}}", "13"),
        ("{{range .List}}<{{.}}>{{end}}", "<a><b>"),
        ("{{range $i, $x := .List}}{{$i}}{{$x}}{{$.Size}}{{end}}", "0a31b3"),
        ("{{range $k, $v := .Map}}{{$k}}={{$v}};{{end}}", "a=1;k=v;"),
        ("{{range .Nothing}}x{{else}}none{{end}}", "none"),
        ("{{with .Inner.Deep}}{{.X}}{{end}}{{with .Empty}}x{{else}}{{.Name}}{{end}}", "yweb"),
        ("{{$x := .Name}}{{$x | upper | printf \"%s!\"}}", "WEB!"),
        ("{{printf \"%-5s|%5d|%q|%%\" .Name .Size .Name}}", "web  |    3|\"web\"|%"),
        ("{{println .Name .Size}}", "web 3\n"),
        ("{{len .List}}{{index .List 1}}{{index .Map \"k\"}}{{slice .Name 1 2}}", "2bve"),
        ("{{eq .Name \"a\" \"web\"}}{{ne .Size 3}}{{lt 1 2}}{{ge 2 2}}", "truefalsetruetrue"),
        ("a {{- .Name -}} b", "awebb"), ("{{/* no */}}x{{`raw \\n`}}", "xraw \\n"), ("{{(index .List 0)}}", "a"),
        ("{{true}}{{nil | json}}", "truenull"), ("{{range 3}}{{.}}{{end}}", "012"),
        ("{{range .List}}{{.}}{{break}}{{end}}", "a"),
        ("{{range .List}}{{if eq . \"a\"}}{{continue}}{{end}}{{.}}{{end}}", "b"),
        ("{{json \"<&>\\n\"}}", #""<&>\n""#), ("no template", "no template"), ("", ""), ("}} {", "}} {"),
    ])
    func renders(_ template: String, _ expected: String) throws {
        #expect(try Template(template).render(Self.value) == expected)
    }

    @Test(arguments: [
        ("{{", "template: :1: unclosed action"), ("{{.A", "template: :1: unclosed action"),
        ("\n{{if}}", "template: :2: missing value for if"), ("{{range}}", "template: :1: missing value for range"),
        ("{{(.A}}", "template: :1: unclosed left paren"), ("{{.A)}}", "template: :1: unexpected right paren"),
        ("{{break}}", "template: :1: {{break}} outside {{range}}"),
        ("{{end}}", "template: :1: unexpected {{end}}"), ("{{else}}", "template: :1: unexpected {{else}}"),
        ("{{if .A}}", "template: :1: unexpected EOF"),
        ("{{nope}}", "template: :1: function \"nope\" not defined"),
        ("{{\"a}}", "template: :1: unterminated quoted string"),
        ("{{.A | }}", "template: :1: missing value for command"), ("{{/* x }}", "template: :1: unclosed comment"),
        ("{{$}", "template: :1: unexpected \"}\" in command"),
        ("{{99999999999999999999}}", "template: :1: bad number syntax: \"99999999999999999999\""),
    ])
    func refuses(_ template: String, _ message: String) {
        let error = #expect(throws: TemplateError.self) { try Template(template) }
        #expect(error?.description == message)
    }

    @Test(arguments: [
        ("{{.Foo}}", "template: :1:2: executing \"\" at <.Foo>: can't evaluate field Foo in type object"),
        ("\n x{{.Name.Foo}}", "template: :2:9: executing \"\" at <.Name.Foo>: can't evaluate field Foo in type string"),
        (
            "{{.Nothing.Foo}}",
            "template: :1:10: executing \"\" at <.Nothing.Foo>: nil pointer evaluating interface {}.Foo"
        ),
        ("{{range .Name}}{{end}}", "template: :1:8: executing \"\" at <.Name>: range can't iterate over web"),
        ("{{$x}}", "template: :1:2: executing \"\" at <$x>: undefined variable: $x"),
        ("{{.Name 1}}", "template: :1:2: executing \"\" at <.Name>: Name is not a method but has arguments"),
        (
            "{{index .List 5}}",
            "template: :1:2: executing \"\" at <index .List 5>: error calling index: index out of range: 5"
        ),
        (
            "{{index .List -1}}",
            "template: :1:2: executing \"\" at <index .List -1>: error calling index: index out of range: -1"
        ),
        (
            "{{upper .Size}}",
            "template: :1:2: executing \"\" at <upper .Size>: error calling upper: wrong type for value; expected string"
        ),
        (
            "{{pad .Name 9999999 1}}",
            "template: :1:2: executing \"\" at <pad .Name 9999999 1>: error calling pad: wrong value; expected int from 0 to 65536"
        ),
        ("{{json}}", "template: :1:2: executing \"\" at <json>: wrong number of args for json: want 1 got 0"),
        ("{{split .Name}}", "template: :1:2: executing \"\" at <split>: wrong number of args for split: want 2 got 1"),
        ("{{eq 1}}", "template: :1:2: executing \"\" at <eq 1>: error calling eq: missing argument for comparison"),
    ])
    func fails(_ template: String, _ message: String) throws {
        let parsed = try Template(template)
        let error = #expect(throws: TemplateError.self) { try parsed.render(Self.value) }
        #expect(error?.description == message)
    }

    @Test func deepTemplatesDoNotEndTheStack() {
        let template = String(repeating: "{{if .On}}", count: 10_000)
        #expect(throws: TemplateError.parse(line: 1, "template is nested too deeply")) { try Template(template) }
        let parentheses = "{{" + String(repeating: "(", count: 10_000)
        #expect(throws: TemplateError.self) { try Template(parentheses) }
    }

    @Test func tables() {
        #expect(
            Table.render(["A\tB", "long text here\tx", "no cells", "y\tz"])
                == "A                B\nlong text here   x\nno cells\ny         z\n")
        #expect(Table.render([]) == "" && Table.render([""]) == "\n")
    }
}
