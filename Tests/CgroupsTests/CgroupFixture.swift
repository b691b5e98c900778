import Glibc
import OCI
import Sys
import TestSupport
import Testing

@testable import Cgroups

/// A cgroup path of a test's own in the machine's hierarchies, gone when the test is.
struct CgroupFixture: ~Copyable {
    let manager: CgroupManager
    let path: String
    /// What v2's root passed on before the first test.
    private static let passedOnBefore = (try? CgroupManager.detect()).map(passedOn) ?? []

    init() throws {
        CgroupFixture.deadRunsAreSwept
        manager = try CgroupManager.detect()
        _ = CgroupFixture.passedOnBefore
        let start = ProcessStatus.startTime(getpid()) ?? 0
        path = "/\(CgroupFixture.prefix)\(getpid())-\(start)-\(Random.hex(bytes: 6))/one"
    }

    private static let prefix = "runimg-tests-"

    /// What a run that was killed left: its process is gone, or its number another's.
    private static let deadRunsAreSwept: Void = {
        guard let manager = try? CgroupManager.detect() else { return }
        let all = manager.layout.hierarchies.flatMap { (try? Directory.entries($0.mountPoint)) ?? [] }
        for name in Set(all.map(\.name)) where name.hasPrefix(prefix) {
            let parts = name.dropFirst(prefix.count).split(separator: "-")
            guard parts.count == 3, let pid = Int32(parts[0]), let start = UInt64(parts[1]),
                ProcessStatus.startTime(pid) != start
            else { continue }
            let left = try? manager.open(path: "/\(name)")
            try? left?.killAll()
            try? left?.remove()
        }
    }()

    deinit {
        let (parent, _) = Path.split(path)
        for name in [path, parent] {
            do {
                guard let left = try manager.open(path: name) else { continue }
                try left.killAll()
                try left.remove()
            } catch {
                Issue.record("clean up \(name): \(error)")
            }
        }
        // Beside v1 nothing else may need it, and what others have meanwhile begun to need stays.
        guard manager.layout.mode == .hybrid, let root = CgroupFixture.root(manager) else { return }
        for controller in CgroupFixture.passedOn(manager).subtracting(CgroupFixture.passedOnBefore) {
            try? CgroupFile.write("-\(controller)", to: "\(root)/cgroup.subtree_control")
        }
    }

    private static func root(_ manager: CgroupManager) -> String? {
        manager.layout.hierarchies.first { $0.isUnified }?.mountPoint
    }

    private static func passedOn(_ manager: CgroupManager) -> Set<String> {
        Set(root(manager).map { CgroupLayout.words(of: "\($0)/cgroup.subtree_control") } ?? [])
    }

    func make(_ change: (inout Spec.Resources) -> Void = { _ in }) throws -> Cgroup {
        var resources = Spec.Resources()
        change(&resources)
        return try manager.create(path: path, resources: resources)
    }

    /// Its directory in the hierarchy of `controller`; `""` is the unified one.
    func directory(_ controller: String) throws -> String {
        let hierarchy = manager.layout.hierarchies.first {
            controller.isEmpty ? $0.isUnified : $0.controllers.contains(controller)
        }
        return try #require(hierarchy).mountPoint + path
    }

    func value(_ controller: String, _ file: String) throws -> String {
        let bytes = try File.readAll("\(try directory(controller))/\(file)", limit: 1 << 16)
        return String(decoding: bytes.filter { $0 != 0x0a }, as: UTF8.self)
    }

    /// Whether any hierarchy has a directory of this path.
    var isThere: Bool { manager.layout.hierarchies.contains { File.exists($0.mountPoint + path) } }
}

/// A shell that runs `script` once it is in the cgroup, not before.
struct ShellInCgroup: ~Copyable {
    var child: ChildProcess
    private let output: Pipe

    init(_ script: String, in cgroup: Cgroup) throws {
        let input = try Pipe()
        let output = try Pipe()
        let child = try ChildProcess(
            "/bin/sh", ["-c", "read start; \(script)"], environment: Tool.baseEnvironment,
            input: .descriptor(input.reader.raw), output: .descriptor(output.writer.raw))
        try cgroup.add(pid: child.pid)
        try File.write(input.writer.raw, "\n")
        self.child = child
        self.output = output
    }

    /// Waits for the end of the script, and for its output.
    consuming func finish() throws -> (result: ChildProcess.ExitResult?, output: String) {
        let result = try child.wait(seconds: 20)
        let fd = output.reader.raw
        _ = fcntl(fd, F_SETFL, O_NONBLOCK)
        var bytes = [UInt8](repeating: 0, count: 65536)
        let count = max(0, read(fd, &bytes, bytes.count))
        return (result, String(decoding: bytes[..<count], as: UTF8.self))
    }
}

enum Machine {
    static let isRoot = Conditions.isRoot
    static let hasMemory = isRoot && Conditions.hasController("memory")
    static let hasSwapLimit = hasMemory && File.exists("/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes")
    static let hasPids = isRoot && Conditions.hasController("pids")
    static let hasCPU = isRoot && Conditions.hasController("cpu")
    static let hasCpuset = isRoot && Conditions.hasController("cpuset")
    static let hasDevices = isRoot && (Conditions.hasController("devices") || isUnified)
    static let hasUnified =
        isRoot && (File.exists("/sys/fs/cgroup/cgroup.procs") || File.exists("/sys/fs/cgroup/unified/cgroup.procs"))
    static let isUnified = isRoot && File.exists("/sys/fs/cgroup/cgroup.controllers")
    static let isV1 = isRoot && !isUnified
    static let hasRealtime = isRoot && File.exists("/sys/fs/cgroup/cpu/cpu.rt_runtime_us")
    static let hasHugepages =
        isRoot && (try? CgroupLayout.detect())?.hierarchy(of: "hugetlb") != nil
        && File.exists("/sys/kernel/mm/hugepages/hugepages-2048kB")
    static let isHybrid = isRoot && !isUnified && hasUnified
    /// The first disk, by number.
    static let disk: String? = {
        let names = (try? Directory.entries("/sys/block").map(\.name).sorted()) ?? []
        let name = names.first { File.exists("/sys/block/\($0)/device") }
        return name.flatMap { try? File.readAll("/sys/block/\($0)/dev", limit: 64) }
            .map { String(decoding: $0.filter { $0 != 0x0a }, as: UTF8.self) }
    }()
    /// The one that tests write to.
    static let diskBelowScratch: String? = {
        guard let status = try? File.status("/var/tmp") else { return nil }
        return "\((status.device >> 8) & 0xfff):\(status.device & 0xff)"
    }()
    static let countsBlockIO =
        isRoot && Conditions.hasController(isUnified ? "io" : "blkio") && hasDisk(below: "/var/tmp")
    static let weighsBlockIO = isRoot && weight != nil

    /// Whether the file system's device is a disk: a tmpfs or a network's has no I/O of its own.
    static func hasDisk(below path: String) -> Bool {
        guard let status = try? File.status(path) else { return false }
        // gnu_dev_major(3) is a macro that Swift does not see; disks' numbers are small.
        return File.exists("/sys/dev/block/\((status.device >> 8) & 0xfff):\(status.device & 0xff)")
    }

    /// A weight's file in a cgroup of the tests' own: the roots have none.
    private static let weight: String? = {
        guard let fixture = try? CgroupFixture(), (try? fixture.make()) != nil,
            let directory = try? fixture.directory(isUnified ? "" : "blkio")
        else { return nil }
        return ["blkio.bfq.weight", "blkio.weight", "io.bfq.weight", "io.weight"].first {
            File.exists("\(directory)/\($0)")
        }
    }()
}
