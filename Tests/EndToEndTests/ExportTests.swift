internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `export`.
    @Suite struct Export {
        private static let script = """
            echo hi > /etc/new; rm /bin/cat; mkdir /nd; touch /nd/f; ln /nd/f /nd/g; mkfifo /nd/p; chmod 4711 /nd/f
            touch /dev/made; touch /data/inside; ln -s /nope /nd/l
            """

        @Test(arguments: [false, true]) func writesAllFilesWithoutMounts(running: Bool) throws {
            let box = try ContainerBox(
                Export.script + (running ? "\necho up > /up; sleep 1000" : ""),
                flags: ["-v", "/data", "--tmpfs", "/tt"],
                detached: running)
            if running {
                #expect(Wait.until(seconds: 10) { (try? box.check("diff", box.name).lines.contains("A /up")) == true })
            }
            let scratch = try EndToEnd.scratch()
            try box.check("export", "-o", scratch("out.tar"), box.name)
            let names = Set(try Tool.check("tar", ["-tf", scratch("out.tar")]).lines)
            #expect(
                names.isSuperset(of: [
                    "etc/new", "nd/", "nd/f", "nd/g", "nd/p", "nd/l", "bin/busybox", "data/", "tt/", "dev/",
                ]))
            #expect(names.isDisjoint(with: ["bin/cat", "data/inside", "dev/made", "dev/null", "proc/self", "./", "/"]))
            try scratch.directory("tree")
            try Tool.check("tar", ["--numeric-owner", "-xpf", scratch("out.tar"), "-C", scratch("tree")])
            let tree = try TreeListing(scratch("tree"))
            #expect(tree["nd/f"]?.mode == 0o4711)
            #expect(tree["nd/g"]?.linkedTo == "nd/f")
            #expect(tree["nd/l"]?.target == "/nope")
            #expect(try box.check("export", box.name).stdoutBytes == File.readAll(scratch("out.tar")))
        }

        @Test func refusesAsDocker() throws {
            let box = try ContainerBox("true")
            let scratch = try Scratch()
            let terminal = try box.runimg.terminal("export", box.name)
            _ = try terminal.expect("cowardly refusing to save to a terminal. Use the -o flag or redirect")
            #expect(try terminal.wait() == .exited(1))
            let directory = try box("export", "-o", scratch.path, box.name)
            #expect(
                directory.status == 1
                    && directory.stderr.contains("failed to export container: cannot write to a directory"))
            let missing = try box("export", "-o", scratch("no/x"), box.name)
            #expect(
                missing.stderr.contains(
                    "failed to export container: invalid output path: stat \(scratch("no")): no such file or directory")
            )
            // A container that is not there leaves no file.
            #expect(try box("export", "-o", scratch("x"), "nosuch").stderr.contains("No such container: nosuch"))
            #expect(try Directory.entries(scratch.path).isEmpty)
        }
    }
}
