internal import Glibc
internal import OCI

/// Compiles a further process into the operations of its launch. Pure, as `PlanCompiler`.
///
/// The order is what protects it: the cgroup comes first, before anything of the container is looked at; the namespaces
/// are joined at once; and the pid namespace is entered last, by the stub, when nothing of the host is left that the
/// container's processes could take from it (CVE-2016-9962).
enum ExecCompiler {
    static func compile(_ request: ExecRequest, modules: SecurityModules) throws(RuntimeError) -> LaunchPlan {
        // Until it has been replaced it may go with its parent in any case.
        var steps = ProcessSteps(
            id: request.id, process: request.process, seccomp: request.seccomp, stdio: request.stdio,
            diesWithParent: true, keepsGroups: request.keepsGroups)
        steps.passed = request.passed
        steps.executable = request.executable
        steps.newKeyring = request.newKeyring
        steps.personality = request.personality
        steps.modules = modules
        steps.hasSuccessor = true
        if request.joinsUserNamespace, request.process.user.additionalGids.isEmpty { steps.keepsGroups = true }
        try steps.check()
        let process = request.process
        let root = Slot(index: 0, name: "root")
        var ops: [PlanOp] = []
        var label: Slot?
        if let file = try modules.label(process)?.file {
            let opened = Slot(index: 3, name: "label")
            ops.append(.open(opened, .host(file), flags: O_WRONLY, []))
            label = opened
        }
        ops += try joinCgroup(process.execCPUAffinity) + [.join(root, namespaces(request))]
        // What it makes, its terminal above all, is to be owned by somebody who is there.
        if request.joinsUserNamespace { ops.append(.becomeRoot) }
        var terminal: Slot?
        var null: Slot?
        if process.terminal {
            terminal = Slot(index: 1, name: "terminal")
            ops += makeTerminal(Slot(index: 1, name: "terminal"), process, root)
        } else if min(request.stdio.input, request.stdio.output, request.stdio.error) < 0 {
            let slot = Slot(index: 1, name: "stdnull")
            ops.append(.nullDevice(slot, .within(root, "/dev/null"), flags: O_RDWR))
            null = slot
        }
        ops.append(.workDirectory(.within(root, process.cwd)))
        ops.append(.awaitRelease)
        ops += try steps.ops(terminal: terminal, controlling: false, null: null, label: label)
        return try plan(request, ops, steps)
    }

    /// Before it, the CPUs may be ones that the cgroup does not have; then joining gives it the cgroup's.
    private static func joinCgroup(_ affinity: Spec.CPUAffinity?) throws(RuntimeError) -> [PlanOp] {
        var ops: [PlanOp] = []
        if let cpus = affinity?.initial { ops.append(.affinity(try CPUList(cpus), tolerant: true)) }
        ops.append(.joinCgroup)
        if let cpus = affinity?.final { ops.append(.affinity(try CPUList(cpus), tolerant: false)) }
        return ops
    }

    private static func namespaces(_ request: ExecRequest) -> NamespaceFlags {
        var flags: NamespaceFlags = [.mount, .uts, .ipc, .network, .cgroup, .pid]
        flags.subtract(request.hosts)
        if request.joinsUserNamespace { flags.formUnion(.user) }
        if request.joinsTimeNamespace { flags.formUnion(.time) }
        return flags
    }

    /// A new terminal of the container's own devpts, never the caller's.
    private static func makeTerminal(_ terminal: Slot, _ process: Spec.Process, _ root: Slot) -> [PlanOp] {
        let devpts = Slot(index: 2, name: "pts")
        let size = process.consoleSize
        return [
            .open(devpts, .within(root, "/dev/pts"), flags: PlanCompiler.pathOnlyDirectory, []),
            .pty(
                terminal, devpts: devpts, rows: size?.height ?? 0, columns: size?.width ?? 0, owner: process.user.uid),
        ]
    }

    private static func plan(
        _ request: ExecRequest, _ ops: [PlanOp], _ steps: ProcessSteps
    ) throws(RuntimeError) -> LaunchPlan {
        let process = request.process
        let mode = StubMode.enter(
            terminal: process.terminal, diesWithParent: request.diesWithParent, isFile: request.executable != nil)
        var parent = LaunchPlan.ParentSteps()
        parent.oomScoreAdj = process.oomScoreAdj
        parent.owners = [request.id]
        parent.seccompListener = try steps.listener()
        if request.joinsUserNamespace { parent.limits = try steps.limits() }
        let buffer = try PlanEncoder.encode(
            ops, clone: [], arguments: steps.arguments(mode), environment: process.env)
        return LaunchPlan(
            id: request.id, cloneFlags: [], ops: ops, stub: mode, arguments: process.args, environment: process.env,
            hasTerminal: process.terminal, parent: parent, buffer: buffer)
    }
}
