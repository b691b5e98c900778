internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `layers` of images that are there.
    @Suite struct Layers {
        /// 1000 bytes that stay, and 200, 30, 4 that a later layer replaces, deletes, hides below an opaque directory.
        private static let first = """
            mkdir -p keep gone opaque/in; head -c 1000 /dev/zero > keep/file; ln keep/file keep/again
            head -c 200 /dev/zero > replaced; head -c 30 /dev/zero > gone/file; head -c 4 /dev/zero > opaque/in/file
            """

        private static let second = """
            mkdir opaque; touch .wh.gone opaque/.wh..wh..opq; head -c 50 /dev/zero > replaced
            head -c 6 /dev/zero > opaque/new
            """

        private static func step(_ text: String, isEmpty: Bool = false) -> ImageConfig.History {
            var step = ImageConfig.History()
            step.createdBy = text
            step.emptyLayer = isEmpty
            return step
        }

        private static func rows(_ runimg: Runimg, _ images: String...) throws -> [JSONValue] {
            try runimg.run(["layers", "--format", "json"] + images).lines.map { try JSONValue(parsing: Array($0.utf8)) }
        }

        @Test func tellsWhatIsHiddenAndShared() throws {
            let runimg = try Runimg()
            let tars = [try ImageForge.tar(Self.first), try ImageForge.tar(Self.second)]
            for (name, layers) in [("lower:1", [tars[0]]), ("upper:1", tars)] {
                let path = runimg.scratch("layout-\(layers.count)")
                try ImageForge.layout(path, tars: layers) { config in
                    config.history = layers.indices.map { Self.step("STEP \($0)") }
                    config.history?.insert(Self.step("ENV", isEmpty: true), at: 0)
                }
                let id = try #require(try runimg.check("pull", "-q", "oci:\(path):latest").lines.last)
                try runimg.check("tag", id, name)
            }
            let upper = try Self.rows(runimg, "upper:1")
            #expect(
                upper.map { $0["Hidden"]?.integer } == [234, 0] && upper.map { $0["HiddenFiles"]?.integer } == [3, 0])
            #expect(upper.map { $0["CreatedBy"]?.string } == ["STEP 0", "STEP 1"])
            #expect(upper.map { $0["SharedWith"]?.strings } == [["lower:1"], []])
            #expect(upper.map { $0["Size"]?.integer } == [1234, 56])
            // Alone it hides nothing; together what one of them shows is not hidden.
            #expect(try Self.rows(runimg, "lower:1").map { $0["Hidden"]?.integer } == [0])
            #expect(try Self.rows(runimg, "upper:1", "lower:1", "upper:1").map { $0["Hidden"]?.integer } == [0, 0])
            let text = try runimg.check("layers", "upper:1").stdout
            #expect(text.contains("2 layers, 1.29kB, of which 234B (18%) hidden, 1.234kB shared"), "\(text)")
            let page = runimg.scratch("page.html")
            try runimg.check("layers", "--html", page, "upper:1")
            let html = String(decoding: try File.readAll(page), as: UTF8.self)
            #expect(
                html.contains("STEP 1") && html.contains("/keep") && html.contains("/opaque/in: 4B, 4B hidden")
            )
            let missing = try runimg("layers", "upper:1", "nosuch:1")
            #expect(missing.status == 1 && missing.stderr.contains("No such image: nosuch:1"), "\(missing)")
        }
    }
}
