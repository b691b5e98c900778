internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// What `run` mounts.
    @Suite struct StorageFlags {
        @Test func aVolumeIsSeenOnBothSides() throws {
            let scratch = try EndToEnd.scratch()
            try scratch.file("host/from-host", "written outside\n", mode: 0o640)
            let seen = try shell(
                ["-v", "\(scratch("host")):/data"],
                "cat /data/from-host; echo 'written inside' > /data/from-container; chown 1000:50 /data/from-container")
            #expect(seen == "written outside")
            #expect(
                String(decoding: try File.readAll(scratch("host/from-container")), as: UTF8.self) == "written inside\n")
            let status = try File.status(scratch("host/from-container"))
            #expect(status.uid == 1000 && status.gid == 50)
        }

        @Test func whatTheHostWritesLaterIsSeen() throws {
            let runimg = try Runimg()
            try runimg.scratch.directory("shared")
            var child = try runimg.start(
                "run", "--rm", "-q", "-v", "\(runimg.scratch("shared")):/data",
                "oci:\(Fixtures.layout("busybox")):latest",
                "sh", "-c", "echo up; while ! test -e /data/go; do sleep 0.05; done; cat /data/go")
            #expect(Wait.until(seconds: 20) { runimg.startedOutput.contains("up") })
            try runimg.scratch.file("shared/.go", "gone on\n")
            try File.rename(runimg.scratch("shared/.go"), to: runimg.scratch("shared/go"))
            #expect(try child.wait(seconds: 10) == .exited(0))
            #expect(runimg.startedOutput == "up\ngone on\n")
        }

        @Test func aSingleFileCanBeMounted() throws {
            let scratch = try EndToEnd.scratch()
            let file = try scratch.file("config", "one\n")
            #expect(try shell(["-v", "\(file):/etc/deep/config:ro"], "cat /etc/deep/config") == "one")
        }

        @Test func aReadOnlyVolumeCannotBeWritten() throws {
            let scratch = try EndToEnd.scratch()
            try scratch.file("host/file", "kept")
            let output = try run(["-v", "\(scratch("host")):/data:ro"], "sh", "-c", "echo x > /data/file")
            #expect(output.status != 0 && output.stderr.contains("Read-only file system"))
            #expect(String(decoding: try File.readAll(scratch("host/file")), as: UTF8.self) == "kept")
            #expect(try shell(["-v", "\(scratch("host")):/data:rw"], "echo x > /data/file; cat /data/file") == "x")
        }

        @Test func aMissingSourceIsMadeForVolumesOnly() throws {
            let scratch = try EndToEnd.scratch()
            #expect(try run(["-v", "\(scratch("made/here")):/data"], "true").status == 0)
            #expect(try File.status(scratch("made/here")).isDirectory)
            let output = try run(["--mount", "type=bind,src=\(scratch("not-made")),dst=/data"], "true")
            #expect(output.status == 125 && output.stderr.contains(scratch("not-made")), "\(output)")
            #expect(!File.exists(scratch("not-made")))
        }

        @Test(arguments: [
            ("rprivate", ""), ("private", ""), ("rslave", "master:"), ("slave", "master:"), ("rshared", "shared:"),
            ("shared", "shared:"),
        ])
        func propagationIsAsAskedFor(_ mode: String, _ mark: String) throws {
            // A mount of its own, shared, so that it has something to propagate.
            let scratch = try EndToEnd.scratch()
            try scratch.directory("host")
            let engine = try engine
            let script = """
                mount -t tmpfs none "$1/host" && mount --make-shared "$1/host" && \
                "$2" --data-root "$3" run --rm -v "$1/host:/data:$4" "$5" grep ' /data ' /proc/self/mountinfo
                """
            let output = try Tool.run(
                "unshare",
                [
                    "-m", "--propagation", "private", "sh", "-c", script, "sh", scratch.path, Runimg.path,
                    engine.runimg.dataRoot, mode, engine.image,
                ])
            #expect(output.status == 0, "\(output)")
            let found = ["shared:", "master:"].first { output.stdout.contains($0) } ?? ""
            #expect(found == mark, "\(output)")
        }

        @Test func selinuxMarksAreAcceptedWithoutSelinux() throws {
            let scratch = try EndToEnd.scratch()
            #expect(try run(["-v", "\(scratch.path):/data:z"], "true").status == 0)
        }

        @Test func aBindMountByLongFlag() throws {
            let scratch = try EndToEnd.scratch()
            try scratch.file("host/file", "x\n")
            let mount = "type=bind,source=\(scratch("host")),target=/data,readonly"
            #expect(
                try shell(["--mount", mount], "cat /data/file; echo y > /data/file || echo refused") == "x\nrefused")
        }

        @Test func temporaryFileSystems() throws {
            let probe = try probe("--tmpfs", "/run:size=1m,mode=0700,noexec")
            let mount = try #require(probe.mount(at: "/run"))
            #expect(mount.type == "tmpfs" && mount.superOptions.contains("size=1024k"))
            #expect(
                mount.options.contains("nosuid") && mount.options.contains("nodev") && mount.options.contains("noexec"))
            #expect(try shell(["--tmpfs", "/run:mode=0711"], "stat -c %a /run") == "711")
            let long = try EndToEnd.probe("--mount", "type=tmpfs,dst=/cache,tmpfs-size=2m,tmpfs-mode=1770")
            #expect(long.mount(at: "/cache")?.superOptions.contains("size=2048k") == true)
        }

        @Test func aReadOnlyRootStillHasItsMounts() throws {
            let scratch = try EndToEnd.scratch()
            let output = try run(
                ["--read-only", "--tmpfs", "/tmp", "-v", "\(scratch.path):/data"], "sh", "-c",
                "echo x > /tmp/x && echo y > /data/y && echo z > /dev/shm/z && echo ok; echo no > /etc/no")
            #expect(output.stdout == "ok\n" && output.stderr.contains("Read-only file system"))
            #expect(try probe("--read-only").mount(at: "/")?.options.contains("ro") == true)
        }

        @Test func theContainersLayerIsItsOwn() throws {
            #expect(try shell([], "echo x > /etc/passwd; rm -r /home; cat /etc/passwd") == "x")
            #expect(try shell([], "test -d /home/alice && grep -c root /etc/passwd") == "1")
        }

        @Test func sharedMemoryHasItsSize() throws {
            #expect(try probe()["shm_size"] == "67108864")
            #expect(try probe("--shm-size", "1m")["shm_size"] == "1048576")
        }

        @Test func devicesOfTheHost() throws {
            #expect(
                try shell(["--device", "/dev/null:/dev/mine"], "echo x > /dev/mine && stat -c '%t:%T' /dev/mine")
                    == "1:3")
            let probe = try probe("--device", "/dev/zero:/dev/zwei:r")
            #expect(probe["dev.zwei"]?.hasPrefix("c 1:5") == true)
            #expect(try run(["--device", "/dev/no-such-device"], "true").status == 125)
        }

        @Test(.enabled(if: Conditions.hasDeviceControl, "needs device control"))
        func aDeviceThatWasNotGivenCannotBeOpened() throws {
            // A node that someone mounts in is still refused by the devices controller.
            let scratch = try EndToEnd.scratch()
            let node = scratch("kmsg")
            try Tool.check("mknod", [node, "c", "1", "11"])
            let output = try run(["-v", "\(scratch.path):/data"], "sh", "-c", "cat /data/kmsg")
            #expect(output.status != 0 && output.stderr.contains("Operation not permitted"), "\(output)")
        }

        @Test func theDevicesAreDockers() throws {
            let devices = try probe().all("dev.")
            for (name, expected) in [
                ("null", "c 1:3 666"), ("zero", "c 1:5 666"), ("full", "c 1:7 666"), ("random", "c 1:8 666"),
                ("urandom", "c 1:9 666"), ("tty", "c 5:0 666"), ("ptmx", "link pts/ptmx"), ("fd", "link /proc/self/fd"),
                ("stdin", "link /proc/self/fd/0"), ("stdout", "link /proc/self/fd/1"),
                ("stderr", "link /proc/self/fd/2"), ("shm", "directory 1777"), ("mqueue", "directory 1777"),
            ] {
                #expect(devices[name] == expected)
            }
            #expect(!devices.values.contains { $0.hasPrefix("b ") })
        }

        @Test func imagesVolumesAreFilledFromTheImage() throws {
            let runimg = try Runimg()
            let layout = try OCILayout(runimg.scratch("layout"))
            let image = try ImageForge.onFixture(layout) {
                $0.config?.volumes = ["/etc": .init(), "/new/volume": .init()]
            }
            try layout.tag(image, "v")
            let name = "oci:\(layout.path):v"
            let output = try runimg(
                "run", "--rm", "-q", name, "sh", "-c",
                "cat /etc/os-release | head -1; echo x > /new/volume/x; grep -c ' /etc ' /proc/self/mountinfo")
            #expect(output.status == 0 && output.stdout == "ID=fixture\n1\n", "\(output)")
            // --rm takes the anonymous volumes away.
            #expect(((try? Directory.entries(runimg.dataRoot + "/volumes")) ?? []).isEmpty)
        }

        @Test func namedVolumesStay() throws {
            let runimg = try Runimg()
            let image = "oci:\(Fixtures.layout("busybox")):latest"
            #expect(
                try runimg("run", "--rm", "-q", "-v", "mine:/data", image, "sh", "-c", "echo kept > /data/f").status
                    == 0)
            #expect(try runimg("run", "--rm", "-q", "-v", "mine:/else", image, "cat", "/else/f").stdout == "kept\n")
            #expect(File.exists(runimg.dataRoot + "/volumes/mine/_data/f"))
        }
    }
}
