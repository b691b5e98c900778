internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `search` as users see it.
    @Suite(.enabled(if: Conditions.canPull, "needs docker-registry and skopeo")) struct SearchTests {
        typealias Response = FaultyRegistry.Response

        /// A registry with docker's old search, as Docker Hub's.
        private static func hub() throws -> FaultyRegistry {
            try FaultyRegistry { request, _ in
                guard request.path == "/v1/search" else { return Response(404) }
                return Response(
                    200,
                    text: """
                        {"results":[
                        {"name":"team/nginx","description":"A \\u001b[31mred one\\nof two lines, and so long that it is cut in a table",
                         "star_count":7,"is_official":false,"is_automated":true},
                        {"name":"nginx","description":"Official build.","star_count":20000,"is_official":true,"is_automated":false},
                        {"name":"BAD name","star_count":30000}]}
                        """)
            }
        }

        @Test func theTableIsDockers() throws {
            let server = try Self.hub()
            let runimg = try Runimg()
            let term = "\(server.host)/nginx"
            let lines = try runimg.check("search", term).lines
            let width = "\(server.host)/team/nginx".count + 3
            func padded(_ text: String, _ width: Int) -> String {
                text + String(repeating: " ", count: max(0, width - text.count))
            }
            #expect(
                lines == [
                    padded("NAME", width) + padded("DESCRIPTION", 48) + "STARS     OFFICIAL",
                    padded("\(server.host)/nginx", width) + padded("Official build.", 48) + "20000     [OK]",
                    padded("\(server.host)/team/nginx", width)
                        + "A U+001B[31mred one of two lines, and so lon…   7         ",
                ])
            #expect(server.requests.map(\.target) == ["/v1/search?q=nginx&n=25"])
            #expect(
                try runimg.check("search", "--no-trunc", "--format", "{{.Description}}", term).lines[1].hasSuffix(
                    "cut in a table"))
            #expect(
                try runimg.check("search", "--limit", "3", "-f", "is-official=true", "--format", "json", term).stdout
                    == #"{"Description":"Official build.","IsAutomated":"false","IsOfficial":"true","Name":"\#(server.host)/nginx","StarCount":"20000"}"#
                    + "\n")
            #expect(server.requests.last?.target == "/v1/search?q=nginx&n=3")
            for (filter, name) in [
                ("stars=8", "nginx"), ("is-automated=true", "team/nginx"), ("is-official=0", "team/nginx"),
            ] {
                #expect(
                    try runimg.check("search", "-f", filter, "--format", "{{.Name}}", term).lines
                        == ["\(server.host)/\(name)"], "\(filter)")
            }
            #expect(!File.exists(runimg.dataRoot))
        }

        @Test func aRealRegistrysNames() throws {
            let registry = try RegistryQueryTests.registry()
            let runimg = try Runimg()
            #expect(
                try runimg.check("search", "--format", "{{.Name}}", "\(registry.host)/fix").lines
                    == ["\(registry.host)/library/fixture"])
            #expect(try runimg.check("search", "--format", "{{.Name}}", "\(registry.host)/").lines.count == 2)
            // What stands for Docker Hub is searched for it.
            let replaced = ["--replace", "docker.io", "--replace-to", registry.host]
            #expect(
                try runimg.run(["search", "--format", "{{.Name}}"] + replaced + ["mul"]).lines
                    == ["\(registry.host)/library/multi"])
        }

        @Test func wrongArgumentsAndNoNetwork() throws {
            let runimg = try Runimg()
            for (arguments, words) in [
                (["--limit", "101", "x"], "limit 101 is outside the range of [1, 100]"),
                (["--limit", "-1", "x"], "outside the range"), (["-f", "stars=x", "x"], "invalid filter 'stars=[x]'"),
                (["-f", "size=1", "x"], "invalid filter 'size'"), (["docker.io/"], "nothing to search for"),
                (["--insecure", "x"], "--insecure is not for Docker Hub"),
            ] {
                let output = try runimg.run(["search"] + arguments)
                #expect(output.status != 0 && output.stdout.isEmpty && output.stderr.contains(words), "\(output)")
            }
            let port = try RealRegistry.freePort()
            let dead = try runimg("search", "127.0.0.1:\(port)/x")
            #expect(dead.status == 1 && dead.stderr.contains("cannot get search results for \"x\""), "\(dead)")
            #expect(dead.stderr.contains("ECONNREFUSED"), "\(dead)")
            // Offline: a network of its own without a way out.
            let offline = try runimg.run(["search", "nginx"], under: ["unshare", "-n"])
            #expect(offline.status == 1 && offline.stderr.contains("index.docker.io"), "\(offline)")
        }
    }
}
