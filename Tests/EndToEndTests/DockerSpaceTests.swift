internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `system df -v` and the events of prunes, beside a real docker's.
    @Suite(
        .enabled(
            if: Conditions.canRun && DockerDaemon.isPossible,
            "needs root, overlayfs, and Debian's docker from make servers"),
        .timeLimit(.minutes(Wait.minutes(10))))
    struct DockerSpaceTests {
        /// The same images, containers and volumes on both sides; runs a line on each.
        private struct Pair {
            let docker: DockerDaemon
            let runimg: Runimg

            init() throws {
                docker = try DockerDaemon()
                try docker.importBusybox(as: "box:1")
                runimg = try Runimg()
                try runimg.check("pull", "-q", Leaks.image)
                try runimg.check("tag", try #require(try runimg.check("images", "-q").lines.first), "box:1")
                for line in [
                    "volume create vol", "create --name made --network none -v vol:/data -v /anon box:1 /bin/sleep 9",
                    "commit made", "commit made third:3", "tag box:1 other:2",
                ] {
                    for output in try both(line.split(separator: " ").map(String.init)) where output.status != 0 {
                        throw Tool.Failure(output: output)
                    }
                }
            }

            func both(_ line: [String]) throws -> [Tool.Output] { [try docker.run(line), try runimg.run(line)] }
        }

        @Test func theSameTablesAndTemplates() throws {
            let pair = try Pair()
            func both(_ format: String) throws -> (docker: String, ours: String) {
                let outputs = try pair.both(["system", "df", "-v", "--format", format])
                #expect(outputs.allSatisfy { $0.status == 0 }, "\(outputs)")
                return (outputs[0].stdout, outputs[1].stdout)
            }
            // The order of what was made in one second is nobody's.
            func pieces(_ text: String) -> [String] { text.split(separator: "|").map(String.init).sorted() }
            for format in [
                "{{range .Images}}{{.Repository}}:{{.Tag}} {{.Containers}} {{.UniqueSize}}|{{end}}",
                "{{range .Containers}}{{.Names}} {{.Image}} {{.LocalVolumes}} {{.Command}} {{.Status}}|{{end}}",
                "{{range .Volumes}}{{.Links}} {{.Size}} {{.Driver}}|{{end}}", "{{len .Images}} {{json .BuildCache}}",
                "table {{range .Volumes}}{{.Links}}\\t{{.Size}}\\n{{end}}",
            ] {
                let (docker, ours) = try both(format)
                #expect(pieces(docker) == pieces(ours), "\(format)")
            }
            let (docker, ours) = try both("{{json .}}")
            let theirs = try JSONValue(parsing: Array(docker.utf8))
            let mine = try JSONValue(parsing: Array(ours.utf8))
            #expect((theirs.object ?? [:]).keys.sorted() == (mine.object ?? [:]).keys.sorted())
            for list in ["Images", "Containers", "Volumes"] {
                let keys = Set((theirs[list]?.array?.first?.object ?? [:]).keys)
                let own = Set((mine[list]?.array?.first?.object ?? [:]).keys)
                #expect(!keys.isEmpty && keys.isSubset(of: own), "\(list): \(keys.subtracting(own))")
            }
            let tables = try pair.both(["system", "df", "-v"]).map { output in
                output.lines.map { $0.split(separator: " ").joined(separator: " ") }
            }
            func headers(_ lines: [String]) -> [String] {
                lines.filter { $0.hasSuffix(":") || $0.contains(" SIZE ") || $0.hasSuffix(" SIZE") }
            }
            #expect(headers(tables[0]) == headers(tables[1]) && tables[0].count == tables[1].count, "\(tables)")
            for format in ["{{.Type}}", "{{.Nope}}", "{{"] {
                let outputs = try pair.both(["system", "df", "-v", "--format", format])
                #expect(outputs.allSatisfy { $0.status == 1 && $0.stdout.isEmpty }, "\(outputs)")
            }
        }

        @Test func theSameEventsOfPrunes() throws {
            let pair = try Pair()
            for line in [
                "image prune -f", "volume prune -f", "container prune -f", "image prune -a -f", "system prune -f",
            ] {
                for output in try pair.both(line.split(separator: " ").map(String.init)) where output.status != 0 {
                    throw Tool.Failure(output: output)
                }
            }
            let format = "{{.Type}} {{.Action}} {{.Actor.ID}} {{.ID}} {{json .Actor.Attributes}}"
            // docker leaves out what is in the second that ends it.
            let now = Int(time(nil))
            let line = [
                "events", "--since", "\(now - 300)", "--until", "\(now + 2)", "-f", "event=prune", "--format", format,
            ]
            let outputs = try pair.both(line).map(\.lines)
            // Networks and builds are docker's alone, and its busybox has another size.
            func known(_ lines: [String]) -> [String] {
                lines.filter { !$0.hasPrefix("network") && !$0.hasPrefix("builder") }.map { line in
                    line.contains(#""reclaimed":"0""#) ? line : String(line.prefix { $0 != "{" })
                }
            }
            #expect(known(outputs[0]) == known(outputs[1]) && known(outputs[1]).count == 6, "\(outputs)")
        }
    }
}
