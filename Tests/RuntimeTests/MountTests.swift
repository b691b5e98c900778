import Glibc
import OCI
import Rootfs
import Runtime
import Sys
import TestSupport
import Testing

/// Mounts of the user's, the root, and that nothing of them is seen outside.
@Suite(.enabled(if: ContainerFixture.isPossible, ContainerFixture.requirement))
struct MountTests {
    private func bind(_ source: String, _ destination: String, _ options: String...) -> Spec.Mount {
        Spec.Mount(destination: destination, type: "bind", source: source, options: ["rbind"] + options)
    }

    @Test func bindsDirectoriesAndFilesBothWays() throws {
        let fixture = try ContainerFixture()
        try fixture.scratch.file("host/file", "from the host\n")
        try fixture.scratch.file("single", "single\n")
        let script = "cat /data/file /one/two/single; echo inside >/data/new; echo more >>/one/two/single"
        let result = try fixture.shell(script) { request in
            request.spec.mounts.append(bind(fixture.scratch("host"), "/data"))
            request.spec.mounts.append(bind(fixture.scratch("single"), "/one/two/single"))
        }
        #expect(result.output == "from the host\nsingle\n", "\(result)")
        #expect(try File.readAll(fixture.scratch("host/new"), limit: 100) == Array("inside\n".utf8))
        #expect(try File.readAll(fixture.scratch("single"), limit: 100) == Array("single\nmore\n".utf8))
        #expect(Scratch.mounts(below: fixture.scratch.path).isEmpty)
        // Mount points made in the image's tree are the container's own.
        #expect(File.exists("\(fixture.upper)/data"))
        #expect(!File.exists(fixture.scratch("overlay2/base/diff/data")))
    }

    @Test func protectsRecursively() throws {
        let fixture = try ContainerFixture()
        try fixture.scratch.directory("host/below")
        try check { mount("tmpfs", fixture.scratch("host/below"), "tmpfs", 0, "size=64k") }
        defer { umount2(fixture.scratch("host/below"), Int32(MNT_DETACH)) }
        let script = "touch /data/a; touch /data/below/b; grep ' /data' /proc/self/mountinfo | cut -d' ' -f5,6"
        let result = try fixture.shell(script) {
            $0.spec.mounts.append(bind(fixture.scratch("host"), "/data", "rro", "rnosuid"))
        }
        #expect(result.errors.components("Read-only file system") == 2, "\(result)")
        #expect(result.lines.allSatisfy { $0.contains(" ro,nosuid") })
        #expect(result.lines.count == 2)
        let writable = try fixture.shell(script) { request in
            request.spec.mounts.append(bind(fixture.scratch("host"), "/data"))
        }
        #expect(writable.errors == "")
    }

    @Test func mountsTmpfs() throws {
        let result = try ContainerFixture().shell("grep ' /scratch' /proc/self/mountinfo; stat -c %a /scratch") {
            request in
            request.spec.mounts.append(
                Spec.Mount(
                    destination: "/scratch", type: "tmpfs", source: "tmpfs",
                    options: ["nosuid", "nodev", "noexec", "size=64k", "mode=1770"]))
        }
        #expect(result.lines.first?.contains(" /scratch rw,nosuid,nodev,noexec,relatime") == true)
        // Some kernels say inode64 behind these.
        #expect(result.lines.first?.contains(" - tmpfs tmpfs rw,size=64k,mode=1770") == true)
        #expect(result.lines.last == "1770")
    }

    @Test(arguments: [
        ("rprivate", ""), ("private", ""), ("rslave", " master:"), ("slave", " master:"), ("rshared", " shared:"),
        ("shared", " shared:"),
    ])
    func setsPropagation(word: String, expected: String) throws {
        let fixture = try ContainerFixture()
        let host = try fixture.scratch.directory("shared")
        try check { mount("tmpfs", host, "tmpfs", 0, "size=64k") }
        defer { umount2(host, Int32(MNT_DETACH)) }
        try check { mount(nil, host, nil, UInt(MS_SHARED), nil) }
        let result = try fixture.shell("grep ' /data ' /proc/self/mountinfo") { request in
            request.spec.mounts.append(bind(host, "/data", word))
        }
        let tags =
            result.output.contains(" shared:") ? " shared:" : result.output.contains(" master:") ? " master:" : ""
        #expect(tags == expected, "\(result)")
        #expect(result.output.contains(" /data "))
    }

    /// A mount that the host makes later shows in a slave and not in a private copy.
    @Test func propagatesFromTheHost() throws {
        let fixture = try ContainerFixture()
        let host = try fixture.scratch.directory("shared")
        try check { mount("tmpfs", host, "tmpfs", 0, "size=64k") }
        defer { umount2(host, Int32(MNT_DETACH)) }
        try check { mount(nil, host, nil, UInt(MS_SHARED), nil) }
        try Directory.make("\(host)/late", mode: 0o755)
        let output = try PipeEnds()
        let input = try PipeEnds()
        let script = "echo ready; cat >/dev/null; ls /slave/late; echo -; ls /private/late"
        let request = try fixture.request(["/bin/sh", "-c", script]) { request in
            request.spec.mounts += [bind(host, "/slave", "rslave"), bind(host, "/private")]
            request.stdio = StandardIO(input: input.reader.raw, output: output.writer, error: -1)
        }
        let process = try Launcher.start(try Launcher.plan(request))
        var line = [UInt8](repeating: 0, count: 6)
        _ = try line.withUnsafeMutableBytes { try File.read(output.reader.raw, into: $0) }
        try check { mount("tmpfs", "\(host)/late", "tmpfs", 0, "size=64k") }
        defer { umount2("\(host)/late", Int32(MNT_DETACH)) }
        let marker = try File.open("\(host)/late/marker", O_WRONLY | O_CREAT, mode: 0o644)
        try marker.close()
        input.closeWriter()
        #expect(try Pidfd.wait(process.pidfd.raw) == .code(0))
        #expect(String(decoding: try output.readAll(), as: UTF8.self) == "marker\n-\n")
    }

    @Test func makesARootReadOnly() throws {
        let fixture = try ContainerFixture()
        let script = "touch /x; touch /dev/shm/y && touch /data/z && echo rest; pwd"
        let result = try fixture.shell(script) { request in
            request.spec.root.readonly = true
            request.spec.process.cwd = "/made/for/us"
            request.spec.mounts.append(Spec.Mount(destination: "/data", type: "tmpfs", source: "tmpfs"))
        }
        #expect(result.errors.contains("/x: Read-only file system"))
        #expect(result.output == "rest\n/made/for/us\n")
    }

    @Test func runsADirectoryAsTheRoot() throws {
        let fixture = try ContainerFixture()
        let request = try fixture.request(["/bin/touch", "/etc/made"]) { request in
            request.rootfs = RootfsMount(directory: fixture.scratch("overlay2/base/diff"), readOnly: false)
        }
        let process = try Launcher.start(try Launcher.plan(request))
        #expect(try Pidfd.wait(process.pidfd.raw) == .code(0))
        #expect(File.exists(fixture.scratch("overlay2/base/diff/etc/made")))
        #expect(Scratch.mounts(below: fixture.scratch.path).isEmpty)
    }

    @Test func hasNoOldRoot() throws {
        let result = try ContainerFixture().shell("cut -d' ' -f5 /proc/self/mountinfo; ls -a /; cd ..; pwd")
        #expect(!result.output.contains("overlay2"))
        #expect(result.lines.first == "/")
        #expect(result.lines.last == "/")
        #expect(result.lines.filter { $0 == "/" }.count == 2)
    }

    @Test func failsWithoutALeftover() throws {
        let fixture = try ContainerFixture()
        let error = try fixture.failure(["true"]) { request in
            request.spec.mounts.append(bind(fixture.scratch("absent"), "/data"))
        }
        let path = fixture.scratch("absent")
        #expect("\(error)" == "bind source path \(path): open_tree: no such file or directory (ENOENT)")
        #expect(error.exitCode == 125)
        try fixture.scratch.file("plain", "x")
        let mismatch = try fixture.failure(["true"]) { request in
            request.spec.mounts.append(bind(fixture.scratch("plain"), "/etc"))
        }
        #expect(
            "\(mismatch)".hasPrefix(
                "mount \(fixture.scratch("plain")) on /etc: move_mount: invalid argument (EINVAL); a directory"))
        let option = try fixture.failure(["true"]) { request in
            request.spec.mounts.append(
                Spec.Mount(destination: "/x", type: "tmpfs", source: "tmpfs", options: ["size=banana"]))
        }
        #expect("\(option)".hasPrefix("mount tmpfs on /x: option: invalid argument (EINVAL) ("))
        #expect("\(option)".contains("Bad value for 'size'"))
        #expect(Scratch.mounts(below: fixture.scratch.path).isEmpty)
    }
}

extension String {
    /// How often `part` occurs.
    fileprivate func components(_ part: String) -> Int { ranges(of: part).count }
}
