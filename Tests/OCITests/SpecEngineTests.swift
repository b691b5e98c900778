import Glibc
import OCI
import Sys
import TestSupport
import Testing

/// `config.json` as podman and docker write it for their runtime.
@Suite struct SpecEngineTests {
    /// A runtime that keeps what it is given, and fails.
    private static let recorder = """
        #!/bin/sh
        while [ $# -gt 0 ]; do [ "$1" = --bundle ] && cp "$2/config.json" "${0%/*}/recorded"; shift; done
        exit 1

        """

    @Test(.enabled(if: Conditions.isRoot && Conditions.has("podman", "conmon"), "needs root and podman")) func podmans()
        throws
    {
        let scratch = try Scratch()
        try scratch.directory("rootfs")
        try scratch.file("runtime", SpecEngineTests.recorder, mode: 0o755)
        let cgroup = "/runimg-tests-podman-\(Random.hex(bytes: 6))"
        defer {
            // podman leaves its monitor's, which may still be there for a moment.
            for name in (try? Directory.entries("/sys/fs/cgroup").map(\.name)) ?? [] {
                let parent = "/sys/fs/cgroup/\(name)\(cgroup)"
                let isGone = Wait.until(seconds: 5) {
                    for child in (try? Directory.entries(parent)) ?? [] where child.type == UInt8(DT_DIR) {
                        rmdir("\(parent)/\(child.name)")
                    }
                    return rmdir(parent) == 0 || errno == ENOENT
                }
                if !isGone { Issue.record("left: \(parent)") }
            }
        }
        let output = try Tool.run(
            "podman",
            [
                "--root", scratch("root"), "--runroot", scratch("run"), "--tmpdir", scratch("tmp"), "--storage-driver",
                "vfs", "--events-backend", "file", "--cgroup-manager", "cgroupfs", "--runtime", scratch("runtime"),
                "run",
                "--rm", "--network", "none", "--cgroup-parent", cgroup, "--ulimit", "nproc=50:60", "--ulimit",
                "nofile=70:80", "--memory", "64m", "--memory-swap", "128m", "--cpus", "0.5", "--pids-limit", "20",
                "--device", "/dev/fuse", "--cap-add", "SYS_TIME", "--hostname", "h", "--annotation", "a=b", "--volume",
                "\(scratch("rootfs")):/data:ro", "--rootfs", scratch("rootfs"), "/bin/program", "x",
            ])
        try #require(File.exists(scratch("recorded")), "\(output)")
        let spec = try Spec(reading: try File.readAll(scratch("recorded")))
        #expect(spec.process.args == ["/bin/program", "x"] && spec.process.cwd == "/" && spec.hostname == "h")
        #expect(spec.process.capabilities.bounding.contains("CAP_SYS_TIME"))
        #expect(spec.process.rlimits.contains(Spec.Rlimit(type: "RLIMIT_NPROC", soft: 50, hard: 60)))
        #expect(spec.linux.resources.memory?.limit == 64 << 20 && spec.linux.resources.memory?.swap == 128 << 20)
        #expect(spec.linux.resources.cpu?.quota == 50_000 && spec.linux.resources.pids?.limit == 20)
        #expect(spec.linux.cgroupsPath?.hasPrefix("\(cgroup)/") == true)
        #expect(spec.linux.devices.map(\.path) == ["/dev/fuse"])
        #expect(spec.mounts.contains { $0.destination == "/data" && $0.options.contains("ro") })
        #expect((spec.linux.seccomp?.syscalls?.count ?? 0) > 10 && spec.annotations?["a"] == "b")
        #expect(try Spec(reading: spec.json) == spec)
    }

    @Test(.enabled(if: DockerDaemon.isPossible, "needs root and docker's packages")) func dockers() throws {
        let docker = try DockerDaemon()
        try docker.importBusybox(as: "box")
        let id = try docker.check(
            "run", "-d", "--network", "none", "--memory", "64m", "--cpu-shares", "512", "--pids-limit", "20",
            "--hostname", "h", "--ulimit", "nofile=70:80", "--user", "5:6", "--group-add", "7", "--read-only", "box",
            "sleep", "60"
        ).lines[0]
        let bundle = docker.data("../exec/containerd/daemon/io.containerd.runtime.v2.task/moby/\(id)")
        let bytes = try File.readAll("\(bundle)/config.json")
        try docker.check("rm", "--force", id)
        let spec = try Spec(reading: bytes)
        #expect(spec.process.args == ["sleep", "60"] && spec.hostname == "h" && spec.root.readonly)
        #expect(spec.process.user.uid == 5 && spec.process.user.gid == 6)
        #expect(spec.process.user.additionalGids.contains(7))
        #expect(spec.process.rlimits.contains(Spec.Rlimit(type: "RLIMIT_NOFILE", soft: 70, hard: 80)))
        #expect(spec.linux.resources.memory?.limit == 64 << 20 && spec.linux.resources.cpu?.shares == 512)
        #expect(spec.linux.resources.pids?.limit == 20 && spec.linux.cgroupsPath?.hasSuffix(id) == true)
        #expect((spec.linux.seccomp?.syscalls?.count ?? 0) > 10)
        #expect(try Spec(reading: spec.json) == spec)
    }
}
