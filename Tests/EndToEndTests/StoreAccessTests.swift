internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// What other users of the machine may see of images and containers: nothing.
    @Suite(.enabled(if: Conditions.has("setpriv", "find"), "needs setpriv and find"))
    struct StoreAccess {
        private static let nobody = ["--reuid", "65534", "--regid", "65534", "--clear-groups"]

        /// All paths below `roots`, as root sees them.
        static func paths(_ roots: [String]) throws -> [String] {
            let output = try Tool.check("find", roots + ["-mindepth", "1", "-print0"])
            return output.stdout.split(separator: "\0").map(String.init)
        }

        /// Runs `program` as nobody with each of `paths` as its last argument, and returns what it printed.
        static func asNobody(_ program: [String], _ paths: [String]) throws -> Tool.Output {
            try Tool.run(
                "setpriv", nobody + ["xargs", "-0", "-n", "200"] + program,
                input: Array(paths.joined(separator: "\0").utf8))
        }

        @Test(
            "D1: nobody can neither stat, open nor execute anything of the store or of a running container",
            arguments: ["000", "022", "077"], [false, true])
        func nobodySeesNothing(_ umask: String, _ rootIsOpen: Bool) throws {
            let scratch = try Scratch()
            try scratch.file("config.json", #"{"exec-root": "\#(scratch("run"))"}"#)
            // Whoever chose the place of the store may have left it open: what lies in it is closed all the same.
            try check { chmod(scratch.path, 0o755) }
            if rootIsOpen { for name in ["data", "run"] { try scratch.directory(name, mode: 0o755) } }
            let script = """
                umask \(umask); exec "$0" --data-root "$1/data" --config-file "$1/config.json" run --rm -q -u alice \
                -v named:/named -v /anonymous --tmpfs /t "$2" sh -c \
                'cat /etc/hosts >/dev/null && ls /named /anonymous && echo up; exec sleep 1000'
                """
            let output = try File.open(scratch("out"), O_WRONLY | O_CREAT, mode: 0o600)
            var child = try ChildProcess(
                "/bin/sh", ["-c", script, Runimg.path, scratch.path, "oci:\(Fixtures.layout("busybox")):latest"],
                environment: Tool.baseEnvironment, output: .descriptor(output.raw), errors: .descriptor(output.raw))
            var said = ""
            let isUp = try Wait.until(seconds: 30) {
                said = String(decoding: try File.readAll(scratch("out")), as: UTF8.self)
                return said.contains("up\n")
            }
            try #require(isUp, "\(said)")

            let all = try Self.paths([scratch("data"), scratch("run")])
            #expect(all.contains { $0.hasSuffix("/merged") } && all.contains { $0.hasSuffix("/_data") })
            #expect(all.contains { $0.hasSuffix("/state.json") } && all.contains { $0.hasSuffix("/diff/bin/busybox") })
            // Of a root that was open before us the names in it can be seen, and no more.
            let first = try ["data", "run"].flatMap { root in
                try Directory.entries(scratch(root)).map { scratch("\(root)/\($0.name)") }
            }
            let directories = try first.filter { try File.status($0).isDirectory }
            let closed = rootIsOpen ? all.filter { !first.contains($0) } : all
            let seen = try Self.asNobody(["stat", "-c", "%a %U %n", "--"], closed)
            #expect(seen.lines == [] && seen.stderr.contains("Permission denied"), "\(seen.stdout)")
            #expect(try Self.asNobody(["head", "-qc1", "--"], all).stdout == "")
            #expect(try Self.asNobody(["ls", "-A", "--"], directories).lines.allSatisfy { $0.hasSuffix(":") })
            let programs = all.filter { $0.hasSuffix("/busybox") || $0.hasSuffix("/probe") }
            for program in programs {
                // By a shell: setpriv itself still holds capabilities when it executes.
                let ran = try Tool.run("setpriv", Self.nobody + ["sh", "-c", #"exec "$0" true"#, program])
                #expect(ran.status == 126 && ran.stderr.contains("Permission denied"), "\(ran)")
            }
            #expect(programs.count > 1)

            // Nothing but what belongs to a container can be written by anyone else, and no record be read.
            for path in all where !path.contains("/diff/") && !path.hasSuffix("/_data") && !path.contains("/_data/") {
                let status = try File.status(path)
                if status.kind == .link { continue }
                let open: UInt32 = status.isDirectory ? 0o022 : path.contains("/containers/") ? 0o033 : 0o077
                #expect(status.mode & open == 0 && status.uid == 0, "\(path) \(String(status.mode, radix: 8))")
            }
            try child.kill()
            let removed = try Tool.run(
                Runimg.path,
                ["--data-root", scratch("data"), "--config-file", scratch("config.json"), "rm", "-f", "--all"])
            #expect(removed.status == 0, "\(removed)")
            let swept = try Tool.run(
                Runimg.path, ["--data-root", scratch("data"), "--config-file", scratch("config.json"), "images", "-q"])
            #expect(swept.status == 0 && swept.lines.count == 1, "\(swept)")
            #expect(try Directory.entries(scratch("run")).isEmpty)
        }

        @Test("D1: a root that runimg makes is closed whatever the umask", arguments: ["000", "077"])
        func theRootItselfIsClosed(_ umask: String) throws {
            let scratch = try Scratch()
            try scratch.file("config.json", #"{"exec-root": "\#(scratch("run"))"}"#)
            try Tool.check(
                "sh",
                [
                    "-c", #"umask "$1"; shift; exec "$0" "$@""#, Runimg.path, umask, "--data-root", scratch("data"),
                    "--config-file", scratch("config.json"), "run", "--rm", "-q",
                    "oci:\(Fixtures.layout("busybox")):latest", "true",
                ])
            #expect(try File.status(scratch("data")).mode == 0o710)
            #expect(try File.status(scratch("run")).mode == 0o700)
        }
    }
}
