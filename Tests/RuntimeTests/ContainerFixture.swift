import Cgroups
import Glibc
import OCI
import Rootfs
import Runtime
import Sys
import TestSupport
import Testing

/// A container over one layer with Debian's static busybox: made in a scratch directory, run in the test's own process.
final class ContainerFixture: Sendable {
    static let isPossible = Conditions.isRoot && Conditions.hasOverlay && File.exists("/bin/busybox")
    static let requirement: Comment = "needs root, overlayfs and busybox-static"

    let scratch: Scratch
    let id = "test-" + Random.hex(bytes: 6)

    /// `prepare` gets the image's directory.
    init(_ prepare: (Scratch, String) throws -> Void = { _, _ in }) throws {
        scratch = try Scratch()
        let image = try scratch.directory("overlay2/base/diff")
        for name in ["bin", "dev", "etc", "proc", "root", "sys", "tmp"] {
            try scratch.directory("overlay2/base/diff/\(name)")
        }
        try scratch.file("overlay2/base/diff/bin/busybox", try File.readAll("/bin/busybox"), mode: 0o755)
        for applet in ContainerFixture.applets {
            try File.symlink("busybox", "\(image)/bin/\(applet)")
        }
        try scratch.file("overlay2/base/diff/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n")
        for name in ["diff", "work", "merged"] { try scratch.directory("overlay2/top/\(name)") }
        try prepare(scratch, image)
    }

    private static let applets = [
        "sh", "cat", "ls", "echo", "id", "mount", "ps", "sleep", "stat", "readlink", "true", "false", "env", "pwd",
        "grep",
        "hostname", "ip", "kill", "mkdir", "rm", "touch", "stty", "tty", "umask", "ulimit", "dd", "ln", "cp", "test",
        "wc",
        "dmesg", "chmod", "sed", "head", "cut", "sort", "tr", "printf", "seq", "umount", "mknod", "chown", "nohup",
        "setsid", "find", "expr", "sysctl", "mv",
    ]

    var base: String { scratch("overlay2") }
    var upper: String { scratch("overlay2/top/diff") }

    func stack(layers: [String]? = nil) -> LayerStack {
        LayerStack(
            base: base, layers: layers ?? [scratch("overlay2/base/diff")], upper: upper,
            work: scratch("overlay2/top/work"), mountPoint: scratch("overlay2/top/merged"))
    }

    func request(
        _ arguments: [String], layers: [String]? = nil, driver: Overlay2 = Overlay2(),
        _ change: (inout LaunchRequest) -> Void = { _ in }
    ) throws -> LaunchRequest {
        var request = LaunchRequest(
            id: id, spec: ContainerFixture.spec(arguments), rootfs: try driver.mount(stack(layers: layers)))
        // Threads of a test process come and go.
        request.diesWithParent = false
        change(&request)
        return request
    }

    /// As the engine makes it by default, without a seccomp profile.
    static func spec(_ arguments: [String]) -> Spec {
        var process = Spec.Process(args: arguments)
        process.env = ["PATH=/bin:/usr/bin", "HOME=/root"]
        process.capabilities.bounding = capabilities
        process.capabilities.effective = capabilities
        process.capabilities.permitted = capabilities
        process.rlimits = [Spec.Rlimit(type: "RLIMIT_NOFILE", soft: 1024, hard: 4096)]
        var spec = Spec(process: process, root: Spec.Root(path: "rootfs"))
        spec.hostname = "fixture"
        spec.linux.namespaces = [.mount, .pid, .uts, .ipc, .network, .cgroup].map { Spec.Namespace($0) }
        spec.mounts = mounts
        spec.linux.maskedPaths = [
            "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list", "/proc/sched_debug",
            "/proc/scsi", "/proc/asound", "/sys/firmware", "/sys/devices/virtual/powercap",
        ]
        spec.linux.readonlyPaths = ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"]
        return spec
    }

    static let capabilities = [
        "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FSETID", "CAP_FOWNER", "CAP_NET_RAW", "CAP_SETGID", "CAP_SETUID",
        "CAP_SETFCAP", "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT", "CAP_KILL",
    ]

    static let mounts = [
        Spec.Mount(destination: "/proc", type: "proc", source: "proc", options: ["nosuid", "noexec", "nodev"]),
        Spec.Mount(
            destination: "/dev", type: "tmpfs", source: "tmpfs",
            options: ["nosuid", "strictatime", "mode=755", "size=65536k"]),
        Spec.Mount(
            destination: "/dev/pts", type: "devpts", source: "devpts",
            options: ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]),
        Spec.Mount(destination: "/sys", type: "sysfs", source: "sysfs", options: ["nosuid", "noexec", "nodev", "ro"]),
        Spec.Mount(
            destination: "/sys/fs/cgroup", type: "cgroup", source: "cgroup",
            options: ["ro", "nosuid", "noexec", "nodev"]),
        Spec.Mount(
            destination: "/dev/mqueue", type: "mqueue", source: "mqueue", options: ["nosuid", "noexec", "nodev"]),
        Spec.Mount(
            destination: "/dev/shm", type: "tmpfs", source: "shm",
            options: ["nosuid", "noexec", "nodev", "mode=1777", "size=67108864"]),
    ]
}

/// A pipe whose writing end goes to a container.
final class PipeEnds {
    let reader: OwnedFD
    private(set) var writer: Int32

    init() throws {
        let pipe = try Sys.Pipe()
        reader = try pipe.reader.duplicate()
        writer = try pipe.writer.duplicate().release()
    }

    deinit { closeWriter() }

    func closeWriter() {
        if writer >= 0 { close(writer) }
        writer = -1
    }

    /// Closes our writing end and reads what all others write.
    func readAll() throws -> [UInt8] {
        closeWriter()
        return try File.readAll(reader.raw, limit: 1 << 20)
    }
}

/// How a container ended and what it said.
struct ContainerResult: CustomStringConvertible {
    let exit: Spawn.Exit
    let output: String
    let errors: String

    var lines: [String] { output.split(separator: "\n").map(String.init) }
    var description: String { "\(exit)\nstdout: \(output)\nstderr: \(errors)" }
}

extension ContainerFixture {
    /// Runs to the end, with pipes for output and error and nothing to read.
    func run(
        _ arguments: [String], layers: [String]? = nil, driver: Overlay2 = Overlay2(), cgroup: Cgroup? = nil,
        joining targets: [Int32] = [], _ change: (inout LaunchRequest) -> Void = { _ in }
    ) throws -> ContainerResult {
        let output = try PipeEnds()
        let errors = try PipeEnds()
        let request = try request(arguments, layers: layers, driver: driver) { request in
            request.stdio = StandardIO(input: -1, output: output.writer, error: errors.writer)
            change(&request)
        }
        let process = try Launcher.start(try Launcher.plan(request), cgroup: cgroup, joining: targets)
        let text = try output.readAll()
        let errorText = try errors.readAll()
        let exit = try Pidfd.wait(process.pidfd.raw)
        return ContainerResult(
            exit: exit, output: String(decoding: text, as: UTF8.self),
            errors: String(decoding: errorText, as: UTF8.self))
    }

    func shell(_ script: String, _ change: (inout LaunchRequest) -> Void = { _ in }) throws -> ContainerResult {
        try run(["/bin/sh", "-c", script], change)
    }

    /// The error that a start must end with.
    func failure(
        _ arguments: [String], joining targets: [Int32] = [], _ change: (inout LaunchRequest) -> Void = { _ in }
    ) throws -> RuntimeError {
        do {
            let result = try run(arguments, joining: targets, change)
            Issue.record("started: \(result)")
            throw RuntimeError.lostChild("started")
        } catch let error as RuntimeError {
            return error
        }
    }
}
