import Cgroups
import OCI
import Rootfs
import Runtime
import Testing

/// The compiler alone: no root needed, nothing is run.
@Suite struct PlanTests {
    private static let hybrid = HostFacts(
        cgroups: CgroupLayout(hierarchies: [
            .init(mountPoint: "/sys/fs/cgroup/cpu,cpuacct", controllers: ["cpu", "cpuacct"], isUnified: false),
            .init(mountPoint: "/sys/fs/cgroup/systemd", controllers: ["name=systemd"], isUnified: false),
            .init(mountPoint: "/sys/fs/cgroup/unified", controllers: [], isUnified: true),
        ]))
    private static let unified = HostFacts(
        cgroups: CgroupLayout(hierarchies: [
            .init(mountPoint: "/sys/fs/cgroup", controllers: ["cpu", "memory"], isUnified: true)
        ]))

    private func request(_ change: (inout Spec) -> Void = { _ in }) throws -> LaunchRequest {
        var process = Spec.Process(args: ["sh", "-c", "true"])
        process.env = ["PATH=/bin", "A=b"]
        var spec = Spec(process: process, root: Spec.Root(path: "rootfs"))
        spec.linux.namespaces = [.mount, .pid, .cgroup].map { Spec.Namespace($0) }
        change(&spec)
        let stack = LayerStack(
            base: "/data/overlay2", layers: ["/data/overlay2/b/diff", "/data/overlay2/a/diff"],
            upper: "/data/overlay2/c/diff", work: "/data/overlay2/c/work", mountPoint: "/data/overlay2/c/merged")
        return LaunchRequest(
            id: "id", spec: spec, rootfs: try Overlay2(appendsLayers: true).mount(stack))
    }

    private func lines(
        _ host: HostFacts = HostFacts(cgroups: nil), _ change: (inout Spec) -> Void = { _ in }
    ) throws -> [String] {
        try Launcher.plan(try request(change), host: host).description.split(separator: "\n").map(String.init)
    }

    private func error(_ change: (inout Spec) -> Void) throws -> String {
        do throws(RuntimeError) {
            let request = try? request(change)
            guard let request else { return "" }
            _ = try Launcher.plan(request, host: HostFacts(cgroups: nil))
            return "no error"
        } catch {
            #expect(error.exitCode == 125)
            return "\(error)"
        }
    }

    @Test func printsTheLeast() throws {
        #expect(
            try lines() == [
                "clone pid,mount",
                "join cgroup",
                "unshare cgroup",
                "make all mounts private",
                "chdir host:/data/overlay2",
                "$root = new overlay source=overlay,lowerdir+=b/diff,lowerdir+=a/diff,upperdir=c/diff,workdir=c/work,"
                    + "index=off,redirect_dir=nofollow,metacopy=off",
                "mount $root on host:/data/overlay2/c/merged",
                "mkdir -p $root:/dev",
                "$dev = open $root:/dev",
                "mknod $dev:null c 1:3 mode 0666",
                "mknod $dev:zero c 1:5 mode 0666",
                "mknod $dev:full c 1:7 mode 0666",
                "mknod $dev:random c 1:8 mode 0666",
                "mknod $dev:urandom c 1:9 mode 0666",
                "mknod $dev:tty c 5:0 mode 0666",
                "symlink $dev:fd -> /proc/self/fd",
                "symlink $dev:stdin -> /proc/self/fd/0",
                "symlink $dev:stdout -> /proc/self/fd/1",
                "symlink $dev:stderr -> /proc/self/fd/2",
                "symlink $dev:core -> /proc/kcore",
                "await release",
                "pivot to $root",
                "chdir $root:/",
                "new session keyring _ses.id",
                "stdio 0 1 2",
                "close descriptors above 2 at exec",
                "capabilities bounding 0x0",
                "capabilities ambient 0x0",
                "groups ",
                "user 0:0",
                "umask 022",
                "signal 9 when the parent dies",
                "capabilities effective 0x0 permitted 0x0 inheritable 0x0",
                "env PATH=/bin",
                "env A=b",
                "exec [\"sh\", \"-c\", \"true\"]",
            ])
    }

    @Test func takesSourcesBeforeTheImage() throws {
        let lines = try lines { spec in
            spec.mounts = [
                Spec.Mount(
                    destination: "/a/../data/", type: "bind", source: "/host", options: ["rbind", "ro", "rslave"]),
                Spec.Mount(destination: "/b", type: "bind", source: "/file", options: ["bind", "slave"]),
            ]
        }
        let taken = lines.firstIndex(of: "$bind0 = rbind of host:/host")
        #expect(taken != nil)
        if let taken, let isolated = lines.firstIndex(of: "make all mounts private") { #expect(taken < isolated) }
        // Plain words are about the mount itself (config.md#linux-mount-options).
        #expect(lines.contains("set recursively on $bind0 slave"))
        #expect(lines.contains("set on $bind0 (ro)"))
        #expect(lines.contains("mount $bind0 on $root:/data (create,notproc)"))
        #expect(lines.contains("$bind1 = bind of host:/file"))
        #expect(lines.contains("set recursively on $bind1 slave"))
    }

    @Test func mountsCgroupsOfEachKind() throws {
        let mount = Spec.Mount(
            destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup", options: ["ro", "nosuid"])
        let hybrid = try lines(PlanTests.hybrid) { spec in
            spec.mounts = [mount]
            spec.linux.cgroupsPath = "/runimg/id"
        }
        let expected = [
            "$cgroup = new tmpfs source=tmpfs,mode=755",
            "mount $cgroup on $root:/sys/fs/cgroup (mkdir,notproc,directory)",
            "$cgroup0 = bind of host:/sys/fs/cgroup/cpu,cpuacct/runimg/id",
            "mount $cgroup0 on $cgroup:cpu,cpuacct (nolinks,mkdir,directory)",
            "symlink $cgroup:cpu -> cpu,cpuacct",
            "symlink $cgroup:cpuacct -> cpu,cpuacct",
            "$cgroup1 = bind of host:/sys/fs/cgroup/systemd/runimg/id",
            "mount $cgroup1 on $cgroup:systemd (nolinks,mkdir,directory)",
            "$cgroup2 = bind of host:/sys/fs/cgroup/unified/runimg/id",
            "mount $cgroup2 on $cgroup:unified (nolinks,mkdir,directory)",
            "set recursively on $cgroup (ro,nosuid) private",
        ]
        #expect(
            hybrid.filter { $0.contains("cgroup") && !$0.hasPrefix("join") && !$0.hasPrefix("unshare") } == expected)
        let unified = try lines(PlanTests.unified) { spec in
            spec.mounts = [mount]
            spec.linux.cgroupsPath = "runimg/id"
        }
        #expect(unified.contains("$cgroup = bind of host:/sys/fs/cgroup/runimg/id"))
        let fresh = try lines(PlanTests.hybrid) { $0.mounts = [mount] }
        #expect(fresh.contains("$cgroup0 = new cgroup source=cgroup,cpu,cpuacct"))
        #expect(fresh.contains("$cgroup1 = new cgroup source=cgroup,name=systemd,none"))
        #expect(fresh.contains("$cgroup2 = new cgroup2 source=cgroup"))
        #expect(try error { $0.mounts = [mount] }.hasSuffix("the host has no cgroup hierarchy mounted"))
    }

    /// seccomp(2): a filter needs either CAP_SYS_ADMIN or no_new_privs.
    @Test func ordersFilterAndCapabilities() throws {
        func tail(noNewPrivileges: Bool) throws -> [String] {
            let all = try lines { spec in
                spec.process.noNewPrivileges = noNewPrivileges
                spec.process.capabilities.permitted = ["CAP_CHOWN"]
                spec.linux.seccomp = Spec.Seccomp(defaultAction: "SCMP_ACT_ALLOW")
            }
            return Array(all.drop { !$0.hasPrefix("signal") }.dropFirst().prefix { !$0.hasPrefix("env") })
                .map { $0.hasPrefix("seccomp") ? "seccomp" : $0 }
        }
        let final = "capabilities effective 0x0 permitted 0x1 inheritable 0x0"
        #expect(
            try tail(noNewPrivileges: false) == [
                "capabilities effective 0x200001 permitted 0x200001 inheritable 0x0", "seccomp", final,
            ])
        #expect(try tail(noNewPrivileges: true) == ["no new privileges", final, "seccomp"])
    }

    @Test func coversLastAndReadOnlyAfterMasks() throws {
        let lines = try lines { spec in
            spec.mounts = [Spec.Mount(destination: "/proc", type: "proc", source: "proc", options: ["nosuid"])]
            spec.linux.maskedPaths = ["/proc/kcore", "/proc/./kcore", "/sys/firmware"]
            spec.linux.readonlyPaths = ["/proc/sys"]
            spec.linux.namespaces.append(Spec.Namespace(.network))
            spec.linux.sysctl = ["net.ipv4.ip_forward": "1", "net.ipv4.conf.eth0/1.forwarding": "0"]
        }
        let covers = lines.filter { line in ["write", "mask", "read-only", "$null"].contains { line.hasPrefix($0) } }
        #expect(
            covers == [
                "write $proc:sys/net/ipv4/conf/eth0.1/forwarding 0", "write $proc:sys/net/ipv4/ip_forward 1",
                "$null = open null device $dev:null", "mask $proc:kcore", "mask $root:/sys/firmware",
                "read-only $proc:sys",
            ])
    }

    @Test func joinsAndMaps() throws {
        let lines = try lines { spec in
            spec.linux.namespaces = [
                Spec.Namespace(.mount), Spec.Namespace(.user), Spec.Namespace(.network, path: "/run/net"),
                Spec.Namespace(.pid, path: "/proc/7/ns/pid"), Spec.Namespace(.time),
            ]
            spec.linux.uidMappings = [Spec.IDMapping(containerID: 0, hostID: 1000, size: 10)]
            spec.linux.gidMappings = [Spec.IDMapping(containerID: 0, hostID: 2000, size: 20)]
            spec.process.oomScoreAdj = -5
        }
        #expect(
            lines.prefix(8) == [
                "join network namespace /run/net", "join pid namespace /proc/7/ns/pid", "clone mount,user,time",
                "parent: oom_score_adj -5", "parent: uid_map 0 1000 10", "parent: gid_map 0 2000 20", "await release",
                "join cgroup",
            ])
        let taken = lines.firstIndex { $0.hasPrefix("mount $root on") }
        #expect(taken.map { lines[$0 + 1] } == "become root of the user namespace")
        #expect(lines.contains("$null = bind of host:/dev/null"))
        #expect(!lines.contains { $0.hasPrefix("mknod") })
        #expect(lines.filter { $0 == "await release" }.count == 1)
    }

    @Test func refusesWhatMakesNoSense() throws {
        #expect(try error { $0.process.args = [] } == "no command specified")
        #expect(try error { $0.process.cwd = "tmp" } == "the working directory tmp is not absolute")
        #expect(try error { $0.linux.rootfsPropagation = "open" } == "rootfsPropagation: there is no propagation open")
        #expect(try error { $0.linux.namespaces = [] }.contains("no new mount namespace"))
        #expect(
            try error { $0.linux.namespaces.append(Spec.Namespace(.pid)) } == "the spec names the pid namespace twice")
        #expect(
            try error { $0.process.rlimits = [Spec.Rlimit(type: "RLIMIT_X", soft: 1, hard: 1)] }
                == "rlimit RLIMIT_X: no such resource")
        #expect(
            try error { $0.process.rlimits = [Spec.Rlimit(type: "RLIMIT_CPU", soft: 2, hard: 1)] }
                == "rlimit RLIMIT_CPU: the soft limit 2 is above the hard limit 1")
        #expect(try error { $0.process.capabilities.bounding = ["CAP_NONE"] }.contains("CAP_NONE"))
        #expect(try error { $0.process.args = ["a\0b"] } == "the command or its environment contains a NUL character")
        let named = try error {
            $0.linux.namespaces.append(Spec.Namespace(.uts))
            $0.hostname = "a\0b"
        }
        #expect(named.hasPrefix("the spec contains a NUL character"))
        #expect(try error { $0.hostname = "a" }.contains("no UTS namespace"))
        #expect(try error { $0.linux.sysctl = ["vm.swappiness": "1"] }.contains("belongs to no namespace"))
        #expect(try error { $0.linux.sysctl = ["net.ipv4.ip_forward": "1"] }.contains("has no network namespace"))
        func mount(_ destination: String, _ source: String) -> (inout Spec) -> Void {
            return {
                $0.mounts = [Spec.Mount(destination: destination, type: "bind", source: source, options: ["bind"])]
            }
        }
        #expect(try error(mount("/..", "/x")) == "mount destination /.. is the container's root")
        #expect(try error(mount("/data", "x")) == "mount on /data: the source x is not an absolute path")
        #expect(
            try error { $0.linux.devices = [Spec.Device(path: "/dev/x", type: "z", major: 1, minor: 1)] }
                == "device /dev/x: the type z is none of c, u, b and p")
        #expect(
            try error { $0.linux.devices = [Spec.Device(path: "/dev/x", type: "c", major: -1, minor: 1)] }
                == "device /dev/x: -1:1 is no device number")
        #expect(
            try error { spec in
                spec.mounts = (0..<800).map {
                    Spec.Mount(destination: "/m\($0)", type: "bind", source: "/x", options: ["bind"])
                }
            } == "the spec has more mounts than the 768 that a launch can hold open")
    }

    @Test func namesDevices() throws {
        let lines = try lines { spec in
            var device = Spec.Device(path: "/dev/sub/disk", type: "b", major: 259, minor: 70_000, fileMode: 0o640)
            device.gid = 6
            spec.linux.devices = [
                device, Spec.Device(path: "/dev/null", type: "c", major: 1, minor: 3, fileMode: 0o600),
                Spec.Device(path: "/run/fifo", type: "p", major: 0, minor: 0),
            ]
        }
        #expect(lines.contains("mknod $dev:sub/disk b 259:70000 mode 0640 owner 0:6"))
        #expect(lines.filter { $0.hasPrefix("mknod $dev:null") } == ["mknod $dev:null c 1:3 mode 0600"])
        #expect(lines.contains("mknod $root:/run/fifo p 0:0 mode 0666"))
    }

    /// The cgroup first, the namespaces at once, and the pid namespace last of all: by the stub.
    @Test func printsAFurtherProcess() throws {
        var process = Spec.Process(args: ["sh"])
        process.env = ["A=b"]
        process.terminal = true
        process.consoleSize = Spec.ConsoleSize(height: 24, width: 80)
        process.user = .init(uid: 1000, gid: 50, additionalGids: [50])
        process.oomScoreAdj = 7
        var request = ExecRequest(id: "id", process: process, seccomp: nil)
        request.joinsUserNamespace = true
        let plan = try Launcher.plan(request)
        #expect(
            plan.description.split(separator: "\n").map(String.init) == [
                "clone",
                "parent: oom_score_adj 7",
                "join cgroup",
                "join the namespaces pid,network,mount,ipc,uts,user,cgroup of the container, $root = its root",
                "become root of the user namespace",
                "$pts = open $root:/dev/pts",
                "$terminal = new terminal of $pts size 80x24 owner 1000",
                "chdir $root:/",
                "await release",
                "new session keyring _ses.id",
                "stdio $terminal",
                "close descriptors above 2 at exec",
                "capabilities bounding 0x0",
                "capabilities ambient 0x0",
                "groups 50",
                "user 1000:50",
                "umask 022",
                "signal 9 when the parent dies",
                "capabilities effective 0x0 permitted 0x0 inheritable 0x0",
                "env A=b",
                "exec in the pid namespace, to die with the parent [\"sh\"]",
            ])
    }
}
