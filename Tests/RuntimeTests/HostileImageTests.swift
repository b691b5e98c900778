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
            try attack(scratch, image, try HostFiles(scratch).path)
        }
    }

    private func expectUntouched(_ fixture: ContainerFixture) throws {
        try HostFiles.at(fixture.scratch("canary")).expectUntouched()
        #expect(Scratch.mounts(below: fixture.scratch.path).isEmpty)
    }

    private func replace(_ path: String, withLinkTo target: String) throws {
        try Directory.removeTree(path)
        try File.symlink(target, path)
    }

    /// Nodes and links of /dev are made in the tmpfs, which is mounted inside whatever /dev says.
    @Test("R10: /dev is a link to the host") func devIsALink() throws {
        let fixture = try attacked { _, image, canary in try replace("\(image)/dev", withLinkTo: canary) }
        let result = try fixture.shell("ls /dev/null && test -c /dev/null && echo fine")
        #expect(result.output == "/dev/null\nfine\n", "\(result)")
        try expectUntouched(fixture)
    }

    @Test("R10: /dev is a link to the host, and nothing is mounted on it") func devIsALinkWithoutAMount() throws {
        let fixture = try attacked { _, image, canary in try replace("\(image)/dev", withLinkTo: canary) }
        let result = try fixture.shell("test -c /dev/null && echo fine") { request in
            request.spec.mounts.removeAll { $0.destination.hasPrefix("/dev") }
        }
        #expect(result.output == "fine\n", "\(result)")
        try expectUntouched(fixture)
    }

    @Test("R12: a working directory behind a link is made inside") func workingDirectoryIsALink() throws {
        let fixture = try attacked { _, image, canary in try File.symlink(canary, "\(image)/link") }
        let result = try fixture.shell("pwd") { $0.spec.process.cwd = "/link/a/b" }
        #expect(result.output == "\(fixture.scratch("canary"))/a/b\n")
        try expectUntouched(fixture)
        #expect(File.exists("\(fixture.upper)\(fixture.scratch("canary"))/a/b"))
    }

    @Test("R2: nothing of the host is a working directory, by whatever name") func workingDirectoryIsADescriptor()
        throws
    {
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

    @Test(
        "R5: /proc and /sys are directories of the image, or it does not start", arguments: ["proc", "sys"],
        ["link", "relative", "file", "dangling"])
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

    /// What the compiler refuses by name.
    @Test("R6, R16: mounts on /proc and names of sysctls that lead elsewhere are refused") func refusesMountsOnProc()
        throws
    {
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

    /// What only the child can see.
    @Test("R6: a mount that a link of the image leads into /proc is refused") func refusesMountsThatALinkLeadsIntoProc()
        throws
    {
        let fixture = try attacked { _, image, _ in try File.symlink("/proc/1", "\(image)/data") }
        let error = try fixture.failure(["true"]) { request in
            request.spec.mounts.append(
                Spec.Mount(destination: "/data", type: "bind", source: fixture.scratch("canary"), options: ["rbind"]))
        }
        #expect("\(error)".hasSuffix("a symbolic link of the image leads it into /proc, where mounts are refused"))
        try expectUntouched(fixture)
    }

    @Test(
        "R7: without a /dev of ours a false null device stops the start", arguments: ["link", "file", "wrong", "fifo"])
    func nullDeviceIsFalse(kind: String) throws {
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

    @Test("R14, R21: generated files are mounted over what links of the image say, inside") func mountTargetsAreLinks()
        throws
    {
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

    @Test("R8: the console is bound on a node of our own, not on the image's link") func consoleIsALink() throws {
        let fixture = try attacked { _, image, canary in try File.symlink("\(canary)/file", "\(image)/dev/console") }
        let request = try fixture.request(["/bin/sh", "-c", "test -c /dev/console"]) { $0.spec.process.terminal = true }
        let process = try Launcher.start(try Launcher.plan(request))
        #expect(try Pidfd.wait(process.pidfd.raw) == .code(0))
        try expectUntouched(fixture)
    }

    /// What is mounted or made without being asked for, where the image has a link for each of its targets.
    @Test("R21: targets of the automatic mounts and nodes are links to the host") func automaticTargetsAreLinks() throws
    {
        let fixture = try attacked { _, image, canary in
            for name in ["shm", "mqueue", "pts"] { try File.symlink(canary, "\(image)/dev/\(name)") }
            for name in ["zero", "tty", "ptmx", "fd"] { try File.symlink("\(canary)/file", "\(image)/dev/\(name)") }
            try File.symlink("\(canary)/new", "\(image)/dev/full")
            try File.symlink(canary, "\(image)/made")
        }
        let result = try fixture.run(["cat", "/proc/self/mountinfo"]) { request in
            request.spec.mounts.removeAll { $0.destination == "/dev" }
            request.spec.linux.maskedPaths = []
            request.useInit = true
            request.spec.linux.devices = [Spec.Device(path: "/made/node", type: "c", major: 1, minor: 3)]
        }
        #expect(result.exit == .code(0), "\(result)")
        for type in ["tmpfs", "mqueue", "devpts"] {
            #expect(
                result.lines.contains { $0.contains(" \(fixture.scratch("canary")) ") && $0.contains(" - \(type) ") })
        }
        try expectUntouched(fixture)
    }
}
