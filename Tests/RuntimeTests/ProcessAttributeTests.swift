import Cgroups
import Glibc
import OCI
import Rootfs
import Runtime
import Sys
import TestSupport
import Testing

/// When, where and as what a process runs: the first one and further ones alike.
@Suite(.enabled(if: ContainerFixture.isPossible, ContainerFixture.requirement))
struct ProcessAttributeTests {
    private func change(_ process: inout Spec.Process) {
        var scheduler = Spec.Scheduler(policy: "SCHED_BATCH")
        scheduler.nice = 7
        process.scheduler = scheduler
        process.ioPriority = Spec.IOPriority(class: "IOPRIO_CLASS_BE", priority: 6)
    }

    @Test func reachTheCommand() throws {
        var domain = Spec.Personality(domain: "LINUX32")
        domain.flags = []
        let owner = try RunningContainer(try ContainerFixture()) { request in
            change(&request.spec.process)
            request.spec.linux.personality = domain
        }
        func check(_ pid: pid_t) throws {
            let fields =
                String(decoding: try File.readAll("/proc/\(pid)/stat", limit: 4096), as: UTF8.self)
                .split(separator: ")").last?.split(separator: " ") ?? []
            // From the third field on: nice is the 19th, the policy the 41st (proc(5)).
            #expect(fields[16] == "7" && fields[38] == "3", "\(fields)")
            let priority = try Tool.check("ionice", ["-p", "\(pid)"]).stdout
            #expect(priority == "best-effort: prio 6\n")
            let personality = String(decoding: try File.readAll("/proc/\(pid)/personality", limit: 64), as: UTF8.self)
            #expect(personality == "00000008\n")
        }
        try check(owner.pid)
        let further = try owner.start(["/bin/sleep", "1000"]) { request in
            request.personality = domain
            request.stdio = StandardIO()
        }
        try check(further.pid)
        try Pidfd.send(SIGKILL, to: further.pidfd.raw)
        _ = try Pidfd.wait(further.pidfd.raw)
    }

    @Test func runInRealTime() throws {
        let result = try ContainerFixture().shell("read l < /proc/self/stat; set -- $l; shift 39; echo $1 $2") {
            request in
            var scheduler = Spec.Scheduler(policy: "SCHED_FIFO")
            scheduler.priority = 10
            scheduler.flags = ["SCHED_FLAG_RESET_ON_FORK"]
            request.spec.process.scheduler = scheduler
        }
        #expect(result.lines == ["10 1"], "\(result)")
    }

    /// What the cgroup does not have is no error before it is joined, and one after.
    @Test func chooseTheCPUs() throws {
        let owner = try RunningContainer(try ContainerFixture())
        func cpus(_ affinity: Spec.CPUAffinity) throws -> ContainerResult {
            try owner.shell("grep Cpus_allowed_list /proc/self/status | cut -f2") { request in
                request.process.execCPUAffinity = affinity
            }
        }
        let last = sysconf(Int32(_SC_NPROCESSORS_ONLN)) - 1
        #expect(try cpus(.init(final: "\(last)")).lines == ["\(last)"])
        #expect(try cpus(.init(initial: "\(last)", final: "0")).lines == ["0"])
        #expect(try cpus(.init(initial: "\(last)")).lines == ["\(last)"])
        let error = try owner.failure(["/bin/true"]) { $0.process.execCPUAffinity = .init(final: "4000-4001") }
        #expect("\(error)".hasPrefix("CPUs 4000-4001: "), "\(error)")
        for odd in ["", "1-", "-1", "2-1", "a", "1,,2", "99999", "1 "] {
            let error = try owner.failure(["/bin/true"]) { $0.process.execCPUAffinity = .init(final: odd) }
            #expect("\(error)" == "the CPUs \"\(odd)\": not a list such as 0-2,7")
        }
    }

    @Test func areRefusedByName() throws {
        func message(_ change: @escaping (inout Spec) -> Void) throws -> String {
            "\(try ContainerFixture().failure(["true"]) { change(&$0.spec) })"
        }
        #expect(
            try message { $0.process.scheduler = .init(policy: "SCHED_X") } == "scheduler: there is no policy SCHED_X")
        #expect(
            try message { spec in
                var scheduler = Spec.Scheduler(policy: "SCHED_OTHER")
                scheduler.flags = ["SCHED_FLAG_X"]
                spec.process.scheduler = scheduler
            } == "scheduler: there is no flag SCHED_FLAG_X")
        #expect(try message { $0.process.scheduler = .init(policy: "SCHED_RR") }.contains("it is 1 to 99"))
        #expect(
            try message { $0.process.ioPriority = .init(class: "IOPRIO_CLASS_X", priority: 1) }
                == "ioPriority: there is no class IOPRIO_CLASS_X")
        #expect(
            try message { $0.process.ioPriority = .init(class: "IOPRIO_CLASS_BE", priority: .min) }
                .contains("is not between 0 and 7"))
        #expect(
            try message { $0.linux.personality = .init(domain: "BSD") } == "personality: there is no domain BSD")
        #expect(
            try message { spec in
                spec.linux.personality = .init(domain: "LINUX")
                spec.linux.personality?.flags = ["READ_IMPLIES_EXEC"]
            } == "personality: there is no flag READ_IMPLIES_EXEC")
    }

    @Test func setNodesOfEveryKind() throws {
        let script = "stat -c '%F %a %u %g %t:%T' /run/deep/fifo /dev/mine /opt/node"
        let result = try ContainerFixture().shell(script) { request in
            var mine = Spec.Device(path: "/dev/mine", type: "c", major: 1, minor: 5, fileMode: 0o640)
            (mine.uid, mine.gid) = (5, 6)
            request.spec.linux.devices = [
                Spec.Device(path: "/run/deep/fifo", type: "p", major: 0, minor: 0, fileMode: 0o622), mine,
                Spec.Device(path: "/opt/node", type: "u", major: 1, minor: 7),
            ]
        }
        #expect(
            result.lines == [
                "fifo 622 0 0 0:0", "character special file 640 5 6 1:5", "character special file 666 0 0 1:7",
            ], "\(result)")
    }
}

/// Labels: what is written where, decided from what the host is like.
@Suite struct LabelPlanTests {
    private func plan(
        _ modules: SecurityModules, _ change: (inout Spec) -> Void
    ) throws(RuntimeError) -> [String] {
        var spec = Spec(process: Spec.Process(args: ["sh"]), root: Spec.Root(path: "rootfs"))
        spec.linux.namespaces = [Spec.Namespace(.mount)]
        change(&spec)
        let request = LaunchRequest(
            id: "id", spec: spec, rootfs: RootfsMount(directory: "/bundle/rootfs", readOnly: false))
        var host = HostFacts(cgroups: nil)
        host.modules = modules
        return try Launcher.plan(request, host: host).description.split(separator: "\n").map(String.init)
    }

    private func error(_ modules: SecurityModules, _ change: (inout Spec) -> Void) -> String {
        do throws(RuntimeError) {
            return try plan(modules, change).joined(separator: "\n")
        } catch {
            return "\(error)"
        }
    }

    @Test func appArmor() throws {
        let on = SecurityModules(appArmor: "/proc/self/attr/apparmor/exec")
        let lines = try plan(on) { $0.process.apparmorProfile = "docker-default" }
        #expect(lines[1] == "$label = open host:/proc/self/attr/apparmor/exec")
        let written = try #require(lines.firstIndex(of: "label exec docker-default"))
        let lowered = try #require(lines.firstIndex { $0.hasPrefix("capabilities bounding") })
        #expect(written < lowered)
        #expect(try plan(on) { $0.process.apparmorProfile = "unconfined" }.contains("label exec unconfined"))
        #expect(
            try !plan(SecurityModules()) { $0.process.apparmorProfile = "unconfined" }.contains {
                $0.hasPrefix("label")
            })
        #expect(
            error(SecurityModules()) { $0.process.apparmorProfile = "docker-default" }
                == "the AppArmor profile docker-default: AppArmor is not enabled on this host")
    }

    @Test func selinux() throws {
        let label = "system_u:system_r:container_t:s0:c1,c2"
        let on = SecurityModules(hasSELinux: true)
        let lines = try plan(on) { spec in
            spec.process.selinuxLabel = label
            spec.linux.mountLabel = label
            spec.mounts = [
                Spec.Mount(destination: "/proc", type: "proc", source: "proc"),
                Spec.Mount(destination: "/tmp", type: "tmpfs", source: "tmpfs"),
            ]
        }
        #expect(lines.contains("label \(label)") && lines[1] == "$label = open host:/proc/self/attr/exec")
        #expect(lines.contains { $0.hasPrefix("$mount1 = new tmpfs") && $0.hasSuffix("context=\(label)") })
        #expect(lines.contains("$proc = new proc source=proc"))
        #expect(
            error(SecurityModules()) { $0.process.selinuxLabel = label }
                == "the SELinux label \(label) of the process: SELinux is not enabled on this host")
        #expect(
            error(SecurityModules()) { $0.linux.mountLabel = label }
                == "the SELinux label \(label) of the mounts: SELinux is not enabled on this host")
        #expect(!error(SecurityModules()) { $0.linux.mountLabel = "" }.contains("SELinux"))
    }
}

/// The label's file must be one of a procfs, whatever lies in the place of the host's.
@Suite(.enabled(if: ContainerFixture.isPossible, ContainerFixture.requirement))
struct LabelTests {
    @Test("R5: a label is written to a procfs and to nothing else")
    func goesToAProcfs() throws {
        let fixture = try ContainerFixture()
        try fixture.scratch.file("attr", "")
        var host = HostFacts.current()
        host.modules = SecurityModules(appArmor: fixture.scratch("attr"))
        let request = try fixture.request(["/bin/true"]) { $0.spec.process.apparmorProfile = "profile" }
        do throws(RuntimeError) {
            let process = try Launcher.start(try Launcher.plan(request, host: host))
            Issue.record("started")
            _ = try? Pidfd.wait(process.pidfd.raw)
        } catch {
            #expect("\(error)".contains("verify: invalid argument (EINVAL)"), "\(error)")
        }
        let written = try File.readAll(fixture.scratch("attr"), limit: 10)
        #expect(written.isEmpty)
    }
}
