import Cgroups
import Glibc
import OCI
import Rootfs
import Runtime
import Sys
import TestSupport
import Testing

/// The words of config.md#linux-mount-options, as the kernel shows their effect.
@Suite(.enabled(if: ContainerFixture.isPossible, ContainerFixture.requirement))
struct MountOptionTests {
    /// A directory of the host's that is a mount, with another one below.
    private func tree(_ fixture: ContainerFixture, options: String = "size=64k") throws -> String {
        let host = try fixture.scratch.directory("tree")
        try check { mount("tmpfs", host, "tmpfs", 0, options) }
        try Directory.make("\(host)/below", mode: 0o755)
        try check { mount("tmpfs", "\(host)/below", "tmpfs", 0, options) }
        return host
    }

    private func drop(_ host: String) {
        umount2("\(host)/below", Int32(MNT_DETACH))
        umount2(host, Int32(MNT_DETACH))
    }

    /// What the mount itself has, and the one below it.
    @Test(
        arguments: [
            (["ro"], "ro,relatime", "rw,relatime"), (["rro"], "ro,relatime", "ro,relatime"),
            (["rro", "rw"], "ro,relatime", "ro,relatime"), (["ro", "rw"], "rw,relatime", "rw,relatime"),
            (["nosuid", "rnodev"], "rw,nosuid,nodev,relatime", "rw,nodev,relatime"),
            (["rnoexec"], "rw,noexec,relatime", "rw,noexec,relatime"),
            (["rnoexec", "rexec"], "rw,relatime", "rw,relatime"),
            (["noatime"], "rw,noatime", "rw,relatime"), (["rnoatime"], "rw,noatime", "rw,noatime"),
            (["rnoatime", "rrelatime"], "rw,relatime", "rw,relatime"), (["rstrictatime"], "rw", "rw"),
            (["nodiratime", "rnosymfollow"], "rw,nodiratime,relatime,nosymfollow", "rw,relatime,nosymfollow"),
            (["nostrictatime", "norelatime", "async", "loud", "silent", "iversion"], "rw,relatime", "rw,relatime"),
        ] as [([String], String, String)])
    func holdForTheMountOrTheTree(options: [String], own: String, below: String) throws {
        let fixture = try ContainerFixture()
        let host = try tree(fixture)
        defer { drop(host) }
        let result = try fixture.shell("grep ' /data' /proc/self/mountinfo | cut -d' ' -f5,6") { request in
            request.spec.mounts.append(
                Spec.Mount(destination: "/data", type: "bind", source: host, options: ["rbind"] + options))
        }
        #expect(result.lines == ["/data \(own)", "/data/below \(below)"], "\(result)")
    }

    @Test func undoWhatTheHostHas() throws {
        let fixture = try ContainerFixture()
        let host = try fixture.scratch.directory("host")
        try check { mount("tmpfs", host, "tmpfs", UInt(MS_NOEXEC | MS_NOATIME | MS_RDONLY), "size=64k") }
        defer { umount2(host, Int32(MNT_DETACH)) }
        func options(_ words: String...) throws -> String? {
            try ContainerFixture().shell("grep ' /data' /proc/self/mountinfo | cut -d' ' -f6") { request in
                request.spec.mounts.append(
                    Spec.Mount(destination: "/data", type: "bind", source: host, options: ["bind"] + words))
            }.lines.first
        }
        #expect(try options() == "ro,noexec,noatime")
        // `rw` is the default's name.
        #expect(try options("rw", "exec", "atime") == "ro,relatime")
        #expect(try options("relatime") == "ro,noexec,relatime")
        #expect(try options("rexec", "rrw") == "rw,noatime")
    }

    @Test func reachTheFileSystem() throws {
        let result = try ContainerFixture().shell("grep ' /data' /proc/self/mountinfo") { request in
            request.spec.mounts.append(
                Spec.Mount(
                    destination: "data", type: "tmpfs", source: "mine",
                    options: ["defaults", "rw", "async", "nomand", "dirsync", "lazytime", "size=64k", "rro", "rnosuid"])
            )
        }
        let line = try #require(result.lines.first, "\(result)")
        #expect(line.contains(" /data ro,nosuid,relatime "))
        #expect(line.contains(" - tmpfs mine rw,dirsync,lazytime,size=64k"))
    }

    @Test func changeWhatIsMounted() throws {
        let result = try ContainerFixture().shell(
            "grep -E ' /(dev|dev/shm|data) ' /proc/self/mountinfo; touch /data/x"
        ) { request in
            request.spec.mounts += [
                Spec.Mount(destination: "/data", type: "tmpfs", source: "tmpfs", options: ["size=64k"]),
                Spec.Mount(
                    destination: "/data", type: nil, source: nil, options: ["remount", "size=128k", "mode=700"]),
                Spec.Mount(destination: "/data", type: nil, source: nil, options: ["remount", "bind", "ro"]),
                Spec.Mount(destination: "/dev/shm", type: nil, source: nil, options: ["remount", "exec"]),
            ]
        }
        let shm = result.lines.first { $0.contains(" /dev/shm ") }
        #expect(shm?.contains(" rw,nosuid,nodev,relatime ") == true, "\(result)")
        let data = result.lines.first { $0.contains(" /data ") }
        #expect(data?.contains(" ro,relatime ") == true && data?.contains("size=128k") == true, "\(result)")
        #expect(result.errors.contains("Read-only file system"))
    }

    @Test func beginWithWhatTheImageHas() throws {
        let fixture = try ContainerFixture { scratch, image in
            try scratch.file("overlay2/base/diff/data/sub/file", "content\n", mode: 0o640)
            try File.symlink("sub/file", "\(image)/data/link")
            try Tool.check("chown", ["7:8", "\(image)/data/sub/file"])
            try Tool.check("chmod", ["2751", "\(image)/data/sub"])
            try Tool.check("chmod", ["1777", "\(image)/data"])
            try Tool.check("mkfifo", ["\(image)/data/fifo"])
            try scratch.file("overlay2/base/diff/data/large", String(repeating: "0123456789", count: 300_000))
        }
        let script = """
            grep -c ' /data .* - tmpfs ' /proc/self/mountinfo; cat /data/link; stat -c '%a %u %g' /data/sub/file /data/sub /data
            readlink /data/link; stat -c '%F %s' /data/fifo /data/large; touch /data/x; ls /new
            """
        let result = try fixture.shell(script) { request in
            request.spec.mounts += [
                Spec.Mount(
                    destination: "/data", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "size=8m", "ro"]),
                Spec.Mount(destination: "/new", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup"]),
            ]
        }
        #expect(
            result.lines == [
                "1", "content", "640 7 8", "2751 0 0", "1777 0 0", "sub/file", "fifo 0", "regular file 3000000",
            ], "\(result)")
        #expect(result.errors.contains("Read-only file system"), "\(result)")
        let full = try fixture.failure(["true"]) { request in
            request.spec.mounts.append(
                Spec.Mount(destination: "/data", type: "tmpfs", source: "tmpfs", options: ["tmpcopyup", "size=64k"]))
        }
        #expect("\(full)".contains("write: no space left on device (ENOSPC)"), "\(full)")
        let odd = try fixture.failure(["true"]) { request in
            request.spec.mounts.append(
                Spec.Mount(destination: "/x", type: "proc", source: "proc", options: ["tmpcopyup"]))
        }
        #expect("\(odd)" == "mount on /x: tmpcopyup is for a tmpfs, not for proc")
    }

    @Test("R6: of /proc only files that tell what the machine is like are covered, in the container's own procfs")
    func coverKnownFilesOfProc() throws {
        let fixture = try ContainerFixture()
        try fixture.scratch.file("told", "told\n")
        func bind(_ destination: String) -> Spec.Mount {
            Spec.Mount(
                destination: destination, type: "bind", source: fixture.scratch("told"), options: ["bind", "ro"])
        }
        let files = ["cpuinfo", "meminfo", "uptime", "stat", "swaps"]
        let result = try fixture.shell(
            files.map { "cat /proc/\($0)" }.joined(separator: ";")
        ) { request in
            request.spec.mounts += files.map { bind("/proc/\($0)") }
            request.spec.mounts.append(bind("proc/sys/kernel/ns_last_pid"))
        }
        #expect(result.lines == Array(repeating: "told", count: files.count), "\(result)")
        for path in ["/proc/self/attr/exec", "/proc/sys/kernel/core_pattern", "/proc/meminfo/x", "/proc/net/dev"] {
            let error = try fixture.failure(["true"]) { $0.spec.mounts.append(bind(path)) }
            #expect("\(error)".contains("mounts on /proc are refused"), "\(error)")
        }
        let early = try fixture.failure(["true"]) { $0.spec.mounts.insert(bind("/proc/uptime"), at: 0) }
        #expect("\(early)".contains("must be mounted on /proc before it"), "\(early)")
    }

    @Test(arguments: [
        ("private", "/ :"), ("rprivate", "/ :"), ("slave", "/ : master"), ("rslave", "/ : master"),
        ("shared", "/ : shared master"), ("rshared", "/ : shared master"), ("unbindable", "/ : unbindable"),
        ("runbindable", "/ : unbindable"),
    ])
    func setTheRootsPropagation(word: String, expected: String) throws {
        let fixture = try ContainerFixture()
        let host = fixture.scratch("overlay2/base/diff")
        try check { mount(host, host, nil, UInt(MS_BIND), nil) }
        defer { umount2(host, Int32(MNT_DETACH)) }
        try check { mount(nil, host, nil, UInt(MS_SHARED), nil) }
        let result = try fixture.shell("grep ' / / ' /proc/self/mountinfo || grep ' / rw' /proc/self/mountinfo") {
            request in
            request.rootfs = RootfsMount(directory: host, readOnly: false)
            request.spec.linux.rootfsPropagation = word
        }
        let words = ["shared", "master", "unbindable"].filter { result.output.contains(" \($0)") }
        #expect("/ :" + words.map { " \($0)" }.joined() == expected, "\(result)")
        #expect(Scratch.mounts(below: fixture.scratch.path) == [host])
    }
}

/// Mounts whose files have other owners (idmap).
@Suite(.enabled(if: ContainerFixture.isPossible, ContainerFixture.requirement))
struct MappedMountTests {
    private static let mapping = [Spec.IDMapping(containerID: 0, hostID: 100_000, size: 65536)]

    /// Before Linux 6.3 a tmpfs can't; then what the scratch directory is on is bound.
    private func mountHere(_ path: String) throws {
        var name = utsname()
        uname(&name)
        let release = withUnsafeBytes(of: name.release) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let parts = release.split { !$0.isNumber }.prefix(2).compactMap { Int($0) }
        let isOld = parts.lexicographicallyPrecedes([6, 3])
        try check { isOld ? mount(path, path, nil, UInt(MS_BIND), nil) : mount("tmpfs", path, "tmpfs", 0, "size=64k") }
    }

    private func source(_ fixture: ContainerFixture) throws -> String {
        let host = try fixture.scratch.directory("host")
        try mountHere(host)
        for name in ["file", "below"] {
            if name == "below" {
                try Directory.make("\(host)/below", mode: 0o755)
                try mountHere("\(host)/below")
            } else {
                try File.open("\(host)/\(name)", O_WRONLY | O_CREAT, mode: 0o644).close()
            }
        }
        return host
    }

    private func drop(_ host: String) {
        umount2("\(host)/below", Int32(MNT_DETACH))
        umount2(host, Int32(MNT_DETACH))
    }

    @Test(arguments: [
        (["bind"], "100000", nil), (["rbind"], "100000", "0"), (["rbind", "ridmap"], "100000", "100000"),
    ])
    func mapsTheOwners(options: [String], own: String, below: String?) throws {
        let fixture = try ContainerFixture()
        let host = try source(fixture)
        defer { drop(host) }
        let script = "stat -c %u /data/file; mountpoint -q /data/below && stat -c %u /data/below; touch /data/new"
        let result = try fixture.shell(
            script.replacing("mountpoint -q", with: "grep -q /data/below /proc/mounts; test -d")
        ) {
            request in
            var mount = Spec.Mount(destination: "/data", type: "bind", source: host, options: options)
            mount.uidMappings = Self.mapping
            mount.gidMappings = Self.mapping
            request.spec.mounts.append(mount)
        }
        #expect(result.lines.first == own, "\(result)")
        if let below { #expect(result.lines.last == below, "\(result)") }
        // Root of the container has no owner there to write as.
        #expect(result.errors.contains("Value too large"), "\(result)")
    }

    /// Files of the host's root are root's in the container's user namespace, and the other way round.
    @Test func takesTheMappingOfTheUserNamespace() throws {
        let fixture = try ContainerFixture()
        try Tool.check("chown", ["-R", "100000:100000", fixture.scratch("overlay2/base/diff")])
        let host = try source(fixture)
        defer { drop(host) }
        let result = try fixture.shell("stat -c '%u %g' /data/file; touch /data/new; stat -c %u /plain/file") {
            request in
            request.rootfs = RootfsMount(directory: fixture.scratch("overlay2/base/diff"), readOnly: false)
            request.spec.linux.namespaces.append(Spec.Namespace(.user))
            request.spec.linux.uidMappings = Self.mapping
            request.spec.linux.gidMappings = Self.mapping
            request.spec.mounts += [("/data", ["rbind", "idmap"]), ("/plain", ["rbind"])].map {
                Spec.Mount(destination: $0.0, type: "bind", source: host, options: $0.1)
            }
        }
        #expect(result.lines == ["0 0", "65534"] && result.errors == "", "\(result)")
        #expect(try File.status("\(host)/new").uid == 0)
    }

    @Test func refusesWhatCantBeMapped() throws {
        func message(_ mount: Spec.Mount) throws -> String {
            "\(try ContainerFixture().failure(["true"]) { $0.spec.mounts.append(mount) })"
        }
        let plain = Spec.Mount(destination: "/x", type: "bind", source: "/tmp", options: ["bind", "idmap"])
        #expect(try message(plain).contains("needs a user namespace of the container"))
        var tmpfs = Spec.Mount(destination: "/x", type: "tmpfs", source: "tmpfs")
        tmpfs.uidMappings = Self.mapping
        #expect(try message(tmpfs).contains("only a bind mount"))
        var half = plain
        half.uidMappings = Self.mapping
        #expect(try message(half).contains("come together"))
        var sysfs = Spec.Mount(destination: "/x", type: "bind", source: "/sys", options: ["bind"])
        (sysfs.uidMappings, sysfs.gidMappings) = (Self.mapping, Self.mapping)
        #expect(try message(sysfs).hasPrefix("bind /sys with other owners (idmap): invalid argument (EINVAL); its"))
    }
}
