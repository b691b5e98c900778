import Glibc
import Images
import OCI
import Sys
import TestSupport
import Testing

/// The image worker as it is after a stranger's bytes took it over: everything it tries comes to nothing, and with its
/// confinement taken off the same tries succeed.
@Suite(
    .enabled(
        if: Conditions.isRoot && LandlockPolicy(abi: Landlock.abi) != nil && File.exists(Misbehaviour.program),
        "needs root, Landlock of Linux 5.19 and the program built beside the tests"), .serialized)
struct MisbehaviourTests {
    /// The answer to each attack where all is confined; those that are left out are EPERM.
    private static let answers: [String: [String: String]] = [
        "files": [
            "rename out of a layer": "EXDEV", "link from a layer": "EXDEV",
        ],
        "reads": [:],
        "devices": [
            "open a device of its own": "EACCES", "open a disk of its own": "EACCES",
            "make a device among blobs": "EACCES", "make a directory among blobs": "EACCES",
        ],
        "processes": ["clone by clone3": "ENOSYS", "call by x32": "ENOSYS"],
        "kernel": ["a call of tomorrow": "ENOSYS"],
        "network": [
            "connect to the registry": "done", "connect to a service": "EACCES",
            "connect to a local socket": "EAFNOSUPPORT", "socket of packets": "EAFNOSUPPORT",
            "socket of the kernel's routes": "EAFNOSUPPORT", "MPTCP socket": "EPROTONOSUPPORT",
        ],
    ]
    private static let common = ["files": "EROFS", "reads": "EACCES"]
    private static let counts = [
        "files": 24, "reads": 10, "devices": 6, "processes": 19, "kernel": 20, "network": 11,
    ]
    /// Where the kernel lacks the call itself, or somebody else than the confinement forbids it.
    private static let same: Set<String> = [
        "connect to the registry", "call by x32", "a call of tomorrow",
    ]

    @Test(arguments: ["files", "reads", "devices", "processes", "kernel", "network"])
    func nothingComesOfIt(group: String) throws {
        let misbehaviour = try Misbehaviour()
        let outcome = try misbehaviour.run("confined", group)
        #expect(outcome.order.count == MisbehaviourTests.counts[group], "\(outcome)")
        for name in outcome.order {
            if name == "open a disk of its own", Misbehaviour.disk == nil { continue }
            let expected =
                MisbehaviourTests.answers[group]?[name] ?? MisbehaviourTests.common[group] ?? "EPERM"
            #expect(outcome.results[name] == expected, "\(name)")
        }
        #expect(try misbehaviour.damage() == [])
        #expect(outcome.pull.status == 1)
        #expect(outcome.pull.failure?.message.contains("an end before anything was stored") == true, "\(outcome)")
    }

    /// The tests' own test: without the confinement the attacks do their work.
    @Test(arguments: ["files", "reads", "devices", "processes", "kernel", "network"])
    func withoutConfinementAllOfItSucceeds(group: String) throws {
        let misbehaviour = try Misbehaviour()
        let confined = try misbehaviour.run("confined", group)
        #expect(try misbehaviour.damage() == [])
        let free = try misbehaviour.run("free", group)
        #expect(free.order.count == MisbehaviourTests.counts[group], "\(free)")
        for name in free.order where !MisbehaviourTests.same.contains(name) {
            if name == "open a disk of its own", Misbehaviour.disk == nil { continue }
            #expect(free.results[name] != confined.results[name], "\(name)")
            if ["files", "reads", "devices"].contains(group) { #expect(free.results[name] == "done", "\(name)") }
        }
        let damage = try misbehaviour.damage()
        switch group {
        case "files": #expect(damage.count > 20, "\(damage)")
        case "processes": #expect(damage == ["the stranger is dead"])
        case "network": #expect(damage.count == 2, "\(damage)")
        default: break
        }
    }

    /// What the kernel says of the process: rights, mounts, descriptors; and both die together.
    @Test func theKernelKnowsItAsConfined() throws {
        let misbehaviour = try Misbehaviour()
        let input = try misbehaviour.fixture.scratch.file("request", try misbehaviour.request)
        let stdin = try File.open(input, O_RDONLY)
        let stdout = try File.open(misbehaviour.fixture.scratch("events"), O_WRONLY | O_CREAT, mode: 0o644)
        var keeper = try ChildProcess(
            Misbehaviour.program, ["confined", "wait"], environment: Tool.baseEnvironment,
            input: .descriptor(stdin.raw), output: .descriptor(stdout.raw))
        #expect(
            try Wait.until(seconds: 20) {
                try misbehaviour.fixture.events().contains(.debug("waiting: done"))
            })
        let children = try MisbehaviourTests.text("/proc/\(keeper.pid)/task/\(keeper.pid)/children")
        let worker = try #require(Int32(children.split(separator: " ").first.map(String.init) ?? ""))
        let status = try MisbehaviourTests.text("/proc/\(worker)/status")
        // CHOWN DAC_OVERRIDE FOWNER FSETID SYS_ADMIN MKNOD SETFCAP.
        let kept = "000000008820001b"
        for (name, value) in [
            ("CapInh", "0000000000000000"), ("CapPrm", kept), ("CapEff", kept), ("CapBnd", kept),
            ("CapAmb", "0000000000000000"), ("NoNewPrivs", "1"), ("Seccomp", "2"),
        ] {
            #expect(status.contains("\(name):\t\(value)\n"), "\(status)")
        }
        let mounts = try MisbehaviourTests.text("/proc/\(worker)/mountinfo").split(separator: "\n")
        let writable = mounts.filter { $0.split(separator: " ")[5].split(separator: ",").first == "rw" }
        #expect(writable.count == 2, "\(writable)")
        #expect(
            writable.allSatisfy {
                $0.contains("nosuid,nodev,noexec") && $0.contains("\(misbehaviour.fixture.dataRoot)/tmp/")
            })
        // No mount is seen from outside.
        #expect(try !MisbehaviourTests.text("/proc/self/mountinfo").contains(misbehaviour.fixture.dataRoot))
        let descriptors = try Directory.entries("/proc/\(worker)/fd").map { entry in
            (try? File.readLink("/proc/\(worker)/fd/\(entry.name)")) ?? ""
        }
        #expect(
            descriptors.filter { $0.hasPrefix("/") && !$0.hasPrefix("/dev/null") && !$0.contains("/tmp/pull-") } == [])
        try keeper.signal(SIGKILL)
        #expect(Wait.until(seconds: 10) { !File.exists("/proc/\(worker)") })
        _ = try keeper.wait(seconds: 10)
        try misbehaviour.fixture.store.clean()
        #expect(try misbehaviour.damage() == [])
    }

    private static func text(_ path: String) throws -> String {
        let file = try File.open(path, O_RDONLY)
        return String(decoding: try File.readAll(file.raw, limit: 1 << 20), as: UTF8.self)
    }
}
