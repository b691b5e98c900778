import Glibc
import OCI
import Rootfs
import Runtime
import Sys
import TestSupport
import Testing

/// Images that try to make the runtime act outside of them, before the root is theirs.
@Suite(.enabled(if: ContainerFixture.isPossible, ContainerFixture.requirement))
struct HostileImageTests {
    /// A container whose image is changed by `attack`, beside a directory of the host that nothing may touch.
    private func attacked(_ attack: (Scratch, _ image: String, _ canary: String) throws -> Void) throws
        -> ContainerFixture
    {
        try ContainerFixture { scratch, image in
            let canary = try scratch.directory("canary")
            try scratch.file("canary/file", "untouched\n")
            try scratch.file("canary/ptmx", "untouched\n")
            try attack(scratch, image, canary)
        }
    }

    private func expectUntouched(_ fixture: ContainerFixture) throws {
        let canary = fixture.scratch("canary")
        #expect(try Directory.entries(canary).map(\.name).sorted() == ["file", "ptmx"])
        for name in ["file", "ptmx"] {
            #expect(try File.readAll("\(canary)/\(name)", limit: 100) == Array("untouched\n".utf8))
            #expect(try File.status("\(canary)/\(name)").isRegular)
        }
        #expect(Scratch.mounts(below: fixture.scratch.path).isEmpty)
    }

    private func replace(_ path: String, withLinkTo target: String) throws {
        try Directory.removeTree(path)
        try File.symlink(target, path)
    }

    /// R10: nodes and links of /dev are made in the tmpfs, which is mounted inside whatever /dev says.
    @Test func devIsALink() throws {
        let fixture = try attacked { _, image, canary in try replace("\(image)/dev", withLinkTo: canary) }
        let result = try fixture.shell("ls /dev/null && test -c /dev/null && echo fine")
        #expect(result.output == "/dev/null\nfine\n", "\(result)")
        try expectUntouched(fixture)
    }

    @Test func devIsALinkWithoutAMount() throws {
        let fixture = try attacked { _, image, canary in try replace("\(image)/dev", withLinkTo: canary) }
        let result = try fixture.shell("test -c /dev/null && echo fine") { request in
            request.spec.mounts.removeAll { $0.destination.hasPrefix("/dev") }
        }
        #expect(result.output == "fine\n", "\(result)")
        try expectUntouched(fixture)
    }

    /// R12: the working directory is made inside.
    @Test func workingDirectoryIsALink() throws {
        let fixture = try attacked { _, image, canary in try File.symlink(canary, "\(image)/link") }
        let result = try fixture.shell("pwd") { $0.spec.process.cwd = "/link/a/b" }
        #expect(result.output == "\(fixture.scratch("canary"))/a/b\n")
        try expectUntouched(fixture)
        #expect(File.exists("\(fixture.upper)\(fixture.scratch("canary"))/a/b"))
    }

    /// R2: nothing of the host is a working directory, by whatever name.
    @Test func workingDirectoryIsADescriptor() throws {
        let directory = try Directory.open("/root")
        let leaked = dup(directory.raw)
        defer { close(leaked) }
        let fixture = try attacked { _, image, _ in try File.symlink("/proc/self/fd/\(leaked)", "\(image)/link") }
        for path in (3...30).map({ "/proc/self/fd/\($0)" }) + ["/proc/self/fd/\(leaked)", "/link", "/link/.."] {
            let error = try fixture.failure(["/bin/sh", "-c", "pwd; ls"]) { $0.spec.process.cwd = path }
            #expect("\(error)".contains("directory \(path): "), "\(path)")
        }
        let result = try fixture.shell("cd ../../..; ls") { $0.spec.process.cwd = "/../../.." }
        #expect(result.lines.contains("bin"))
        #expect(!result.lines.contains("boot"))
    }

    /// R5: /proc and /sys are directories of the image, or it does not start.
    @Test(arguments: ["proc", "sys"], ["link", "relative", "file", "dangling"])
    func systemDirectoryIsSomethingElse(name: String, kind: String) throws {
        let fixture = try attacked { scratch, image, canary in
            try Directory.removeTree("\(image)/\(name)")
            switch kind {
            case "link": try File.symlink(canary, "\(image)/\(name)")
            case "relative":
                try scratch.directory("overlay2/base/diff/other")
                try File.symlink("other", "\(image)/\(name)")
            case "dangling": try File.symlink("/nowhere", "\(image)/\(name)")
            default: try scratch.file("overlay2/base/diff/\(name)", "x")
            }
        }
        let error = try fixture.failure(["true"])
        let type = name == "proc" ? "proc" : "sysfs"
        #expect("\(error)".hasPrefix("mount \(type) on /\(name): open: "))
        let reason =
            kind == "file" ? "a directory is mounted on a directory only" : "the image has a symbolic link in its place"
        #expect("\(error)".contains(reason), "\(error)")
        try expectUntouched(fixture)
    }

    /// R6, R16: what the compiler refuses by name.
    @Test func refusesMountsOnProc() throws {
        let fixture = try attacked { _, _, _ in }
        for destination in ["/proc", "/proc/self", "/proc/../proc/sys", "//proc/./1"] {
            for type in ["bind", "tmpfs"] {
                let error = try fixture.failure(["true"]) { request in
                    request.spec.mounts.append(
                        Spec.Mount(destination: destination, type: type, source: fixture.scratch("canary")))
                }
                #expect("\(error)".contains("mounts on /proc are refused"))
            }
        }
        for name in ["kernel..core_pattern", "net.ipv4/../../kernel.x", "..", "kernel"] {
            let error = try fixture.failure(["true"]) { $0.spec.linux.sysctl = [name: "1"] }
            #expect("\(error)" == "sysctl \(name): not a name of the form net.ipv4.ip_forward")
        }
        try expectUntouched(fixture)
    }

    /// R6: and what only the child can see.
    @Test func refusesMountsThatALinkLeadsIntoProc() throws {
        let fixture = try attacked { _, image, _ in try File.symlink("/proc/1", "\(image)/data") }
        let error = try fixture.failure(["true"]) { request in
            request.spec.mounts.append(
                Spec.Mount(destination: "/data", type: "bind", source: fixture.scratch("canary"), options: ["rbind"]))
        }
        #expect("\(error)".hasSuffix("a symbolic link of the image leads it into /proc, where mounts are refused"))
        try expectUntouched(fixture)
    }

    /// R7: without a /dev of ours a false null device stops the start, or the mask is a true one.
    @Test(arguments: ["link", "file", "wrong", "fifo"]) func nullDeviceIsFalse(kind: String) throws {
        let fixture = try attacked { scratch, image, _ in
            switch kind {
            case "link": try File.symlink("/proc/sys/kernel/core_pattern", "\(image)/dev/null")
            case "file": try scratch.file("overlay2/base/diff/dev/null", "x")
            case "fifo": try check { mkfifo("\(image)/dev/null", 0o666) }
            default: try check { mknod("\(image)/dev/null", S_IFCHR | 0o666, 0x0105) }
            }
        }
        let error = try fixture.failure(["true"]) { request in
            request.spec.mounts.removeAll { $0.destination.hasPrefix("/dev") }
        }
        #expect("\(error)".contains("open null device $dev:null: "), "\(error)")
        // With one, the image's own is not seen.
        #expect(try fixture.shell("test -c /dev/null").exit == .code(0))
        try expectUntouched(fixture)
    }

    /// R14, R21: generated files over links of the image.
    @Test func mountTargetsAreLinks() throws {
        let fixture = try attacked { scratch, image, canary in
            try File.symlink("\(canary)/file", "\(image)/etc/hosts")
            try File.symlink("../run/resolve/stub.conf", "\(image)/etc/resolv.conf")
            try File.symlink("hostname", "\(image)/etc/hostname")
            try File.symlink(canary, "\(image)/data")
            try scratch.file("generated", "generated\n")
        }
        for name in ["hosts", "resolv.conf"] {
            let result = try fixture.shell("cat /etc/\(name)") { request in
                request.spec.mounts.append(
                    Spec.Mount(
                        destination: "/etc/\(name)", type: "bind", source: fixture.scratch("generated"),
                        options: ["rbind"]))
            }
            #expect(result.output == "generated\n", "\(name): \(result)")
        }
        #expect(File.exists("\(fixture.upper)/run/resolve/stub.conf"))
        let loop = try fixture.failure(["true"]) { request in
            request.spec.mounts.append(
                Spec.Mount(
                    destination: "/etc/hostname", type: "bind", source: fixture.scratch("generated"), options: ["rbind"]
                ))
        }
        #expect("\(loop)".contains("too many levels of symbolic links (ELOOP)"))
        let made = try fixture.shell("ls /data/new") { request in
            request.spec.mounts.append(Spec.Mount(destination: "/data/new", type: "tmpfs", source: "tmpfs"))
        }
        #expect(made.exit == .code(0), "\(made)")
        try expectUntouched(fixture)
    }

    /// R8: the console is bound on a node of our own.
    @Test func consoleIsALink() throws {
        let fixture = try attacked { _, image, canary in try File.symlink("\(canary)/file", "\(image)/dev/console") }
        let request = try fixture.request(["/bin/sh", "-c", "test -c /dev/console"]) { $0.spec.process.terminal = true }
        let process = try Launcher.start(try Launcher.plan(request))
        #expect(try Pidfd.wait(process.pidfd.raw) == .code(0))
        try expectUntouched(fixture)
    }

    /// R4, R11: two containers share a volume; one swaps the other's mount target for a link while it starts.
    @Test func targetIsSwapped() throws {
        let fixture = try attacked { scratch, _, canary in
            try scratch.directory("volume/target/deep")
            try File.symlink(canary, scratch("volume/other"))
        }
        let volume = Spec.Mount(
            destination: "/volume", type: "bind", source: fixture.scratch("volume"), options: ["rbind"])
        let swapper = try fixture.request([
            "/bin/sh", "-c",
            "while :; do mv /volume/target /volume/x; mv /volume/other /volume/target; mv /volume/target /volume/other; mv /volume/x /volume/target; done",
        ]) { request in
            request.spec.mounts.append(volume)
            request.stdio = StandardIO()
        }
        let attacker = try Launcher.start(try Launcher.plan(swapper))
        defer {
            try? Pidfd.send(SIGKILL, to: attacker.pidfd.raw)
            _ = try? Pidfd.wait(attacker.pidfd.raw)
        }
        let victim = try ContainerFixture()
        for _ in 0..<100 {
            _ = try? victim.run(["true"]) { request in
                request.spec.mounts.append(volume)
                request.spec.mounts.append(
                    Spec.Mount(destination: "/volume/target/deep", type: "tmpfs", source: "tmpfs"))
            }
        }
        try expectUntouched(fixture)
    }
}
