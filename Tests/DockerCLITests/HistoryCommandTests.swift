import DockerCLI
import Engine
import OCI
import Testing

/// `history`, against what docker's own client prints.
@Suite struct HistoryCommandTests {
    private static func bench() throws -> Bench {
        let bench = Bench()
        var last = ImageStep()
        last.id = try Digest(parsing: "sha256:9" + String(repeating: "2", count: 63))
        last.created = 1_763_696_400
        last.createdBy = "/bin/sh -c #(nop)  CMD [\"sh\"]\tand so on and so forth and more"
        last.comment = "a <b>"
        var first = ImageStep()
        first.createdBy = "ADD file:\u{1b}[2J\nin /"
        first.size = 7_797_760
        bench.engine.histories["alpine"] = [last, first]
        return bench
    }

    private static func output(_ arguments: [String]) throws -> String {
        let bench = try bench()
        #expect(bench.run(["history"] + arguments + ["alpine"]) == 0)
        #expect(bench.errors.text.isEmpty)
        return bench.output.text
    }

    @Test func table() throws {
        #expect(
            try Self.output([]) == """
                IMAGE          CREATED             CREATED BY                                      SIZE      COMMENT
                922222222222   About an hour ago   /bin/sh -c #(nop)  CMD ["sh"] and so on and …   0B        a <b>
                <missing>      N/A                 ADD file:U+001B[2J in /                         7.8MB     \("")

                """)
    }

    @Test func inFull() throws {
        let lines = try Self.output(["--no-trunc", "-H=false"]).split(separator: "\n")
        #expect(lines[0].hasPrefix("IMAGE") && lines[0].contains("CREATED AT") && lines.count == 3)
        #expect(lines[1].hasPrefix("sha256:92222") && lines[1].contains("and so forth and more"))
        #expect(lines[1].contains(Human.localTime(1_763_696_400)))
        #expect(lines[2].contains("   7797760   "))
    }

    @Test func formats() throws {
        #expect(try Self.output(["-q"]) == "922222222222\n<missing>\n")
        #expect(try Self.output(["--format", "{{.ID}} {{.Size}}"]) == "922222222222 0B\n<missing> 7.8MB\n")
        let json = try Self.output(["--format", "json", "--no-trunc"]).split(separator: "\n")[0]
        #expect(
            json.hasPrefix(
                #"{"Comment":"a \u003cb\u003e","CreatedAt":"\#(Human.localTime(1_763_696_400))","CreatedBy":"#))
        #expect(json.contains(#""CreatedSince":"About an hour ago","ID":"sha256:92"#))
    }

    @Test func refuses() throws {
        for (line, code, message) in [
            ("history nosuch", 1, "runimg: No such image: nosuch\n"),
            ("history", 1, "runimg: 'runimg history' requires 1 argument\n"),
            (
                "image history --platform linux/arm64 alpine", 125,
                "runimg: flag --platform: not supported yet (planned)"
            ),
            ("history --format {{.Foo}} alpine", 1, "runimg: failed to execute template: template: :1:2"),
        ] as [(String, Int32, String)] {
            let bench = try Self.bench()
            #expect(bench.run(line) == code)
            #expect(bench.errors.text.hasPrefix(message), "\(bench.errors.text)")
            #expect(bench.output.text.isEmpty)
        }
    }

    @Test func timesAreLocal() {
        let text = Human.localTime(1_757_000_000)
        #expect(text.hasPrefix("2025-09-0") && (text.hasSuffix("Z") || text.dropLast(2).hasSuffix(":")))
    }
}
