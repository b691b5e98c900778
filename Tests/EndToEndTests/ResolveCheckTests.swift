internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// `resolve --check`: what each place answers.
    @Suite(.enabled(if: Conditions.canPull, "needs docker-registry and skopeo")) struct ResolveCheck {
        @Test func everyPlaceIsAsked() throws {
            let registry = try PullCommand.fixtureRegistry()
            let locked = try RealRegistry(.init(credentials: ("user", "secret")))
            let dead = try RealRegistry.freePort()
            let busy = try FaultyRegistry { _, _ in .init(503, text: "later") }
            let runimg = try Runimg()
            let mirrors = ["http://127.0.0.1:\(dead)", busy.url, locked.url, registry.url].flatMap {
                ["--registry-mirror", "r.invalid=\($0)"]
            }
            let output = try runimg.run(["resolve", "--check"] + mirrors + ["r.invalid/library/fixture"])
            #expect(output.status == 0, "\(output)")
            let digest = try Tool.check(
                "skopeo",
                [
                    "inspect", "--format", "{{.Digest}}", "--tls-verify=false",
                    "docker://\(registry.host)/library/fixture",
                ]
            ).lines[0]
            func answer(_ host: String) -> String {
                let line = output.lines.firstIndex { $0.contains("://\(host)/") }
                return line.map { String(output.lines[$0 + 1]) } ?? ""
            }
            #expect(answer("127.0.0.1:\(dead)").contains("connect: connection refused (ECONNREFUSED)"), "\(output)")
            #expect(answer(busy.host).hasSuffix("answer       503: later"), "\(output)")
            #expect(answer(locked.host).contains("401 or 403 with these credentials"), "\(output)")
            #expect(answer(registry.host) == "    answer       200, \(digest)", "\(output)")
            #expect(answer("r.invalid").contains("the name does not resolve"), "\(output)")
            #expect(try registry.blobFetches().isEmpty)
            #expect(!File.exists(runimg.dataRoot + "/image"))
        }

        @Test func whereNobodyHasItTheCodeIsOne() throws {
            let registry = try PullCommand.fixtureRegistry()
            let output = try Runimg()("resolve", "--check", "\(registry.host)/no/such:1")
            #expect(output.status == 1, "\(output)")
            #expect(output.stdout.contains("answer       404: manifest unknown"), "\(output)")
        }
    }
}
