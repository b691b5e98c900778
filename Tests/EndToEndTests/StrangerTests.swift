internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Others who hold what is a container's, and containers that were given what is ours.
    @Suite struct Strangers {
        @Test(
            "F28: a stranger with a copy of a container's mounts keeps nobody from stopping, starting and removing it")
        func aCopyOfItsMounts() throws {
            let runimg = try Leaks.settled()
            try runimg.check("volume", "create", "other")
            let before = try LeakSnapshot(dataRoot: runimg.dataRoot)
            let id = try Lifecycle.detached(
                runimg, "--name", "held", "-v", "kept:/v", Lifecycle.image, "sh", "-c", "echo x >> /v/f; sleep 1000"
            )
            #expect(Wait.until(seconds: 20) { File.exists("\(runimg.dataRoot)/volumes/kept/_data/f") })
            let state = String(decoding: try File.readAll("/run/runimg/\(id)/state.json"), as: UTF8.self)
            let pid = try #require(state.firstMatch(of: /"process":\{[^}]*"pid":([0-9]+)/)).1
            let hold =
                "open F, '/proc/\(pid)/ns/mnt' or die; syscall(308, fileno(F), 0) == 0 or die; "
                + "syscall(272, 0x20000) == 0 or die; close F; $| = 1; print 'up'; sleep 1000"
            var stranger = try ChildProcess("/usr/bin/perl", ["-e", hold], environment: [:])
            defer { _ = try? stranger.kill() }
            let holds = { () -> Bool in
                let mounts = (try? File.readAll("/proc/\(stranger.pid)/mountinfo", limit: 1 << 20)) ?? []
                return String(decoding: mounts, as: UTF8.self).contains("/overlay2/\(id)/")
                    || String(decoding: mounts, as: UTF8.self).contains("\(runimg.dataRoot)/volumes")
            }
            #expect(Wait.until(seconds: 20, holds))
            try runimg.check("stop", "-t", "0", "held")
            try runimg.check("start", "held")
            #expect(
                Wait.until(seconds: 20) {
                    (try? File.readAll("\(runimg.dataRoot)/volumes/kept/_data/f")) == Array("x\nx\n".utf8)
                })
            #expect(try runimg.check("rm", "-f", "held").lines == ["held"])
            #expect(holds() && !File.exists("\(runimg.dataRoot)/overlay2/\(id)"))
            // What is not the container's own is as it was, and goes when it is asked for.
            #expect(try File.readAll("\(runimg.dataRoot)/volumes/kept/_data/f") == Array("x\nx\n".utf8))
            try runimg.check("volume", "rm", "kept")
            #expect(!File.exists("\(runimg.dataRoot)/volumes/kept"))
            try stranger.kill()
            try EndToEnd.expectClean(before)
        }

        @Test("F28: what somebody mounted in a layer or volume is named, and nothing is removed around it")
        func aMountInside() throws {
            let runimg = try Leaks.settled()
            let image = try #require(try runimg.check("images", "-q").lines.first)
            try runimg.check(
                "run", "--name", "box", "-v", "kept:/v", image, "sh", "-c", "mkdir /m /v/m; echo x > /a; echo x > /v/a")
            let id = try #require(try runimg.check("ps", "-aq", "--no-trunc").lines.first)
            try runimg.scratch.file("other/file", "theirs")
            let program = runimg.command([]).joined(separator: " ")
            let script = #"""
                mount --bind "$1" "$2" && mount --bind "$1" "$3" || exit 9
                \#(program) rm box; echo $?
                umount "$2"; \#(program) rm box; echo $?
                \#(program) volume rm kept; echo $?; cat "$4"
                umount "$3"; \#(program) volume rm kept; echo $?
                """#
            let (layer, volume) = ("\(runimg.dataRoot)/overlay2/\(id)/diff/m", "\(runimg.dataRoot)/volumes/kept/_data")
            let output = try Tool.run(
                "unshare",
                [
                    "-m", "--propagation", "private", "sh", "-c", script, "sh", runimg.scratch("other"), layer,
                    "\(volume)/m", "\(volume)/a",
                ])
            #expect(output.lines == ["1", "box", "0", "1", "x", "kept", "0"], "\(output)")
            #expect(output.stderr.contains("mounted at \(layer)") && output.stderr.contains("mounted at \(volume)/m"))
            #expect(File.exists(runimg.scratch("other/file")))
        }

        @Test(
            "D3: a container that was given our run directory gets no word from any monitor",
            arguments: [[], ["--network", "host"]])
        func insideARunDirectory(_ flags: [String]) throws {
            try Lifecycle.isolated { runimg in
                let image = try #require(try runimg.check("images", "-q").lines.first)
                let id = try Lifecycle.detached(runimg, "-i", image, "sh", "-c", "while read x; do echo got $x; done")
                let socket = "/run/runimg/\(id)/attach"
                // The same program outside is served: what refuses is not the program's own fault.
                #expect(try Tool.run("perl", ["-e", Self.client, socket]).stdout == "open")
                let seen = try runimg.run(
                    ["run", "--rm"] + flags
                        + [
                            "-v", "/run:/run:ro", "-v", "/usr:/usr:ro", "-v", "/lib:/lib:ro", "-v", "/lib64:/lib64:ro",
                            "-v", "/etc:/host:ro", image,
                            "/usr/bin/perl", "-e", Self.client, socket,
                        ])
                #expect(seen.stdout == "closed", "\(seen)")
                #expect(try runimg.check("ps", "-q", "--no-trunc").lines == [id])
            }
        }

        /// Says whether the socket stays open to it for a moment.
        private static let client = #"""
            use Socket; socket(S, AF_UNIX, SOCK_SEQPACKET, 0) or die; connect(S, pack_sockaddr_un($ARGV[0])) or die "connect: $!";
            my $r = ''; vec($r, fileno(S), 1) = 1; my $n = select($r, undef, undef, 0.5);
            my $got = $n ? sysread(S, my $b, 100) : -1; print((defined $got && $got == 0) ? 'closed' : 'open');
            """#
    }
}
