import OCI
import Testing

/// What is written is read as the same, by us and by other runtimes.
@Suite struct SpecRoundTripTests {
    /// Something in every field.
    static let full: Spec = {
        var spec = Spec(process: process, root: Spec.Root(path: "/r", readonly: true))
        spec.ociVersion = "1.0.2"
        (spec.hostname, spec.domainname) = ("h \"q\" \\ \u{1} é 😀", "d")
        var mount = Spec.Mount(destination: "/m", type: "bind", source: "/s", options: ["rbind", "ro"])
        mount.uidMappings = [Spec.IDMapping(containerID: 0, hostID: 1, size: 2)]
        mount.gidMappings = [Spec.IDMapping(containerID: 3, hostID: 4, size: .max)]
        spec.mounts = [mount, Spec.Mount(destination: "relative", type: nil, source: nil)]
        spec.annotations = ["a": "", "b.c/d": "x"]
        var hooks = Spec.Hooks()
        var hook = Spec.Hook(path: "/h")
        (hook.args, hook.env, hook.timeout) = (["h", "x"], ["A=b"], 5)
        (hooks.prestart, hooks.createRuntime, hooks.createContainer) = ([hook], [Spec.Hook(path: "/1")], [hook, hook])
        (hooks.startContainer, hooks.poststart, hooks.poststop) = ([hook], [], [Spec.Hook(path: "/2")])
        spec.hooks = hooks
        spec.linux = linux
        return spec
    }()

    private static let process: Spec.Process = {
        var process = Spec.Process(args: ["sh", "-c", ""])
        process.terminal = true
        process.consoleSize = Spec.ConsoleSize(height: 1, width: .max)
        process.user = Spec.User(uid: .max, gid: 7, additionalGids: [0, 9])
        process.user.umask = 0
        process.env = ["A=\t\n", "B="]
        process.cwd = "/w"
        var capabilities = Spec.Capabilities()
        (capabilities.bounding, capabilities.effective, capabilities.ambient) = (["CAP_A"], ["CAP_B"], ["CAP_C"])
        (capabilities.permitted, capabilities.inheritable) = (["CAP_D"], ["CAP_E"])
        process.capabilities = capabilities
        process.rlimits = [Spec.Rlimit(type: "RLIMIT_CPU", soft: 0, hard: .max)]
        process.noNewPrivileges = true
        (process.oomScoreAdj, process.apparmorProfile, process.selinuxLabel) = (-1000, "p", "l")
        process.ioPriority = Spec.IOPriority(class: "IOPRIO_CLASS_IDLE", priority: 0)
        var scheduler = Spec.Scheduler(policy: "SCHED_DEADLINE")
        (scheduler.nice, scheduler.priority, scheduler.flags) = (-20, 0, ["SCHED_FLAG_RECLAIM"])
        (scheduler.runtime, scheduler.deadline, scheduler.period) = (1, 2, .max)
        process.scheduler = scheduler
        process.execCPUAffinity = Spec.CPUAffinity(initial: "0", final: "1-3")
        return process
    }()

    private static let linux: Spec.Linux = {
        var linux = Spec.Linux()
        linux.namespaces = Spec.Namespace.Kind.allCases.map { Spec.Namespace($0) }
        linux.namespaces[0].path = "/proc/1/ns/pid"
        linux.uidMappings = [Spec.IDMapping(containerID: 0, hostID: 1, size: 2)]
        linux.gidMappings = []
        linux.devices = [Spec.Device(path: "/dev/x", type: "c", major: 0, minor: 4_294_967_295, fileMode: 0o20666)]
        (linux.devices[0].uid, linux.devices[0].gid) = (0, 5)
        linux.devices.append(Spec.Device(path: "/p", type: "p", major: 0, minor: 0))
        linux.cgroupsPath = "/c"
        linux.resources = resources
        (linux.rootfsPropagation, linux.mountLabel) = ("rslave", "m")
        linux.sysctl = ["net.x": "1", "kernel.y": ""]
        (linux.maskedPaths, linux.readonlyPaths) = (["/a"], ["/b"])
        linux.personality = Spec.Personality(domain: "LINUX32")
        linux.personality?.flags = []
        linux.timeOffsets = ["monotonic": Spec.TimeOffset(secs: -1, nanosecs: 999_999_999)]
        var seccomp = Spec.Seccomp(defaultAction: "SCMP_ACT_ERRNO")
        (seccomp.defaultErrnoRet, seccomp.architectures, seccomp.flags) = (0, ["SCMP_ARCH_X86_64"], [])
        (seccomp.listenerPath, seccomp.listenerMetadata) = ("/l", "m")
        var rule = Spec.Seccomp.Rule(names: ["read"], action: "SCMP_ACT_ALLOW")
        rule.errnoRet = 1
        rule.args = [
            Spec.Seccomp.Argument(index: 5, value: .max, valueTwo: 1, op: "SCMP_CMP_MASKED_EQ"),
            Spec.Seccomp.Argument(index: 0, value: 0, op: "SCMP_CMP_EQ"),
        ]
        seccomp.syscalls = [rule]
        linux.seccomp = seccomp
        return linux
    }()

    private static let resources: Spec.Resources = {
        var resources = Spec.Resources()
        resources.devices = [
            Spec.DeviceRule(allow: false), Spec.DeviceRule(allow: true, type: "c", major: 1, minor: -1, access: "rw"),
        ]
        var memory = Spec.Memory()
        (memory.limit, memory.reservation, memory.swap, memory.kernel, memory.kernelTCP) = (.max, 0, -1, .min, 5)
        (memory.swappiness, memory.disableOOMKiller, memory.useHierarchy) = (.max, false, true)
        memory.checkBeforeUpdate = true
        resources.memory = memory
        var cpu = Spec.CPU()
        (cpu.shares, cpu.quota, cpu.period, cpu.burst, cpu.idle) = (1, -1, 2, 3, 1)
        (cpu.realtimeRuntime, cpu.realtimePeriod, cpu.cpus, cpu.mems) = (4, 5, "0-1", "0")
        resources.cpu = cpu
        resources.pids = Spec.Pids(limit: 0)
        var blockIO = Spec.BlockIO(weight: 10)
        blockIO.leafWeight = 11
        blockIO.weightDevice = [Spec.WeightDevice(major: 8, minor: 0)]
        blockIO.weightDevice?[0].weight = 12
        blockIO.weightDevice?[0].leafWeight = 13
        blockIO.throttleReadBpsDevice = [Spec.ThrottleDevice(major: 8, minor: 1, rate: 1)]
        blockIO.throttleWriteBpsDevice = [Spec.ThrottleDevice(major: 8, minor: 2, rate: 2)]
        blockIO.throttleReadIOPSDevice = [Spec.ThrottleDevice(major: 8, minor: 3, rate: 3)]
        blockIO.throttleWriteIOPSDevice = [Spec.ThrottleDevice(major: 8, minor: 4, rate: .max)]
        resources.blockIO = blockIO
        resources.hugepageLimits = [Spec.HugepageLimit(pageSize: "2MB", limit: 0)]
        var network = Spec.Network()
        (network.classID, network.priorities) = (7, [Spec.Network.Priority(name: "lo", priority: 2)])
        resources.network = network
        var rdma = Spec.RDMA()
        (rdma.hcaHandles, rdma.hcaObjects) = (1, 2)
        resources.rdma = ["mlx5_1": rdma, "mlx5_2": Spec.RDMA()]
        resources.unified = ["memory.high": "max"]
        return resources
    }()

    @Test func everyField() throws {
        let spec = SpecRoundTripTests.full
        #expect(try Spec(reading: spec.json) == spec)
        // A field without a value here could be forgotten in both directions.
        #expect(unset(spec, "") == [], "the test names no value for these")
        let empty = Spec(process: Spec.Process(args: []), root: Spec.Root(path: ""))
        #expect(unset(empty, "").count == 28)
    }

    /// Paths of fields that are nil, by reflection.
    private func unset(_ value: Any, _ path: String) -> [String] {
        let mirror = Mirror(reflecting: value)
        if mirror.displayStyle == .optional {
            guard let (_, wrapped) = mirror.children.first else { return [path] }
            return unset(wrapped, path)
        }
        guard mirror.displayStyle == .struct else { return [] }
        return mirror.children.flatMap { unset($0.value, "\(path).\($0.label ?? "")") }
    }

    @Test func whatSaysNothingIsLeftOut() throws {
        let spec = Spec(process: Spec.Process(args: ["sh"]), root: Spec.Root(path: "rootfs"))
        let expected = """
            {
            \t"ociVersion": "1.2.0",
            \t"process": {
            \t\t"user": {
            \t\t\t"uid": 0,
            \t\t\t"gid": 0
            \t\t},
            \t\t"args": [
            \t\t\t"sh"
            \t\t],
            \t\t"cwd": "/",
            \t\t"capabilities": {}
            \t},
            \t"root": {
            \t\t"path": "rootfs"
            \t},
            \t"linux": {}
            }

            """
        #expect(String(decoding: spec.json, as: UTF8.self) == expected)
        #expect(try Spec(reading: spec.json) == spec)
    }
}
