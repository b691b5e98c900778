import DockerCLI
import Engine
import OCI
import TestSupport
import Testing

/// `run` command lines and the requests they stand for.
@Suite struct RunFlagsTests {
    private static func request(_ arguments: [String], _ change: (inout RunRequest) -> Void) {
        var expected = RunRequest(image: "alpine")
        change(&expected)
        #expect(Parsed.run(arguments + ["alpine"]) == .request(expected, warnings: []))
    }

    @Test func bareImage() { Self.request([]) { _ in } }

    @Test func commandIsTheContainers() {
        var expected = RunRequest(image: "alpine")
        expected.command = ["sh", "-c", "--rm", "-e"]
        expected.remove = true
        #expect(Parsed.run(["--rm", "alpine", "sh", "-c", "--rm", "-e"]) == .request(expected, warnings: []))
    }

    @Test func process() {
        Self.request(["-it", "--rm", "--init", "--read-only", "-q", "--dry-run", "--name", "web.1", "--cidfile", "/x"])
        {
            $0.interactive = true
            $0.terminal = true
            $0.remove = true
            $0.useInit = true
            $0.readOnly = true
            $0.quiet = true
            $0.dryRun = true
            $0.name = "web.1"
            $0.containerIDFile = "/x"
        }
        Self.request([
            "-e", "A=b=c", "-eB", "--env-file", "f", "-w", "/a/../b/", "-u", "1000:users", "--entrypoint", "sh",
        ]) {
            $0.process.environment = [
                EnvironmentEntry(name: "A", value: "b=c"), EnvironmentEntry(name: "B", value: nil),
            ]
            $0.process.environmentFiles = ["f"]
            $0.process.workingDirectory = "/b"
            $0.process.user = "1000:users"
            $0.process.entrypoint = ["sh"]
        }
        Self.request([
            "--entrypoint", "", "-h", "web-1", "--domainname", "x.y", "--group-add", "audio", "-l", "a=b", "-l", "c",
        ]) {
            $0.process.entrypoint = []
            $0.process.hostname = "web-1"
            $0.process.domainname = "x.y"
            $0.process.additionalGroups = ["audio"]
            $0.process.labels = [EnvironmentEntry(name: "a", value: "b"), EnvironmentEntry(name: "c", value: "")]
        }
        Self.request([
            "--stop-signal", "SIGRTMIN+3", "--ulimit", "nofile=1", "--ulimit", "core=-1", "--ulimit", "nofile=2:3",
        ]) {
            $0.process.stopSignal = "SIGRTMIN+3"
            $0.process.ulimits = [
                Spec.Rlimit(type: "RLIMIT_CORE", soft: .max, hard: .max),
                Spec.Rlimit(type: "RLIMIT_NOFILE", soft: 2, hard: 3),
            ]
        }
    }

    @Test func image() {
        Self.request(["--pull", "never", "--platform", "linux/arm64", "--registry-mirror", "http://m:5000/"]) {
            $0.pull = .never
            $0.platform = Platform(os: "linux", architecture: "arm64", variant: "v8")
            $0.registryRules = .hubMirrors(["http://m:5000"])
        }
    }

    @Test func isolation() {
        Self.request(["--network", "host", "--pid=host", "--ipc=host", "--uts=host", "--privileged"]) {
            $0.isolation.network = .host
            $0.isolation.networkAsked = true
            $0.isolation.pid = .host
            $0.isolation.ipc = .host
            $0.isolation.uts = .host
            $0.isolation.privileged = true
        }
        Self.request([
            "--cap-add", "net_admin", "--cap-add", "CAP_SYS_TIME", "--cap-drop", "all", "--cap-profile", "docker",
            "--security-opt", "no-new-privileges", "--security-opt", "seccomp=/p.json", "--sysctl",
            "net.core.somaxconn=9",
        ]) {
            $0.isolation.addedCapabilities = ["CAP_NET_ADMIN", "CAP_SYS_TIME"]
            $0.isolation.droppedCapabilities = ["ALL"]
            $0.isolation.capabilityProfile = .docker
            $0.isolation.noNewPrivileges = true
            $0.isolation.seccomp = .profile(path: "/p.json")
            $0.isolation.sysctls = [EnvironmentEntry(name: "net.core.somaxconn", value: "9")]
        }
        Self.request([
            "--net", "none", "--security-opt", "seccomp:unconfined", "--security-opt", "no-new-privileges:false",
        ]) {
            $0.isolation.network = .none
            $0.isolation.networkAsked = true
            $0.isolation.noNewPrivileges = false
            $0.isolation.seccomp = .unconfined
        }
        // What these ask for is so anyway.
        Self.request([
            "--cgroupns=private", "--ipc=private", "--userns=host", "--isolation=default", "--restart=no",
            "--sig-proxy=true", "--detach=false", "--security-opt", "apparmor=unconfined", "--security-opt",
            "label=disable", "--disable-content-trust",
        ]) { _ in }
    }

    @Test func resources() {
        Self.request([
            "-m", "64m", "--memory-swap", "-1", "--memory-reservation", "32m", "--cpus", "1.5", "-c", "512",
            "--cpuset-cpus", "0-1,3", "--cpuset-mems", "0", "--pids-limit", "-5", "--shm-size", "1g",
        ]) {
            $0.resources.memory = 64 << 20
            $0.resources.memorySwap = -1
            $0.resources.memoryReservation = 32 << 20
            $0.resources.nanoCPUs = 1_500_000_000
            $0.resources.cpuShares = 512
            $0.resources.cpusetCPUs = "0-1,3"
            $0.resources.cpusetMems = "0"
            $0.resources.pidsLimit = -1
            $0.resources.shmSize = 1 << 30
        }
        Self.request(["-m", "0", "--cpus", "0", "-c", "0", "--memory-swap", "0", "--shm-size", "0"]) { _ in }
    }

    @Test func mountsAndDevices() {
        Self.request([
            "-v", "/a/../b:/c:ro,Z", "-v", "data:/d:nocopy", "-v", "/anon", "--tmpfs", "/t:size=1m,ro", "--device",
            "/dev/fuse:/dev/f:r",
        ]) {
            // --tmpfs and --mount are read at once, -v when all is there.
            var tmpfs = MountRequest(kind: .tmpfs(options: ["size=1m", "ro"]), target: "/t")
            tmpfs.readOnly = true
            var bind = MountRequest(kind: .bind(source: "/b", create: true), target: "/c")
            bind.readOnly = true
            var volume = MountRequest(kind: .volume(name: "data"), target: "/d")
            volume.copyUp = false
            $0.mounts = [tmpfs, bind, volume, MountRequest(kind: .anonymousVolume, target: "/anon")]
            $0.devices = [DeviceRequest(source: "/dev/fuse", target: "/dev/f", permissions: "r")]
        }
    }

    @Test func anonymousVolumesGiveWay() {
        Self.request(["-v", "/b", "-v", "/a:/b", "-v", "/a:/b", "-v", "/c", "-v", "/c/"]) {
            $0.mounts = [
                MountRequest(kind: .bind(source: "/a", create: true), target: "/b"),
                MountRequest(kind: .anonymousVolume, target: "/c"),
            ]
        }
    }

    @Test(
        arguments: [
            (["--network", "host", "-p", "80"], "Published ports are discarded when using host network mode"),
            (["--network", "host", "-P"], "Published ports are discarded when using host network mode"),
            (["--kernel-memory", "1g"], "WARNING: --kernel-memory has no effect: kernels no longer have this limit"),
        ] as [([String], String)])
    func warns(_ arguments: [String], _ warning: String) {
        guard case .request(_, let warnings) = Parsed.run(arguments + ["alpine"]) else {
            Issue.record("refused: \(arguments)")
            return
        }
        #expect(warnings == [warning])
    }

    /// Refused by the flag itself: the usage line is shown. Texts as docker 28 prints them.
    @Test(arguments: [
        ("-m x", "\"x\" for \"-m, --memory\" flag: invalid size: 'x'"),
        ("-m -5", "\"-5\" for \"-m, --memory\" flag: invalid size: '-5'"),
        ("--memory-swap x", "\"x\" for \"--memory-swap\" flag: invalid size: 'x'"),
        ("--cpus 1/3", "\"1/3\" for \"--cpus\" flag: value is too precise"),
        ("--cpus x", "\"x\" for \"--cpus\" flag: failed to parse x as a rational number"),
        ("-c x", "\"x\" for \"-c, --cpu-shares\" flag: strconv.ParseInt: parsing \"x\": invalid syntax"),
        ("-e =x", "\"=x\" for \"-e, --env\" flag: invalid environment variable: =x"),
        ("--label =x", "\"=x\" for \"-l, --label\" flag: invalid label '=x': empty name"),
        ("--sysctl x", "\"x\" for \"--sysctl\" flag: sysctl 'x' is not allowed"),
        (
            "--sysctl kernel.core_pattern=x",
            "\"kernel.core_pattern=x\" for \"--sysctl\" flag: sysctl 'kernel.core_pattern=x' is not allowed"
        ),
        (
            "--sysctl net../../kernel.x=1",
            "\"net../../kernel.x=1\" for \"--sysctl\" flag: sysctl 'net../../kernel.x=1' is not allowed"
        ),
        ("--ulimit x", "\"x\" for \"--ulimit\" flag: invalid ulimit argument: x"),
        ("--ulimit foo=1", "\"foo=1\" for \"--ulimit\" flag: invalid ulimit type: foo"),
        ("--ulimit nofile=x", "\"nofile=x\" for \"--ulimit\" flag: strconv.ParseInt: parsing \"x\": invalid syntax"),
        (
            "--ulimit nofile=2:1",
            "\"nofile=2:1\" for \"--ulimit\" flag: ulimit soft limit must be less than or equal to hard limit: 2 > 1"
        ),
        (
            "--ulimit nofile=-1:5",
            "\"nofile=-1:5\" for \"--ulimit\" flag: ulimit soft limit must be less than or equal to hard limit: soft: -1 (unlimited), hard: 5"
        ),
        (
            "--ulimit nofile=1:2:3",
            "\"nofile=1:2:3\" for \"--ulimit\" flag: too many limit value arguments - 1:2:3, can only have up to two, `soft[:hard]`"
        ),
        ("--rm=x", "\"x\" for \"--rm\" flag: strconv.ParseBool: parsing \"x\": invalid syntax"),
        ("--network name=x,foo=y", "\"name=x,foo=y\" for \"--network\" flag: invalid field key foo"),
        ("--mount foo", "\"foo\" for \"--mount\" flag: invalid field 'foo' must be a key=value pair"),
    ])
    func refusesValues(_ line: String, _ message: String) {
        let arguments = line.split(separator: " ").map(String.init)
        #expect(Parsed.run(arguments + ["a"]) == .refused("invalid argument " + message, usage: true))
    }

    @Test(
        arguments: [
            (["-v", ""], "invalid empty volume spec"),
            (["--name", "a"], "Invalid container name (a), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"),
            (["--name", "a\nb"], "Invalid container name (\"a\\nb\"), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed"),
            (["-h", "a b"], "invalid hostname format: a b"), (["-h", "a\nb"], "invalid hostname format: \"a\\nb\""),
            (["-u", "a\nb"], "--user: control character in \"a\\nb\""),
            (["-w", "x"], "the working directory 'x' is invalid, it needs to be an absolute path"),
            (["--pull", "foo"], "invalid pull option: 'foo': must be one of \"always\", \"missing\" or \"never\""),
            (["--pid", "foo"], "--pid: invalid PID mode"), (["--uts", "foo"], "--uts: invalid UTS mode"),
            (["--cgroupns", "foo"], "--cgroupns: invalid CGROUP mode"), (["--ipc", "foo"], "invalid IPC mode: foo"),
            (["--pid", "container:"], "--pid: invalid PID mode"),
            (["--ipc", "container:"], "invalid IPC mode: container:"),
            (
                ["--network", "container:"],
                "invalid network mode: invalid container format container:<name|id>"
            ),
            (
                ["--network", "container:a", "--network", "container:b"],
                "conflicting options: cannot attach both user-defined and non-user-defined network-modes"
            ),
            (["--uts", "host", "-h", "x"], "conflicting options: hostname and the UTS mode"),
            (["--link", "a"], "flag --link: not supported yet (planned)"),
            (["--security-opt", "foo"], "Invalid --security-opt: \"foo\""),
            (["--security-opt", "seccomp"], "Invalid --security-opt: \"seccomp\""),
            (
                ["--security-opt", "systempaths=unconfined"],
                "--security-opt systempaths=unconfined: not supported yet (planned)"
            ),
            (["--cap-add", "FOO"], "invalid CapAdd: unknown capability: \"CAP_FOO\""),
            (["--stop-signal", "FOO"], "invalid signal: FOO"), (["--stop-signal", "65"], "invalid signal: 65"),
            (["--network", ""], "no name set for network"), (["--network", "../x"], "network ../x not found"),
            (["--network", "a", "--network", "a"], "network \"a\" is specified multiple times"),
            (
                ["--network", "host", "--network", "x"],
                "conflicting options: cannot attach both user-defined and non-user-defined network-modes"
            ),
            (["-p", "x"], "invalid containerPort: x"), (["-p", "1:2/foo"], "invalid proto: foo"),
            (["--device", "a:b:c:d"], "bad format for path: a:b:c:d"),
            (["--device", "/dev/null:x"], "x is not an absolute path"),
            (["--device", "/dev/null:/x:q"], "bad mode specified: q"),
            (["--device", "vendor.com/class=x"], "device vendor.com/class=x by CDI name: not supported yet (planned)"),
            (["-m", "1m"], "Minimum memory limit allowed is 6MB"),
            (["--memory-swap", "1g"], "You should always set the Memory limit when using Memoryswap limit, see usage"),
            (
                ["-m", "1g", "--memory-swap", "1m"],
                "Minimum memoryswap limit should be larger than memory limit, see usage"
            ),
            (
                ["-m", "8m", "--memory-reservation", "9m"],
                "Minimum memory limit can not be less than memory reservation limit, see usage"
            ),
            (["--cpuset-cpus", "3-1"], "invalid value 3-1 for cpuset cpus"),
            (["-v", "/a:/c", "--tmpfs", "/c"], "Duplicate mount point: /c"),
            (
                ["--platform", "a/b/c/d"],
                "invalid platform \"a/b/c/d\": want OS/ARCHITECTURE[/VARIANT], such as linux/arm64/v8"
            ),
            (["--cpu-count", "1"], "flag --cpu-count: Windows only"),
            (["--replace-container"], "flag --replace-container: not supported yet (planned)"),
            (["--isolation", "hyperv"], "invalid isolation \"hyperv\": Windows only; Linux has \"default\""),
            (
                ["--disable-content-trust=false"],
                "content trust is not available: Notary's signatures (Docker Content Trust) are not supported"
            ),
        ] as [([String], String)])
    func refusesRequests(_ arguments: [String], _ message: String) {
        #expect(Parsed.run(arguments + ["a"]) == .refused(message, usage: false))
    }
}
