import Cgroups
import Glibc
import OCI
import Rootfs
import Runtime
import Sys
import TestSupport
import Testing

@testable import Engine

/// One path, from spec to plan, yields a process's rights, whether its namespaces are new or somebody's.
@Suite struct RightsTests {
    private static let isPossible =
        Conditions.isRoot && Conditions.hasOverlay && Conditions.hasBinaries && Conditions.hasFixtures

    private static let unified = CgroupLayout(hierarchies: [
        CgroupLayout.Hierarchy(mountPoint: "/sys/fs/cgroup", controllers: ["pids"], isUnified: true)
    ])

    private static func plan(_ change: (inout Spec) -> Void = { _ in }) throws -> LaunchPlan {
        var request = RunRequest(image: "x")
        request.isolation.noNewPrivileges = true
        var inputs = SpecBuilderTests.inputs(request, user: ResolvedUser(uid: 1000, gid: 1000, groups: [1000, 50]))
        inputs.seccomp = try SpecBuilder.seccomp(request.isolation) { _ throws(EngineError) in [] }
        var spec = try SpecBuilder.build(inputs)
        change(&spec)
        var stack = LayerStack(base: "/b", layers: ["/b/l"], upper: "/b/u", work: "/b/w", mountPoint: "/b/m")
        stack.discardable = true
        let launch = LaunchRequest(id: inputs.containerID, spec: spec, rootfs: try Overlay2().mount(stack))
        return try Launcher.plan(launch, host: Runtime.HostFacts(cgroups: unified))
    }

    @Test("R16, X7: annotations decide nothing") func annotationsDecideNothing() throws {
        let annotations = [
            "run.oci.keep_original_groups": "1", "run.oci.seccomp_bpf_file": "/x", "run.oci.delegate-cgroup": "../..",
            "io.podman.annotations.privileged": "TRUE", "run.oci.hooks.stdout": "/x", "io.kubernetes.cri-o.x": "a+b=c",
            "org.systemd.property.TasksMax": "infinity", "org.criu.config": "/x", "run.oci.systemd.subgroup": "../x",
        ]
        #expect(try Self.plan { $0.annotations = annotations } == Self.plan())
    }

    @Test("X9: limits, groups, ids, capabilities and filter are the same in namespaces that are joined")
    func joiningLeavesNothingOut() throws {
        func rights(_ plan: LaunchPlan) throws -> [PlanOp] {
            let start = try #require(plan.ops.firstIndex { if case .keyring = $0 { true } else { false } })
            return Array(plan.ops[start...])
        }
        let new = try rights(Self.plan())
        let joined = try rights(
            Self.plan { spec in
                for index in spec.linux.namespaces.indices where spec.linux.namespaces[index].type != .mount {
                    spec.linux.namespaces[index].path = "/proc/1/ns/\(spec.linux.namespaces[index].type.rawValue)"
                }
            })
        #expect(joined == new)
        for isPresent: (PlanOp) -> Bool in [
            { if case .groups([1000, 50]) = $0 { true } else { false } },
            { if case .ids(uid: 1000, gid: 1000) = $0 { true } else { false } },
            { if case .bounding = $0 { true } else { false } }, { $0 == .ambient([]) }, { $0 == .noNewPrivileges },
            { $0 == .capabilities(effective: [], permitted: [], inheritable: []) },
            { if case .seccomp = $0 { true } else { false } }, { if case .limit = $0 { true } else { false } },
            { if case .keyring = $0 { true } else { false } },
            { $0 == .sealDescriptors(.init()) },
        ] {
            #expect(new.contains(where: isPresent))
        }
    }

    /// The probe's lines without what two processes of one container differ in: numbers of processes, pipes, mounts and
    /// devices, and the name of the layer that is its own.
    private static func comparable(_ text: String) -> [String] {
        let own = ["pid=", "ppid=", "pgid=", "sid=", "tpgid=", "ns.", "fd."]
        return text.split(separator: "\n").map(String.init)
            .filter { line in !own.contains { line.hasPrefix($0) } }
            .map { line in
                let words = line.split(separator: " ", omittingEmptySubsequences: false)
                // The first three of a line of mountinfo.
                let kept = line.hasPrefix("mount.") ? words.dropFirst(3) : words[...]
                return kept.joined(separator: " ").split { "/=,:".contains($0) }
                    .map { ResourceName.isContainerID(String($0)) ? "ID" : $0 }.joined(separator: "|")
            }
    }

    struct Launch: Sendable, CustomTestStringConvertible {
        let flags: [String]
        let change: @Sendable (inout RunRequest) -> Void
        var testDescription: String { flags.joined(separator: " ") }
    }

    private static let launches = [
        Launch(flags: []) { _ in }, Launch(flags: ["-u", "alice"]) { $0.process.user = "alice" },
        Launch(flags: ["--cap-add", "SYS_ADMIN", "--cap-drop", "KILL"]) {
            $0.isolation.addedCapabilities = ["CAP_SYS_ADMIN"]
            $0.isolation.droppedCapabilities = ["CAP_KILL"]
        },
        Launch(flags: ["--security-opt", "no-new-privileges"]) { $0.isolation.noNewPrivileges = true },
    ]

    @Test(
        "X9: a process that joins a container sees and may what its first process does, line by line",
        .enabled(if: isPossible, "needs root, overlayfs, the executables and the fixture images"), arguments: launches)
    func joiningYieldsTheSameRights(_ launch: Launch) throws {
        let runimg = try Runimg()
        try runimg.check("pull", "-q", "oci:\(Fixtures.layout("busybox")):latest")
        let image = try #require(try runimg("images", "-q").lines.first)
        let common = ["run", "--rm", "-h", "box", "-m", "64m", "--ulimit", "nofile=77:99"] + launch.flags + [image]
        let first = try runimg.run(common + ["/probe"])
        try #require(first.status == 0, "\(first)")

        let name = runimg.scratch("id")
        var child = try ChildProcess(
            Runimg.path,
            ["--data-root", runimg.dataRoot, "--config-file", runimg.configFile, "run", "--cidfile", name]
                + common.dropFirst() + ["sleep", "1000"],
            environment: Tool.baseEnvironment)
        defer { try? runimg.end(&child) }
        let second = try Self.join(runimg, image, launch, containerIDFile: name)
        let lines = Self.comparable(first.stdout)
        #expect(lines.count > 150)
        #expect(Self.comparable(second).difference(from: lines).isEmpty)
    }

    /// Runs the probe in the namespaces and the cgroup of the running container, as the engine would draft it.
    private static func join(
        _ runimg: Runimg, _ imageID: String, _ launch: Launch, containerIDFile: String
    ) throws -> String {
        var options = GlobalOptions()
        options.dataRoot = runimg.dataRoot
        options.configFile = runimg.configFile
        let engine = try Engine(options)
        var request = RunRequest(image: imageID)
        request.command = ["/probe"]
        request.remove = true
        request.process.hostname = "box"
        request.process.ulimits = [Spec.Rlimit(type: "RLIMIT_NOFILE", soft: 77, hard: 99)]
        request.resources.memory = 64 << 20
        launch.change(&request)
        let image = try #require(try engine.find(imageID))
        var draft = try engine.draft(try engine.newRecord(request, image), image)

        var sleeper: (cgroup: Cgroup, pid: Int32)?
        _ = Wait.until(seconds: 20) {
            guard let id = try? File.readAll(containerIDFile, limit: 100), id.count == 64,
                let cgroup = try? draft.manager.open(path: Engine.cgroupPath(String(decoding: id, as: UTF8.self))),
                let pid = try? cgroup.processes().first,
                let command = try? File.readAll("/proc/\(pid)/cmdline", limit: 100), command.starts(with: "sleep".utf8)
            else { return false }
            sleeper = (cgroup, pid)
            return true
        }
        let container = try #require(sleeper)
        draft.spec.hostname = nil
        draft.spec.linux.sysctl = [:]
        draft.spec.linux.cgroupsPath = container.cgroup.path
        let kinds: [Spec.Namespace.Kind: String] = [
            .pid: "pid", .ipc: "ipc", .uts: "uts", .network: "net", .cgroup: "cgroup",
        ]
        for index in draft.spec.linux.namespaces.indices {
            guard let kind = kinds[draft.spec.linux.namespaces[index].type] else { continue }
            draft.spec.linux.namespaces[index].path = "/proc/\(container.pid)/ns/\(kind)"
        }
        try engine.containers.create(draft.record)
        defer { try? engine.discard(draft.record) }
        try GeneratedFileWriter.write(
            GeneratedFileWriter.paths(in: engine.containers.directory(draft.record.id)), draft.record,
            configuration: engine.configuration)
        let pipe = try Sys.Pipe()
        let plan = try engine.plan(draft, streams: (-1, pipe.writer.raw, pipe.writer.raw))
        let process = try Launcher.start(plan, cgroup: container.cgroup)
        let reader = pipe.keepReader()
        let text = String(decoding: try File.readAll(reader.raw, limit: 1 << 20), as: UTF8.self)
        #expect(try Pidfd.wait(process.pidfd.raw) == .code(0))
        for kind in kinds.values {
            let inode = try File.status("/proc/\(container.pid)/ns/\(kind)", follow: true).inode
            #expect(text.contains("ns.\(kind)=\(inode)\n"))
        }
        return text
    }
}
