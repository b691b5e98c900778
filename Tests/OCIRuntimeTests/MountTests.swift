internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// config.md, "Mounts": what is mounted, as the container and the kernel show it.
    @Suite struct Mounts {
        @Test(arguments: OCIRuntime.all) func theDefaultOnes(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let mounts = try bench.mounts {
                    $0.mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev")
                    $0.mount("/sys/fs/cgroup", "cgroup", "cgroup", "nosuid", "noexec", "nodev", "relatime", "ro")
                }
                let types = Dictionary(mounts.map { ($0.point, $0.type) }) { $1 }
                #expect(types["/proc"] == "proc" && types["/sys"] == "sysfs" && types["/dev"] == "tmpfs")
                #expect(types["/dev/pts"] == "devpts" && types["/dev/shm"] == "tmpfs")
                #expect(types["/dev/mqueue"] == "mqueue")
                let proc = try #require(mounts.last { $0.point == "/proc" })
                #expect(proc.options.isSuperset(of: ["nosuid", "nodev", "noexec"]) && !proc.options.contains("ro"))
                let sys = try #require(mounts.last { $0.point == "/sys" })
                #expect(sys.options.isSuperset(of: ["ro", "nosuid", "nodev", "noexec"]))
                let groups = mounts.filter { $0.point.hasPrefix("/sys/fs/cgroup") && $0.type.hasPrefix("cgroup") }
                #expect(!groups.isEmpty && groups.allSatisfy { $0.options.contains("ro") }, "\(groups)")
                // Nothing of the host's else.
                let known = ["/", "/proc", "/dev", "/sys"]
                let strange = mounts.filter { mount in
                    !known.contains { mount.point == $0 || $0 != "/" && mount.point.hasPrefix("\($0)/") }
                }
                #expect(strange.isEmpty, "\(strange)")
            }
        }

        @Test(arguments: OCIRuntime.all) func aTemporaryFileSystem(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let mount = try bench.mount("/data") {
                    $0.mount("/data", "tmpfs", "mine", "size=1m", "mode=1700", "nr_inodes=50", "noexec")
                }
                #expect(mount?.source == "mine" && mount?.options.contains("noexec") == true)
                #expect(mount?.superOptions.contains("size=1024k") == true, "\(mount?.superOptions ?? [])")
                try bench.expect(
                    "stat -c %a:%u /data; head -c 2000000 /dev/zero > /data/x 2>/dev/null; stat -c %s /data/x",
                    prints: ["1700:0", "1048576"]
                ) { $0.mount("/data", "tmpfs", "tmpfs", "size=1m", "mode=1700") }
            }
        }

        @Test(arguments: OCIRuntime.all) func bindsOfDirectoriesAndFiles(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let directory = try bench.scratch.directory("data", mode: 0o750)
                let file = try bench.scratch.file("data/file", "text\n")
                // Places that are not there are made, of the kind that is needed.
                try bench.expect(
                    "stat -c %a /deep/er/data; cat /deep/er/data/file /etc/one/file; echo new > /deep/er/data/new",
                    prints: ["750", "text", "text"]
                ) {
                    $0.mount("/deep/er/data", "bind", directory, "bind")
                    $0.mount("/etc/one/file", "none", file, "bind", "ro")
                }
                #expect(File.exists("\(directory)/new"))
                try bench.expect("echo x > /f 2>/dev/null || echo refused", prints: ["refused"]) {
                    $0.mount("/f", "bind", file, "bind", "ro")
                }
                try bench.expectRefused { $0.mount("/data", "bind", bench.scratch("nothing"), "bind") }
                try bench.expectRefused { $0.mount("/etc/passwd", "bind", directory, "bind") }
            }
        }

        @Test(arguments: OCIRuntime.all) func aSourceMayBeRelativeToTheBundle(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("cat /data/file") { $0.mount("/data", "bind", "mine", "bind") }
                try bench.scratch.file("\(container.id)/mine/file", "of the bundle\n")
                let output = try container.run()
                #expect(output.lines == ["of the bundle"], "\(output)")
            }
        }

        @Test(arguments: OCIRuntime.all) func oneOverTheOther(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let one = try bench.scratch.directory("one")
                try bench.scratch.file("one/inner/file", "one\n")
                try bench.scratch.file("two/file", "two\n")
                try bench.expect(
                    "cat /data/inner/file; ls /data/inner /data/other",
                    prints: ["two", "/data/inner:", "file", "/data/other:"]
                ) {
                    $0.mount("/data", "bind", one, "bind")
                    $0.mount("/data/inner", "bind", bench.scratch("two"), "bind")
                    $0.mount("/data/other", "tmpfs", "tmpfs")
                }
                // In the listed order.
                try bench.expect("ls /data", prints: []) {
                    $0.mount("/data", "bind", one, "bind")
                    $0.mount("/data", "tmpfs", "tmpfs")
                }
            }
        }

        /// A host directory with a file system mounted inside.
        private func withTree(_ bench: OCIBench, _ body: (String) throws -> Void) throws {
            let tree = try bench.scratch.directory("tree")
            try bench.scratch.directory("tree/below")
            try Tool.check("mount", ["-t", "tmpfs", "inner", "\(tree)/below"])
            defer { umount2("\(tree)/below", Int32(MNT_DETACH)) }
            try bench.scratch.file("tree/below/file", "inner\n")
            try body(tree)
        }

        @Test(arguments: OCIRuntime.all) func bindsTakeWhatIsBelowIfTold(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                try withTree(bench) { tree in
                    try bench.expect("ls /t/below", prints: ["file"]) { $0.mount("/t", "bind", tree, "rbind") }
                    try bench.expect("ls /t/below", prints: []) { $0.mount("/t", "bind", tree, "bind") }
                    // `ro` is of the one mount, `rro` of all below (config.md, "Linux mount options").
                    let script = "touch /t/x 2>/dev/null || echo top; touch /t/below/x 2>/dev/null || echo below"
                    try bench.expect(script, prints: ["top"]) { $0.mount("/t", "bind", tree, "rbind", "ro") }
                    try bench.expect(script, prints: ["top", "below"]) { $0.mount("/t", "bind", tree, "rbind", "rro") }
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func theContentsOfTheImageAreCopied(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let container = try bench.container("cat /etc/mine/a; readlink /etc/mine/l; stat -c %a:%u /etc/mine/a")
                {
                    $0.mount("/etc/mine", "tmpfs", "tmpfs", "tmpcopyup")
                }
                try container.file("etc/mine/a", "of the image\n", mode: 0o640)
                try Tool.check("chown", ["7:8", "\(container.rootfs)/etc/mine/a"])
                try File.symlink("a", "\(container.rootfs)/etc/mine/l")
                let output = try container.run()
                #expect(output.lines == ["of the image", "a", "640:7"], "\(output)")
            }
        }

        @Test(arguments: OCIRuntime.all) func aLinkInTheImageStaysInside(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let outside = try bench.scratch.directory("outside")
                let container = try bench.container("cat /proc/self/mountinfo") {
                    $0.mount("/link/below", "tmpfs", "swapped")
                    $0.mount("/climb/below", "tmpfs", "swapped")
                }
                try File.symlink(outside, "\(container.rootfs)/link")
                try File.symlink("../../../../../../../..\(outside)", "\(container.rootfs)/climb")
                let output = try container.run()
                let found = MountLine.parse(output.stdout).filter { $0.source == "swapped" }.map(\.point)
                #expect(try Directory.entries(outside).isEmpty)
                try runtime.deviates([.crun], "crun 1.8.1 refuses a link that leads to nothing") {
                    #expect(found.allSatisfy { $0 == "\(outside)/below" } && found.count == 2, "\(output)")
                    #expect(File.exists("\(container.rootfs)\(outside)/below"))
                }
            }
        }

        @Test("R6: nothing is mounted over /proc", arguments: OCIRuntime.all)
        func procStaysItself(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let fake = try bench.scratch.directory("fake")
                for name in ["sys/kernel/core_pattern", "self/attr/exec", "version"] {
                    try bench.scratch.file("fake/\(name)", "untouched\n")
                }
                for change: (inout OCIConfig) -> Void in [
                    { $0.mount("/proc", "bind", fake, "bind") }, { $0.mount("/proc", "tmpfs", "tmpfs") },
                    { $0.mount("/proc/self", "bind", fake, "bind") }, { $0.mount("/proc/sys", "tmpfs", "tmpfs") },
                    { $0.mount("/x/../proc/self", "bind", fake, "bind") },
                ] {
                    let reason: Comment = "crun 1.8.1 only looks at where it writes itself, runc 1.1.5 only at binds"
                    try runtime.deviates([.crun, .runc], reason, isIntermittent: true) {
                        try bench.expectRefused(change)
                    }
                    let text = String(decoding: try File.readAll("\(fake)/self/attr/exec"), as: UTF8.self)
                    #expect(text == "untouched\n")
                }
                // What lxcfs lays there is known to be harmless.
                let info = try bench.scratch.file("meminfo", "MemTotal: 1 kB\n")
                try bench.expect("cat /proc/meminfo", prints: ["MemTotal: 1 kB"]) {
                    $0.mount("/proc/meminfo", "bind", info, "bind")
                }
            }
        }
    }
}
