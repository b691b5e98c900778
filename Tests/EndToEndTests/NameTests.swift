internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Names that would become paths.
    @Suite(.enabled(if: Conditions.has("strace"), "needs strace"))
    struct ResourceNames {
        static let bad = [
            ".", "..", "../x", "../../etc/cron.d/x", "a/../../x", "/etc/passwd", "a/b", "-rf", "--rm", ".hidden", "_x",
            "a\nb", "a b", "a\tb", "a\u{1b}[2J", "a;id", "a$(id)", "ü", "a\u{2f}\u{301}b", "a%2e%2e",
            String(repeating: "x", count: 300),
        ]

        /// Where a name is taken, with `@` in its place.
        static let places: [[String]] = [
            ["run", "--name=@", "IMAGE", "true"], ["run", "-v", "@:/x", "IMAGE", "true"],
            ["run", "--mount", "type=volume,src=@,dst=/x", "IMAGE", "true"],
            ["run", "--network=container:@", "IMAGE", "true"], ["run", "--pid=container:@", "IMAGE", "true"],
            ["run", "--ipc=container:@", "IMAGE", "true"], ["run", "--network=@", "IMAGE", "true"],
            ["run", "--volumes-from=@", "IMAGE", "true"], ["run", "--cgroup-parent=@", "IMAGE", "true"],
            ["run", "--link=@", "IMAGE", "true"], ["run", "--", "@", "true"], ["rmi", "--", "@"], ["pull", "--", "@"],
            ["tag", "--", "@", "x:1"], ["tag", "IMAGE", "@"], ["history", "--", "@"],
            ["network", "create", "--", "@"],
        ]

        /// What is a path, a host directory, a flag's own or an image's name in that place, and so no bad name.
        static func isOtherwiseGood(_ name: String, _ place: [String]) -> Bool {
            switch place[0...1] {
            case ["run", "-v"]: name.hasPrefix("/") || name.hasPrefix(".")
            case ["run", "--"], ["rmi", "--"], ["pull", "--"], ["tag", "--"], ["tag", "IMAGE"], ["history", "--"]:
                name == "a/b" || name.utf8.count == 300
            // docker takes a slash in front of a container's name.
            default: false
            }
        }

        @Test("R18: a name that would be a path is refused before any file is looked at", arguments: places)
        func badNamesTouchNothing(_ place: [String]) throws {
            let engine = try engine
            let scratch = try Scratch()
            let root = engine.runimg.dataRoot
            let names = Self.bad.filter { !Self.isOtherwiseGood($0, place) }
            #expect(names.count >= 15)
            let words = place.map { $0 == "IMAGE" ? engine.image : $0 }
            var script = ""
            for index in names.indices {
                let line = words.map { word -> String in
                    let parts = word.split(separator: "@", omittingEmptySubsequences: false)
                    return parts.map { "'\($0)'" }.joined(separator: "\"${names[\(index)]}\"")
                }
                script += "\"$0\" --data-root '\(root)' \(line.joined(separator: " ")); echo \"status=$?\"\n"
            }
            let traced = try Tool.run(
                "strace",
                [
                    "-f", "--seccomp-bpf", "-qq", "-s", "400", "-o", scratch("trace"), "-e", "trace=%file,mkdirat",
                    "-e",
                    "signal=none", "bash", "-c", "names=(\"$@\")\n" + script, Runimg.path,
                ] + names)
            #expect(traced.lines.filter { $0.hasPrefix("status=") }.count == names.count, "\(traced)")
            #expect(!traced.stdout.contains("status=0"), "\(traced)")
            #expect(
                traced.stderr.utf8.allSatisfy { $0 != 0x1b }, "a terminal would obey: \(traced.stderr.debugDescription)"
            )
            let trace = String(decoding: try File.readAll(scratch("trace"), limit: 64 << 20), as: UTF8.self)
            let touched = trace.split(separator: "\n").filter { $0.contains(root) && !$0.contains("execve(") }
            #expect(touched == [], "\(place)")
        }

        @Test("R18: an ID file is written by its own name only, and a good name is 255 bytes at most")
        func goodNames() throws {
            let longest = "a" + String(repeating: "x", count: 254)
            #expect(try run(["--name", longest], "true").status == 0)
            #expect(try run(["--name", longest + "x"], "true").status == 125)
            #expect(try run(["--name", "/slashed.name_-1"], "true").status == 0)
            let scratch = try Scratch()
            try File.symlink(scratch("elsewhere"), scratch("link"))
            let output = try run(["--cidfile", scratch("link")], "true")
            #expect(output.status == 125 && !File.exists(scratch("elsewhere")), "\(output)")
        }
    }
}
