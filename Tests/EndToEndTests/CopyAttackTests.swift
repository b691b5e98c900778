internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Containers that want `cp` to read or write the host's files.
    @Suite struct CopyAttacks {
        /// Exchanges names for as long as the value lives, as a process of the container would (renameat2(2)).
        private struct Swapper: ~Copyable {
            private final class Count: Sendable {
                private let state = Monitor((stopped: false, rounds: 0))
                func add() { state.update { $0.rounds += 1 } }
                func stop() { state.update { $0.stopped = true } }
                var isStopped: Bool { state.read { $0.stopped } }
                var rounds: Int { state.read { $0.rounds } }
            }

            private let count = Count()
            private let thread: JoinableThread

            init(_ directory: String, _ pairs: [(String, String)]) throws {
                let count = count
                let names = pairs.map { ("\(directory)/\($0.0)", "\(directory)/\($0.1)") }
                thread = try JoinableThread {
                    while !count.isStopped {
                        // RENAME_EXCHANGE
                        for (one, other) in names where renameat2(AT_FDCWD, one, AT_FDCWD, other, 2) == 0 {
                            count.add()
                        }
                    }
                }
            }

            consuming func stop() -> Int {
                count.stop()
                thread.join()
                return count.rounds
            }
        }

        @Test("C1: names that are exchanged for links out of the container while cp reads and writes")
        func swappedNames() throws {
            let canary = try Canary()
            let target = canary.path
            let box = try ContainerBox(
                """
                for place in /t /vol; do
                  mkdir -p $place/dir $place/dir/sub; echo inside > $place/file; echo inside > $place/dir/file
                  ln -s \(target) $place/dirlink; ln -s \(target)/file $place/filelink
                  ln -s ../../../../../../../../../..\(target) $place/climb; mkdir $place/plain
                done
                echo up > /up; sleep 1000
                """, flags: ["-v", "/vol"], detached: true)
            #expect(Wait.until(seconds: 10) { (try? box.members("/up")) == ["up"] })
            let root = try box.root
            let first = try Swapper("\(root)/t", [("dir", "dirlink"), ("file", "filelink"), ("plain", "climb")])
            let second = try Swapper("\(root)/vol", [("dir", "dirlink"), ("file", "filelink"), ("plain", "climb")])
            let host = try Scratch()
            try host.file("in/file", "from the host")
            try host.file("in/inside", "from the host")
            try host.file("in/sub/file", "from the host")
            let tar = try Tool.check("tar", ["-C", host("in"), "-cf", "-", "."]).stdoutBytes
            var copied = 0
            func attempt(_ arguments: [String], input: [UInt8] = []) throws {
                let output = try box.runimg.run(["cp"] + arguments, input: input)
                #expect(output.signal == nil && !output.timedOut, "\(output)")
                if output.status == 0 { copied += 1 }
                #expect(!output.stdout.contains("do not touch") && !output.stdout.contains("nor this"))
            }
            for round in 0..<SyscallFaults.rounds(14, soak: 2000) {
                let place = round.isMultiple(of: 2) ? "/t" : "/vol"
                try attempt(["\(box.name):\(place)/dir", host("out-\(round)")])
                try attempt(["-L", "\(box.name):\(place)/file", host("file-\(round)")])
                try attempt(["\(box.name):\(place)/dir/file", "-"])
                try attempt(["-L", "\(box.name):\(place)/plain", "-"])
                try attempt([host("in/."), "\(box.name):\(place)/dir"])
                try attempt([host("in/file"), "\(box.name):\(place)/file"])
                try attempt([host("in/inside"), "\(box.name):\(place)/plain/x"])
                try attempt(["-", "\(box.name):\(place)/dir"], input: tar)
                try attempt(["-", "\(box.name):\(place)"], input: tar)
            }
            let exchanges = first.stop() + second.stop()
            #expect(exchanges > 100 && copied > 15, "the attack ran: \(exchanges), \(copied)")
            #expect(try canary.changes() == [])
            for path in try TreeListing(host.path).paths where try TreeListing(host.path)[path]?.kind == .file {
                let text = String(decoding: try File.readAll(host(path)), as: UTF8.self)
                #expect(!text.contains("do not touch") && !text.contains("nor this"), "\(path)")
            }
        }

        @Test("C1: links inside of the container are followed inside") func linksInside() throws {
            let box = try ContainerBox(
                "mkdir -p /run/x; rm -rf /var/run; ln -s /run /var/run; ln -s ../../../../etc /deep")
            let host = try Scratch()
            try host.file("f", "new")
            try box.check("cp", host("f"), "\(box.name):/var/run/x/f")
            try box.check("cp", host("f"), "\(box.name):/var/run")
            try box.check("cp", host("f"), "\(box.name):/deep/f")
            #expect(try box.text("/run/x/f") == "new")
            #expect(try box.text("/run/f") == "new")
            #expect(try box.text("/etc/f") == "new")
        }

        @Test("C2: a tree with links to the host's files is copied out into the destination only")
        func linksToTheHost() throws {
            let canary = try Canary()
            let box = try ContainerBox(
                """
                mkdir -p /t/a; cd /t; ln -s \(canary.path) dir; ln -s \(canary.path)/file file
                ln -s \(canary.path)/file a/file; ln -s /etc/passwd passwd; ln file a/hard; chmod 777 a; mkfifo pipe
                """)
            let host = try Scratch()
            // What is there already leads out as well.
            try host.directory("out/t/b")
            try File.symlink("\(canary.path)/file", host("out/t/file"))
            try File.symlink("\(canary.path)/directory", host("out/t/a"))
            let refused = try box("cp", "\(box.name):/t", host("out"))
            #expect(refused.status == 1 && refused.stderr.contains("cannot overwrite non-directory"), "\(refused)")
            try File.unlink(host("out/t/a"))
            try box.check("cp", "\(box.name):/t", host("out"))
            let listing = try TreeListing(host("out/t"))
            #expect(listing["dir"]?.target == canary.path)
            #expect(listing["file"]?.target == "\(canary.path)/file")
            #expect(listing["a"]?.mode == 0o777)
            #expect(try canary.changes() == [])
        }

        @Test("U1, U2, U3: a tar on cp's standard input does not leave the destination") func hostileTar() throws {
            let canary = try Canary()
            let box = try ContainerBox("mkdir /d; ln -s \(canary.path) /d/link; ln -s / /d/top; mkdir /secret")
            let up = String(repeating: "../", count: 30)
            let tars: [[UInt8]] = [
                TarForge.make { $0.file("\(up)\(canary.path)/file", "escaped") },
                TarForge.make { $0.file("../secret/file", "escaped") },
                TarForge.make { $0.file("\(canary.path)/file", "escaped") },
                TarForge.make { $0.file("link/file", "escaped") },
                TarForge.make {
                    $0.symlink("new", to: canary.path)
                    $0.file("new/file", "escaped")
                },
                TarForge.make { $0.hardLink("hard", to: "link/file") },
                TarForge.make { $0.file("link", "escaped") { $0.uid = 4_294_967_295 } },
            ]
            for tar in tars { _ = try box("cp", "-", "\(box.name):/d", input: tar) }
            #expect(try canary.changes() == [])
            #expect(try box.members("/secret") == ["secret/"])
        }

        @Test(
            "U15, U16, X8: cp, export and commit execute and load nothing of the image",
            .enabled(if: Conditions.has("strace"), "needs strace"))
        func programsOfTheImage() throws {
            let canary = try Canary()
            let box = try ContainerBox(
                """
                for p in tar gzip xz unpigz zstd unxz sh nsenter mount ps; do
                  for d in /bin /sbin /usr/bin /usr/sbin /usr/local/bin; do
                    mkdir -p $d; rm -f $d/$p; printf '#!/bin/busybox sh\\necho x >> \(canary.path)/file\\n' > $d/$p
                    chmod 755 $d/$p; done; done
                mkdir -p /lib/x86_64-linux-gnu /usr/lib/x86_64-linux-gnu /etc
                for l in libnss_files.so.2 libnss_hostile.so.2 libc.so.6 libcurl.so.4; do
                  echo hostile > /lib/x86_64-linux-gnu/$l; done
                printf 'passwd: hostile\\ngroup: hostile\\n' > /etc/nsswitch.conf
                """)
            let host = try source()
            let tar = try Tool.check("tar", ["-C", host.path, "-czf", "-", "."]).stdoutBytes
            let log = host("log")
            let trace = ["strace", "-f", "-qq", "-y", "-o", log, "-e", "trace=execve,execveat,openat,openat2,mmap"]
            let commands: [([String], [UInt8])] = [
                (["cp", "\(box.name):/etc", host("etc")], []), (["cp", host("f"), "\(box.name):/tmp"], []),
                (["cp", "-", "\(box.name):/tmp"], tar), (["export", "-o", host("e.tar"), box.name], []),
                (["commit", box.name], []),
            ]
            for (command, input) in commands {
                let output = try box.runimg.run(command, under: trace, input: input)
                #expect(output.status == 0, "\(output)")
                let lines = String(decoding: try File.readAll(log), as: UTF8.self).split(separator: "\n")
                let executed = lines.filter { $0.contains("execve(") && !$0.contains("ENOENT") }
                #expect(executed.allSatisfy { $0.contains("runimg") }, "\(executed)")
                // A library is mapped with PROT_EXEC.
                let mapped = lines.filter { $0.contains("PROT_EXEC") && $0.contains(box.runimg.dataRoot) }
                #expect(mapped.isEmpty, "\(mapped)")
                if command[0] == "commit" { try box.runimg.check("rmi", "-f", output.lines.last ?? "") }
            }
            #expect(try canary.changes() == [])
        }

        private func source() throws -> Scratch {
            let scratch = try Scratch()
            try scratch.file("f", "f")
            return scratch
        }
    }
}
