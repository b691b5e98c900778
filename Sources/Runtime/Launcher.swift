internal import CInit
package import Cgroups
internal import Glibc
internal import OCI
internal import Sys

/// Compiles launches and carries them out.
package enum Launcher {
    /// Decides everything about a launch; changes nothing.
    package static func plan(
        _ request: LaunchRequest, host: HostFacts = .current()
    ) throws(RuntimeError) -> LaunchPlan {
        var host = host
        if host.modules == nil, request.spec.asksForLabels { host.modules = .current() }
        return try PlanCompiler.compile(request, host: host)
    }

    /// Decides everything about a further process; changes nothing.
    package static func plan(
        _ request: ExecRequest, modules: SecurityModules? = nil
    ) throws(RuntimeError) -> LaunchPlan {
        if let external = request.external { return try ExternalCompiler.compile(request, external) }
        return try ExecCompiler.compile(
            request, modules: modules ?? (request.process.asksForLabels ? .current() : SecurityModules()))
    }

    /// Runs a plan up to the exec of the user's command. The child starts inside `cgroup`; `beforeRelease` gets the pidfd
    /// of the container's first process while that waits, for what only the parent can do (network). On any failure the
    /// child is killed and reaped, and with it go its mounts and namespaces.
    ///
    /// A plan with `diesWithParent` must be started on a thread that lives as long as the container should (prctl(2),
    /// PR_SET_PDEATHSIG).
    ///
    /// `joining` are the pidfds of the processes that the plan's `owners` name: for a further process the container's
    /// first, else those of the containers whose namespaces are shared.
    ///
    /// `listener` gets the listener of the plan's filter, before the command is executed.
    package static func start(
        _ plan: LaunchPlan, cgroup: Cgroup? = nil, joining targets: [Int32] = [],
        beforeRelease: (Int32) throws(RuntimeError) -> Void = { _ in },
        listener: SeccompListener.Handover = SeccompListener.refuse
    ) throws(RuntimeError) -> RunningProcess {
        var monitor: StartingMonitor?
        return try start(plan, cgroup, targets, &monitor, nil, listener, beforeRelease)
    }

    /// As `start`, with a monitor as the container's parent, which outlives the caller. The child notes its times in
    /// `clock`, if any.
    package static func start(
        _ plan: LaunchPlan, cgroup: Cgroup, joining targets: [Int32] = [], monitor launch: MonitorLaunch,
        clock: LaunchClock? = nil,
        beforeRelease: (Int32) throws(RuntimeError) -> Void = { _ in },
        listener: SeccompListener.Handover = SeccompListener.refuse
    ) throws(RuntimeError) -> MonitoredProcess {
        var monitor: StartingMonitor? = try StartingMonitor(launch, takesOrphans: plan.external != nil)
        let process = try start(plan, cgroup, targets, &monitor, clock, listener, beforeRelease)
        guard let monitor = monitor.take() else { throw .lostChild("it has no monitor") }
        return MonitoredProcess(
            process: process, control: monitor.running(), isSuccessor: plan.isFollowed)
    }

    /// What the stub of a held container wrote when it could not execute `command`.
    package static func heldFailure(_ bytes: [UInt8], command: String) -> RuntimeError {
        let size = MemoryLayout<cinit_report>.size
        if bytes.count < size { return .lostChild("a report of \(bytes.count) bytes") }
        let report = bytes.withUnsafeBytes { $0.loadUnaligned(as: cinit_report.self) }
        return LaunchFailure.exec(
            report.call, Errno(rawValue: report.error), path: String(decoding: bytes[size...], as: UTF8.self),
            command: command)
    }

    private static func start(
        _ plan: LaunchPlan, _ cgroup: Cgroup?, _ targets: [Int32], _ monitor: inout StartingMonitor?,
        _ clock: LaunchClock?, _ listener: SeccompListener.Handover,
        _ beforeRelease: (Int32) throws(RuntimeError) -> Void
    ) throws(RuntimeError) -> RunningProcess {
        if targets.count != plan.parent.owners.count {
            throw .invalid("\(targets.count) processes for the \(plan.parent.owners.count) that the plan joins")
        }
        let terminal = try plan.external?.listenForTerminal()
        if plan.external != nil, monitor == nil { try Launcher.takeInOrphans() }
        // Another runtime moves what it makes, and not itself.
        let joined = plan.external == nil ? cgroup : nil
        var child = try StartingChild(plan, cgroup: joined, joining: targets, monitor: &monitor, clock: clock)
        do throws(RuntimeError) {
            try plan.parent.take(for: child.pid)
            if plan.hasHooks {
                if plan.makesUserNamespace { try child.release() }
                try child.awaitHooks(plan)
            }
            if !plan.isFollowed { try beforeRelease(child.pidfd) }
            try child.release()
        } catch {
            // What the child says is the cause, ours the consequence.
            throw child.reportedFailure(plan) ?? error
        }
        try child.awaitExec(plan, listener, beforeRelease)
        if let external = plan.external {
            try child.follow(external, terminal: terminal)
            try beforeRelease(child.pidfd)
            try external.start()
        }
        return child.running()
    }
}

extension Launcher {
    /// What another runtime leaves behind becomes our child (PR_SET_CHILD_SUBREAPER); with a monitor it becomes that's.
    fileprivate static func takeInOrphans() throws(RuntimeError) {
        do throws(Errno) {
            try ChildProcesses.takeInOrphans()
        } catch {
            throw .system(operation: "prctl", subject: "PR_SET_CHILD_SUBREAPER", error)
        }
    }
}

extension LaunchPlan.ParentSteps {
    fileprivate func take(for pid: pid_t) throws(RuntimeError) {
        if let oomScoreAdj { try write("\(oomScoreAdj)", to: "/proc/\(pid)/oom_score_adj") }
        for limit in limits { raise(limit, of: pid) }
        if deniesGroups { try write("deny", to: "/proc/\(pid)/setgroups") }
        if !uidMappings.isEmpty { try write(Spec.IDMapping.lines(uidMappings), to: "/proc/\(pid)/uid_map") }
        if !gidMappings.isEmpty { try write(Spec.IDMapping.lines(gidMappings), to: "/proc/\(pid)/gid_map") }
    }

    /// The hard limit alone: the child sets both once it has what it needs, and says what it may not.
    private func raise(_ limit: ResourceLimit, of pid: pid_t) {
        let resource = __rlimit_resource(limit.resource)
        var current = rlimit()
        guard prlimit(pid, resource, nil, &current) == 0, UInt64(current.rlim_max) < limit.hard else { return }
        current.rlim_max = rlim_t(limit.hard)
        _ = prlimit(pid, resource, &current, nil)
    }

    private func write(_ text: String, to path: String) throws(RuntimeError) {
        do throws(Errno) {
            let file = try File.open(path, O_WRONLY)
            try File.write(file.raw, text)
            try file.close()
        } catch {
            throw .system(operation: "write", subject: path, error)
        }
    }
}
