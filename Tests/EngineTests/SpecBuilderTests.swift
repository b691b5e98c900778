import OCI
import TestSupport
import Testing

@testable import Engine

@Suite struct SpecBuilderTests {
    static func inputs(
        _ request: RunRequest = RunRequest(image: "alpine"), image: ImageConfig.Execution = ImageConfig.Execution(),
        mounts: [ResolvedMount] = [], user: ResolvedUser = ResolvedUser()
    ) -> SpecInputs {
        var request = request
        if request.command.isEmpty, image.cmd == nil, image.entrypoint == nil { request.command = ["sh"] }
        return SpecInputs(
            request: request, image: image, containerID: String(repeating: "a", count: 64), user: user,
            userEnvironment: [], hostname: "box",
            files: GeneratedFiles(hosts: "/c/hosts", hostname: "/c/hostname", resolvConf: "/c/resolv.conf"),
            mounts: mounts, devices: [], seccomp: nil,
            host: HostFacts(openFilesLimit: 20_000, coreLimit: 1 << 20, hasPidsController: true, cpuCount: 2))
    }

    static func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return ""
        } catch {
            return "\(error)"
        }
    }

    @Test func entrypointAndCommandMergeAsDockers() throws {
        var image = ImageConfig.Execution()
        image.entrypoint = ["/entry"]
        image.cmd = ["a", "b"]
        var request = RunRequest(image: "x")
        #expect(try SpecBuilder.arguments(request, image) == ["/entry", "a", "b"])
        request.command = ["c"]
        #expect(try SpecBuilder.arguments(request, image) == ["/entry", "c"])
        request.process.entrypoint = ["/other"]
        #expect(try SpecBuilder.arguments(request, image) == ["/other", "c"])
        request.command = []
        #expect(try SpecBuilder.arguments(request, image) == ["/other"])
        request.process.entrypoint = []
        #expect(Self.message { _ = try SpecBuilder.arguments(request, image) } == "no command specified")
    }

    @Test func theDefaultContainerHasItsOwnOfEverything() throws {
        let spec = try SpecBuilder.build(Self.inputs())
        #expect(
            Set(spec.linux.namespaces.map(\.type)) == [.mount, .cgroup, .pid, .ipc, .uts, .network])
        #expect(spec.process.capabilities.bounding.count == 12)
        #expect(!spec.process.capabilities.bounding.contains("CAP_MKNOD"))
        #expect(spec.process.capabilities.inheritable.isEmpty)
        #expect(spec.process.capabilities.ambient.isEmpty)
        #expect(spec.linux.maskedPaths.contains("/proc/kcore"))
        #expect(spec.linux.resources.pids?.limit == 4096)
        #expect(
            spec.process.rlimits == [
                Spec.Rlimit(type: "RLIMIT_NOFILE", soft: 1024, hard: 20_000),
                Spec.Rlimit(type: "RLIMIT_CORE", soft: 0, hard: 1 << 20),
            ])
        #expect(spec.linux.cgroupsPath == "/runimg/" + String(repeating: "a", count: 64))
    }

    @Test("X1: who is not root holds no capability") func whoIsNotRootHoldsNoCapability() throws {
        let spec = try SpecBuilder.build(Self.inputs(user: ResolvedUser(uid: 1000, gid: 1000, groups: [1000])))
        #expect(spec.process.capabilities.effective.isEmpty)
        #expect(spec.process.capabilities.permitted.isEmpty)
        #expect(spec.process.capabilities.bounding.count == 12)
    }

    @Test(.enabled(if: Conditions.isRoot, "only what we hold can be given"))
    func privilegedLiftsTheMasks() throws {
        var request = RunRequest(image: "x")
        request.isolation.privileged = true
        let spec = try SpecBuilder.build(Self.inputs(request))
        #expect(spec.linux.maskedPaths.isEmpty)
        #expect(spec.linux.readonlyPaths.isEmpty)
        #expect(spec.process.capabilities.bounding.contains("CAP_SYS_ADMIN"))
        #expect(spec.linux.resources.devices == [Spec.DeviceRule(allow: true, access: "rwm")])
        #expect(spec.mounts.first { $0.destination == "/sys" }?.options.contains("rw") == true)
    }

    @Test func userMountsComeParentsFirstAndReplaceDefaults() throws {
        let mounts = [
            ResolvedMount(source: .path("/h/deep"), target: "/a/b/c"),
            ResolvedMount(source: .path("/h/top"), target: "/a/./x/.."),
            ResolvedMount(source: .tmpfs(options: ["size=1m"]), target: "/dev/shm"),
        ]
        let spec = try SpecBuilder.build(Self.inputs(mounts: mounts))
        let targets = spec.mounts.map(\.destination)
        let shm = spec.mounts.filter { $0.destination == "/dev/shm" }
        #expect(Array(targets.suffix(3)) == ["/a", "/dev/shm", "/a/b/c"])
        #expect(shm.map(\.options) == [["rw", "nosuid", "nodev", "noexec", "size=1m"]])
    }

    @Test func twoMountsOnOneTargetAreRefused() {
        let mounts = [
            ResolvedMount(source: .path("/h/1"), target: "/a"), ResolvedMount(source: .path("/h/2"), target: "/a/"),
        ]
        #expect(Self.message { _ = try SpecBuilder.build(Self.inputs(mounts: mounts)) } == "Duplicate mount point: /a")
    }

    @Test(
        "R16: a parameter of the host's is refused",
        arguments: [
            ("kernel.core_pattern", "x"), ("net.ipv4/../../kernel.core_pattern", "x"), ("net..x", "1"), (".net.x", "1"),
            ("vm.swappiness", "1"), ("kernel.shmmax\n", "1"), ("net.ipv4.ip_forward", "1\n2"),
            ("net.ipv4.ip_forward", ""), ("net/../kernel.x", "1"), ("net.x/../y", "1"),
            ("net.", "1"), ("net.\u{2f}\u{301}x", "1"), ("kernel.shm_next_id", "1"), ("net.x+y", "1"),
        ]) func aSysctlOfTheHostIsRefused(_ name: String, _ value: String)
    {
        var request = RunRequest(image: "x")
        request.isolation.sysctls = [EnvironmentEntry(name: name, value: value)]
        #expect(Self.message { _ = try SpecBuilder.build(Self.inputs(request)) }.contains("sysctl"))
    }

    @Test("R16: a parameter needs its namespace") func aSysctlNeedsItsNamespace() throws {
        var request = RunRequest(image: "x")
        request.isolation.sysctls = [EnvironmentEntry(name: "net.ipv4.ip_forward", value: "1")]
        #expect(try SpecBuilder.build(Self.inputs(request)).linux.sysctl["net.ipv4.ip_forward"] == "1")
        request.isolation.network = .host
        #expect(
            Self.message { _ = try SpecBuilder.build(Self.inputs(request)) }.contains("host network namespace"))
        request.isolation.network = .container("other")
        #expect(
            Self.message { _ = try SpecBuilder.build(Self.inputs(request)) }.contains("another container's network"))
        request.isolation.sysctls = []
        #expect(try SpecBuilder.build(Self.inputs(request)).linux.sysctl.isEmpty)
    }

    @Test func memoryLimitsFollowDockersRules() throws {
        var request = RunRequest(image: "x")
        request.resources.memory = 64 << 20
        #expect(try SpecBuilder.build(Self.inputs(request)).linux.resources.memory?.swap == 128 << 20)
        request.resources.memorySwap = -1
        #expect(try SpecBuilder.build(Self.inputs(request)).linux.resources.memory?.swap == -1)
        request.resources.memorySwap = 1 << 20
        #expect(Self.message { _ = try SpecBuilder.build(Self.inputs(request)) }.contains("Minimum memoryswap limit"))
        request.resources = ResourceOptions()
        request.resources.memory = 1 << 20
        #expect(
            Self.message { _ = try SpecBuilder.build(Self.inputs(request)) } == "Minimum memory limit allowed is 6MB")
        request.resources = ResourceOptions()
        request.resources.memorySwap = 1 << 30
        #expect(
            Self.message { _ = try SpecBuilder.build(Self.inputs(request)) }.contains("always set the Memory limit"))
    }

    @Test func processorsBecomeAQuota() throws {
        var request = RunRequest(image: "x")
        request.resources.nanoCPUs = 1_500_000_000
        let cpu = try SpecBuilder.build(Self.inputs(request)).linux.resources.cpu
        #expect(cpu?.quota == 150_000)
        #expect(cpu?.period == 100_000)
        request.resources.nanoCPUs = 9_000_000_000
        #expect(Self.message { _ = try SpecBuilder.build(Self.inputs(request)) }.contains("there are only 2 CPUs"))
    }

    @Test(
        "X5: a home or a path with a control character is refused", arguments: ["\n", "\r", "\u{1b}", "\0", "\u{7f}"])
    func controlCharactersAreRefused(_ character: String) {
        var image = ImageConfig.Execution()
        image.cmd = ["sh"]
        image.workingDir = "/a\(character)b"
        #expect(Self.message { _ = try SpecBuilder.build(Self.inputs(image: image)) }.contains("control character"))
        image.workingDir = nil
        image.env = ["HOME=/\(character)root::0:0::/:"]
        #expect(Self.message { _ = try SpecBuilder.build(Self.inputs(image: image)) }.contains("(HOME)"))
        let user = ResolvedUser(uid: 0, gid: 0, groups: [], home: "/x\(character)")
        #expect(Self.message { _ = try SpecBuilder.build(Self.inputs(user: user)) }.contains("(HOME)"))
        let mounts = [ResolvedMount(source: .path("/h"), target: "/a\(character)")]
        #expect(Self.message { _ = try SpecBuilder.build(Self.inputs(mounts: mounts)) }.contains("control character"))
    }
}
