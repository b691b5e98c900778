internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

/// The harness notices what it is there to notice.
extension SupportTests {
    @Test("H1: a forged header is on disk as it was made, wrong check sum and all") func aForgedImage() throws {
        let scratch = try Scratch()
        var block = TarForge.block(TarForge.Header("a/../../x", type: "S"))
        block[148] ^= 1
        let tar = TarForge.make { forge in
            forge.raw(block)
            forge.file("good", "bytes")
        }
        let layout = try ImageForge.layout(scratch("layout"), tars: [tar]) { $0.config?.user = "4294967296" }
        let index = try OCILayout.decode(Index.self, try File.readAll("\(layout.path)/index.json"))
        let blobs = "\(layout.path)/blobs/sha256"
        let manifest = try OCILayout.decode(
            Manifest.self, try File.readAll("\(blobs)/\(index.manifests[0].digest.hex)"))
        let layer = try Tool.check("gzip", ["-dc"], input: File.readAll("\(blobs)/\(manifest.layers[0].digest.hex)"))
        #expect(layer.stdoutBytes == tar && Array(layer.stdoutBytes.prefix(512)) == block)
        let config = try OCILayout.decode(ImageConfig.self, try File.readAll("\(blobs)/\(manifest.config.digest.hex)"))
        #expect(config.config?.user == "4294967296" && config.rootfs.diffIDs == [Digest.of(tar)])
    }

    @Test("H2: the registry answers as scripted and keeps every request", .enabled(if: Conditions.has("curl")))
    func aScriptedRegistry() throws {
        let registry = try FaultyRegistry { request, count in
            var response = FaultyRegistry.Response(
                count == 0 ? 503 : 200, [("X-Count", "\(count)")], text: "0123456789")
            switch request.path {
            case "/cut": response.cutAfter = 4
            case "/redirect": return .redirect("/target")
            case "/slow": response.bytesPerSecond = 20
            case "/drip": response.headBytesPerSecond = 0.1
            case "/fields": response.hasEndlessFields = true
            case "/raw": response.raw = Array("HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n".utf8)
            case "/slice": return .blob(Array("0123456789".utf8), for: request)
            case "/endless": response.isEndless = true
            default: break
            }
            return response
        }
        func curl(_ path: String, _ arguments: String...) throws -> Tool.Output {
            try Tool.run(
                "curl", ["-sS", "-H", "Authorization: Basic c2VjcmV0"] + arguments + ["\(registry.url)\(path)"])
        }
        let status = ["-o", "/dev/null", "-w", "%{http_code} %{size_download} %{size_header}"]
        #expect(try curl("/status", status[0], status[1], "-w", "%{http_code}").stdout == "503")
        #expect(try curl("/status", "-i").stdout.contains("X-Count: 1"))
        #expect(try curl("/cut").status == 18)
        #expect(try curl("/redirect", "-L").stdout == "0123456789")
        #expect(try curl("/slow", "-w", " %{time_total}").stdout > "0123456789 0.3")
        #expect(try curl("/slice", "-r", "6-").stdout == "6789")
        #expect(try curl("/drip", "-m", "0.5").status == 28)
        #expect(try curl("/fields").status != 0)
        #expect(try curl("/raw").status == 8)
        #expect(try curl("/endless", "-m", "0.3", "-o", "/dev/null").status == 28)
        let seen = try #require(registry.requests(to: "/slice").first)
        #expect(seen.header("authorization") == "Basic c2VjcmV0" && seen.header("range") == "bytes=6-")
        #expect(registry.requests.map(\.path).contains("/target") && registry.requests.count == 11)
    }

    @Test("H4: a canary that was touched tells, put back or not") func aTouchedCanary() throws {
        let canary = try Canary()
        #expect(try canary.changes() == [])
        // Other bytes of the same length and time.
        try Tool.check(
            "sh",
            ["-ec", "cp -p file kept; printf 'do not tough\\n' > file; touch -r kept file; rm kept"],
            directory: canary.path)
        #expect(try canary.changes().contains { $0.hasPrefix("file: digest") })

        let changes: [(script: String, line: String)] = [
            ("chmod 600 file; chmod 640 file", "touched: file "),
            ("mv link l; ln -s file link; rm l", "touched: link "),
            ("setfattr -n user.canary -v mute file", "file: xattr user.canary"),
            ("chmod 755 setuid", "setuid: mode 755"),
            ("mkdir directory/new", "directory/new: unexpected directory"), ("rm fifo", "fifo: missing fifo"),
            ("chown 1000 empty", "empty: owner 1000:0"), ("rm twin", "file: hard link to none"),
        ]
        for (script, line) in changes {
            let canary = try Canary()
            try Tool.check("sh", ["-ec", script], directory: canary.path)
            let found = try canary.changes()
            #expect(found.contains { $0.hasPrefix(line) }, "\(script): \(found)")
        }
    }

    @Test("H5: a power cut takes what was not synced", .enabled(if: LoopDisk.isPossible, "\(LoopDisk.requirements)"))
    func aPowerCut() throws {
        let cut = try PowerCut(megabytes: 64)
        let data = cut.disk.dataRoot
        // The classic loss: after the journal's next commit the rename is on disk and the bytes are not.
        let outcome = try cut.after(
            [
                "sh", "-c",
                "cd \(data); echo new > a.tmp; mv a.tmp a; echo new > b.tmp; sync b.tmp; mv b.tmp b; sync .; echo c > c",
            ],
            seconds: 1.5, commit: 1, setUp: "mkdir \(data)")
        #expect(outcome.status == 0)
        let root = try #require(outcome.dataRoot)
        #expect(try File.readAll("\(root)/b") == Array("new\n".utf8))
        #expect(try File.status("\(root)/a").size == 0)
        #expect((try? File.readAll("\(root)/c")) != Array("c\n".utf8))
        // In the middle of something.
        let during = try PowerCut(megabytes: 64).during(["sh", "-c", "echo begun; sleep 30"], seconds: 0.2)
        #expect(during.status == nil && during.output == "begun\n" && during.dataRoot == nil)
    }

    @Test("H6: kills are counted until the command ends", .enabled(if: SyscallFaults.isPossible, "needs strace"))
    func kills() throws {
        var left: [Int] = []
        let scratch = try Scratch()
        let kills = try CrashEnumerator("/^mkdir").run(
            prepare: { try scratch.directory(Random.hex(bytes: 4)) },
            command: { directory, prefix in
                let line = prefix + ["mkdir", "one", "two", "three"]
                return try Tool.run(line[0], Array(line.dropFirst()), directory: directory).status == 0
            },
            check: { directory, _, _ in left.append(try Directory.entries(directory).count) })
        // The call is not made any more when the signal comes with it.
        #expect(kills == 3 && left == [0, 1, 2, 3])
        let sampled = try CrashEnumerator("/^mkdir", samples: 2).run(
            prepare: { try scratch.directory(Random.hex(bytes: 4)) },
            command: { directory, prefix in
                let line = prefix + ["mkdir", "one", "two", "three"]
                return try Tool.run(line[0], Array(line.dropFirst()), directory: directory).status == 0
            }, check: { _, _, _ in })
        #expect(sampled == (SyscallFaults.isSoak ? 3 : 2))
    }

    @Test("H7: an injected error is met, once or for good", .enabled(if: SyscallFaults.isPossible, "needs strace"))
    func errors() throws {
        let scratch = try Scratch()
        var outcomes: [String] = []
        let faults = try ErrnoInjection.each("/^mkdir", "EDQUOT") { prefix, fault in
            let line = prefix + ["mkdir", "one", "two"]
            let directory = try scratch.directory(Random.hex(bytes: 4))
            let output = try Tool.run(line[0], Array(line.dropFirst()), directory: directory)
            outcomes.append("\(output.status ?? -1) \(try Directory.entries(directory).count)")
            #expect(output.stderr.contains("Disk quota exceeded") == !fault.met.isEmpty)
        }
        #expect(faults == 2 && outcomes == ["1 1", "1 1", "0 2"])
        let lasting = try ErrnoInjection("/^mkdir", "ENOSPC", lasting: true)
        let line = lasting.prefix + ["mkdir", "one", "two"]
        #expect(try Tool.run(line[0], Array(line.dropFirst()), directory: scratch.path).stderr.contains("\u{2018}two"))
    }

    @Test(
        "H7: small disks run out of blocks and inodes and turn read-only",
        .enabled(if: LoopDisk.isPossible, "\(LoopDisk.requirements)"))
    func smallDisks() throws {
        let disk = try LoopDisk(megabytes: 16, inodes: 64)
        let full = try disk.run(#"fill; cp /etc/passwd "$1/more""#)
        #expect(full.status != 0 && full.stderr.contains("No space left on device"))
        let inodes = try disk.run(#"rm "$1"/fill-* "$1"/rest-*; fill_inodes; cp /etc/passwd "$1/another""#)
        #expect(inodes.status != 0 && inodes.stderr.contains("No space left on device"))
        let readOnly = try disk.run(#"remount ro; echo x > "$1/inodes/0""#)
        #expect(readOnly.status != 0 && readOnly.stderr.contains("Read-only file system"))
        #expect(!Scratch.mounts(below: "/").contains(disk.mountPoint))
    }

    @Test("H8: the probe tells all that a container is allowed", .enabled(if: Conditions.canRun, "needs containers"))
    func theProbe() throws {
        let runimg = try Runimg()
        let image = "oci:\(Fixtures.layout("busybox")):latest"
        let output = try runimg.check("run", "--rm", "-q", image, "/probe").stdout
        let probe = Probe(output)
        for key in [
            "cap_inheritable", "cap_permitted", "cap_effective", "cap_bounding", "cap_ambient", "no_new_privs",
            "seccomp", "seccomp_filters", "groups", "uid", "gid", "umask", "uid_map.0", "gid_map.0", "cgroup.0",
            "rlimit.nofile", "rlimit.core", "fd.0", "fd.1", "fd.2", "read./proc/kcore", "write./proc/sys", "ns.pid",
            "call.mount", "call.keyctl", "call.unshare_user", "call.bpf", "call.ptrace", "dev.null", "cwd",
        ] {
            #expect(probe[key] != nil, "\(key)")
        }
        #expect(probe.all("call.").count >= 25)
    }
}
