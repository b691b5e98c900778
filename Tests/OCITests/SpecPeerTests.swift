import OCI
import Sys
import TestSupport
import Testing

/// `config.json` between us and runc and crun.
@Suite struct SpecPeerTests {
    private static func spec(_ program: String, _ options: [String], in scratch: Scratch) throws -> Spec {
        try Tool.check(program, ["spec"] + options, directory: scratch.path)
        return try Spec(reading: try File.readAll(scratch("config.json")))
    }

    @Test(
        .enabled(if: Conditions.has("runc") && Conditions.has("crun"), "needs runc and crun"),
        arguments: ["runc", "crun"], [[], ["--rootless"]])
    func whatTheyWriteIsRead(program: String, options: [String]) throws {
        let spec = try SpecPeerTests.spec(program, options, in: try Scratch())
        #expect(spec.process.args == ["sh"] && spec.process.terminal && spec.process.cwd == "/")
        #expect(spec.process.rlimits == [Spec.Rlimit(type: "RLIMIT_NOFILE", soft: 1024, hard: 1024)])
        #expect(spec.process.capabilities.bounding == ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"])
        #expect(spec.root == Spec.Root(path: "rootfs", readonly: true))
        #expect(spec.mounts.map(\.destination).contains("/dev/mqueue"))
        #expect(spec.linux.namespaces.contains(Spec.Namespace(.mount)))
        #expect(try Spec(reading: spec.json) == spec)
    }

    @Test(.enabled(if: Conditions.has("runc"), "needs runc"), arguments: [false, true])
    func theTemplateIsRuncs(isRootless: Bool) throws {
        var theirs = try SpecPeerTests.spec("runc", isRootless ? ["--rootless"] : [], in: try Scratch())
        var ours = Spec.template(isRootless: isRootless, uid: 7, gid: 8)
        #expect(try Spec(reading: ours.json) == ours)
        #expect(ours.linux.namespaces.count == 6)
        #expect(ours.linux.uidMappings == (isRootless ? [Spec.IDMapping(containerID: 0, hostID: 7, size: 1)] : nil))
        #expect(ours.linux.gidMappings == (isRootless ? [Spec.IDMapping(containerID: 0, hostID: 8, size: 1)] : nil))
        // Names, and what runc's versions differ in.
        func level(_ spec: inout Spec) {
            (spec.ociVersion, spec.hostname) = ("", nil)
            spec.process.capabilities.ambient = []
            spec.linux.namespaces.removeAll { $0.type == .cgroup }
            spec.linux.namespaces.sort { $0.type.rawValue < $1.type.rawValue }
            (spec.linux.uidMappings, spec.linux.gidMappings) = (nil, nil)
        }
        level(&ours)
        level(&theirs)
        #expect(ours == theirs)
    }

    /// Every field that can be set without harm, in a container of theirs.
    private static func spec(in scratch: Scratch) throws -> Spec {
        try Directory.makePath(scratch("rootfs/bin"), mode: 0o755)
        try Tool.check("cp", ["/bin/busybox", scratch("rootfs/bin/busybox")])
        var spec = Spec.template(isRootless: false)
        // What these versions know at least; they pass over the rest.
        spec.ociVersion = "1.0.0"
        spec.process.terminal = false
        let script =
            "busybox id -u; busybox id -G; umask; ulimit -n; busybox hostname; busybox cat /proc/self/oom_score_adj"
        spec.process.args = ["/bin/busybox", "sh", "-c", script]
        spec.process.env = ["PATH=/bin"]
        spec.process.user = Spec.User(uid: 12, gid: 13, additionalGids: [14])
        spec.process.user.umask = 0o27
        spec.process.rlimits = [Spec.Rlimit(type: "RLIMIT_NOFILE", soft: 99, hard: 100)]
        spec.process.oomScoreAdj = 500
        spec.process.ioPriority = Spec.IOPriority(class: "IOPRIO_CLASS_BE", priority: 4)
        spec.process.scheduler = Spec.Scheduler(policy: "SCHED_OTHER")
        spec.process.execCPUAffinity = Spec.CPUAffinity(initial: "0", final: "0")
        (spec.hostname, spec.domainname) = ("peer \"\u{e9}\"", "example")
        var hooks = Spec.Hooks()
        var hook = Spec.Hook(path: "/bin/touch")
        (hook.args, hook.env, hook.timeout) = (["touch", scratch("hooked")], ["A=b"], 10)
        hooks.prestart = [hook]
        spec.hooks = hooks
        spec.annotations = ["org.example/key": "value \\ \"quoted\"\n"]
        spec.linux.devices = [Spec.Device(path: "/dev/mine", type: "c", major: 1, minor: 3, fileMode: 0o666)]
        spec.linux.cgroupsPath = "/runimg-tests-peer-\(Random.hex(bytes: 6))"
        spec.linux.rootfsPropagation = "rprivate"
        spec.linux.sysctl = ["net.ipv4.ip_forward": "1"]
        spec.linux.personality = Spec.Personality(domain: "LINUX")
        var seccomp = Spec.Seccomp(defaultAction: "SCMP_ACT_ALLOW")
        seccomp.architectures = ["SCMP_ARCH_X86_64"]
        var rule = Spec.Seccomp.Rule(names: ["kexec_load"], action: "SCMP_ACT_ERRNO")
        (rule.errnoRet, rule.args) = (38, [Spec.Seccomp.Argument(index: 0, value: .max, op: "SCMP_CMP_EQ")])
        seccomp.syscalls = [rule]
        spec.linux.seccomp = seccomp
        return spec
    }

    @Test(
        .enabled(if: Conditions.isRoot && Conditions.has("runc") && Conditions.has("crun"), "needs root, runc, crun"),
        arguments: ["runc", "crun"])
    func whatIsWrittenRunsUnder(program: String) throws {
        let scratch = try Scratch()
        let spec = try SpecPeerTests.spec(in: scratch)
        try scratch.file("config.json", spec.json)
        let id = "runimg-tests-\(Random.hex(bytes: 6))"
        // crun refuses to run where v1 and v2 both have controllers, used or not: there it is shown v1 alone.
        let script =
            #"umount /sys/fs/cgroup/unified 2>/dev/null; "$@"; code=$?; "$1" "$2" "$3" delete -f "$7"; exit $code"#
        let output = try Tool.run(
            "unshare",
            [
                "-m", "--propagation", "private", "sh", "-c", script, "sh", program, "--root", scratch("state"), "run",
                "--bundle", scratch.path, id,
            ], timeout: 30)
        #expect(output.status == 0, "\(output)")
        #expect(output.lines == ["12", "13 14", "0027", "99", "peer \"\u{e9}\"", "500"], "\(output)")
        #expect(File.exists(scratch("hooked")))
    }
}
