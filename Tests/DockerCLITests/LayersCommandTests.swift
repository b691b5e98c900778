import DockerCLI
import Engine
import OCI
import Testing

/// `layers`: the picture, the rows and the page.
@Suite struct LayersCommandTests {
    private static func digest(_ first: Character) throws -> Digest {
        try Digest(parsing: "sha256:" + String(repeating: first, count: 64))
    }

    /// Two images that part above their first layer.
    private static func bench() throws -> Bench {
        let bench = Bench()
        var tree = LayerTree()
        let steps: [(Character, Character?, Int64, Int64, String)] = [
            ("a", nil, 8_000_000, 2_000_000, "ADD <rootfs> & \"more\""),
            ("b", "a", 4_000_000, 0, "RUN x\tand\u{1b}[31m y"),
            ("c", "a", 1000, 1000, ""),
        ]
        for (name, parent, size, hidden, step) in steps {
            var layer = LayerTree.Layer(
                chainID: try digest(name), diffID: try digest("d"), parent: try parent.map(digest))
            (layer.size, layer.hidden, layer.createdBy) = (size, hidden, step)
            layer.hiddenFiles = hidden > 0 ? 3 : 0
            layer.holders = name == "a" ? ["one:1", "other:3", "two:2"] : [name == "b" ? "one:1" : "two:2"]
            layer.parts = [
                LayerTree.Part(path: "/usr/<lib>", bytes: size / 4 * 3, hidden: hidden),
                LayerTree.Part(path: "/etc", bytes: size / 4, hidden: 0),
            ]
            tree.layers.append(layer)
        }
        tree.images = [
            LayerTree.Member(id: try digest("e"), name: "one:1", top: try digest("b")),
            LayerTree.Member(id: try digest("f"), name: "two:2", top: try digest("c")),
        ]
        bench.engine.layerTree = tree
        return bench
    }

    @Test func picture() throws {
        let bench = try Self.bench()
        #expect(bench.run("layers one:1 two:2") == 0)
        let expected = """
            LAYER                                     SIZE     HIDDEN   SHARED WITH   IMAGE   CREATED BY
            aaaaaaaaaaaa      ███████████████░░░░░   8MB      2MB      other:3               ADD <rootfs> & "more"
            ├─ bbbbbbbbbbbb   ██████████             4MB      -        -             one:1   RUN x andU+001B[31m y
            └─ cccccccccccc   ░                      1kB      1kB      -             two:2

            3 layers, 12MB, of which 2.001MB (16%) hidden, 8MB shared with other images

            """
        let lines = bench.output.text.split(separator: "\n", omittingEmptySubsequences: false)
        #expect(lines.count == 7, "\(bench.output.text)")
        for (line, wanted) in zip(lines, expected.split(separator: "\n", omittingEmptySubsequences: false)) {
            func words(_ text: Substring) -> [Substring] { text.split(separator: " ") }
            #expect(words(line) == words(wanted))
        }
    }

    @Test func rows() throws {
        let bench = try Self.bench()
        #expect(bench.run("layers --format json x") == 0)
        let rows = try bench.output.text.split(separator: "\n").map { try JSONValue(parsing: Array($0.utf8)) }
        #expect(rows.count == 3)
        #expect(rows[0]["Hidden"]?.integer == 2_000_000 && rows[0]["SharedWith"]?.strings == ["other:3"])
        #expect(rows[1]["Parent"]?.string == "sha256:" + String(repeating: "a", count: 64))
        let other = try Self.bench()
        #expect(other.run("layers --format {{.Size}}:{{.HiddenFiles}} x") == 0)
        #expect(other.output.text == "8000000:3\n4000000:0\n1000:3\n")
    }

    @Test("what an image says is text on the page, and nothing comes from elsewhere") func page() throws {
        let bench = try Self.bench()
        bench.engine.layerTree.images[0].name = "<script>alert('1')</script>"
        #expect(bench.run("layers --html - x") == 0)
        let text = bench.output.text
        #expect(!text.contains("<script") && text.contains("&lt;script&gt;alert(&#39;1&#39;)"))
        #expect(text.contains("ADD &lt;rootfs&gt; &amp; &quot;more&quot;") && text.contains("/usr/&lt;lib&gt;"))
        #expect(
            !text.contains("http://") && !text.contains("https://") && !text.contains("url(") && !text.contains("src="))
        #expect(text.contains("default-src 'none'") && text.contains("light dark"))
        for tag in ["div", "table", "style", "span", "body", "html"] {
            #expect(text.ranges(of: "<\(tag)").count == text.ranges(of: "</\(tag)>").count, "\(tag)")
        }
        #expect(bench.run("layers --html - --format json x") == 1)
    }

    @Test("a map's areas are as its weights, inside and apart", arguments: [1, 2, 3, 7, 40])
    func map(count: Int) {
        let area = Treemap.Rectangle(x: 5, y: 7, width: 160, height: 90)
        let weights = (1...count).map { Double($0 * $0) }.reversed().map { $0 }
        let places = Treemap.layout(weights, in: area)
        #expect(places.count == count)
        let unit = area.width * area.height / weights.reduce(0, +)
        for (weight, place) in zip(weights, places) {
            #expect(abs(place.width * place.height - weight * unit) < 0.01)
            #expect(
                place.x > 4.99 && place.y > 6.99 && place.x + place.width < 165.01 && place.y + place.height < 97.01)
        }
        for (index, one) in places.enumerated() {
            for other in places[(index + 1)...] {
                let across = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
                let down = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
                #expect(across < 0.01 || down < 0.01)
            }
        }
    }
}
