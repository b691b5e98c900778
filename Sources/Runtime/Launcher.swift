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
        try PlanCompiler.compile(request, host: host)
    }

    /// Decides everything about a further process; changes nothing.
    package static func plan(_ request: ExecRequest) throws(RuntimeError) -> LaunchPlan {
        try ExecCompiler.compile(request)
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
    package static func start(
        _ plan: LaunchPlan, cgroup: Cgroup? = nil, joining targets: [Int32] = [],
        beforeRelease: (Int32) throws(RuntimeError) -> Void = { _ in }
    ) throws(RuntimeError) -> RunningProcess {
        var monitor: StartingMonitor?
        return try start(plan, cgroup, targets, &monitor, beforeRelease)
    }

    /// As `start`, with a monitor as the container's parent, which outlives the caller.
    package static func start(
        _ plan: LaunchPlan, cgroup: Cgroup, joining targets: [Int32] = [], monitor launch: MonitorLaunch,
        beforeRelease: (Int32) throws(RuntimeError) -> Void = { _ in }
    ) throws(RuntimeError) -> MonitoredProcess {
        var monitor: StartingMonitor? = try StartingMonitor(launch)
        let process = try start(plan, cgroup, targets, &monitor, beforeRelease)
        guard let monitor = monitor.take() else { throw .lostChild("it has no monitor") }
        return MonitoredProcess(
            process: process, control: monitor.running(), isSuccessor: plan.hasSuccessor)
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
        _ beforeRelease: (Int32) throws(RuntimeError) -> Void
    ) throws(RuntimeError) -> RunningProcess {
        if targets.count != plan.parent.owners.count {
            throw .invalid("\(targets.count) processes for the \(plan.parent.owners.count) that the plan joins")
        }
        var child = try StartingChild(plan, cgroup: cgroup, joining: targets, monitor: &monitor)
        do throws(RuntimeError) {
            try plan.parent.take(for: child.pid)
            if plan.hasHooks {
                if plan.makesUserNamespace { try child.release() }
                try child.awaitHooks(plan)
            }
            if !plan.hasSuccessor { try beforeRelease(child.pidfd) }
            try child.release()
        } catch {
            // What the child says is the cause, ours the consequence.
            throw child.reportedFailure(plan) ?? error
        }
        try child.awaitExec(plan, beforeRelease)
        return child.running()
    }
}

extension LaunchPlan.ParentSteps {
    fileprivate func take(for pid: pid_t) throws(RuntimeError) {
        if let oomScoreAdj { try write("\(oomScoreAdj)", to: "/proc/\(pid)/oom_score_adj") }
        if !uidMappings.isEmpty { try write(lines(uidMappings), to: "/proc/\(pid)/uid_map") }
        if !gidMappings.isEmpty { try write(lines(gidMappings), to: "/proc/\(pid)/gid_map") }
    }

    private func lines(_ mappings: [Spec.IDMapping]) -> String {
        mappings.map { "\($0.containerID) \($0.hostID) \($0.size)\n" }.joined()
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
