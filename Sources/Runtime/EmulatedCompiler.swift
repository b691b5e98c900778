internal import Glibc
internal import OCI

/// Compiles a container's process, the first or a further one, for where there are no namespaces: a process of the caller's
/// own kind that becomes an emulator. Pure, as `PlanCompiler`.
enum EmulatedCompiler {
    static func compile(_ request: LaunchRequest, _ emulator: Emulator) throws(RuntimeError) -> LaunchPlan {
        let process = request.spec.process
        let steps = ProcessSteps(
            id: request.id, process: process, seccomp: nil, stdio: request.stdio,
            diesWithParent: request.diesWithParent, keepsGroups: true)
        try steps.check()
        try check(emulator)
        let root = Slot(index: 0, name: "host")
        var ops: [PlanOp] = [.joinCgroup, .open(root, .host("/"), flags: PlanCompiler.pathOnlyDirectory, [])]
        var terminal: Slot?
        var null: Slot?
        let other = Slot(index: 1, name: process.terminal ? "terminal" : "stdnull")
        if process.terminal {
            let size = process.consoleSize
            ops.append(.hostTerminal(other, rows: size?.height ?? 0, columns: size?.width ?? 0))
            terminal = other
        } else if min(request.stdio.input, request.stdio.output, request.stdio.error) < 0 {
            ops.append(.nullDevice(other, .within(root, "/dev/null"), flags: O_RDWR))
            null = other
        }
        ops += [.workDirectory(.within(root, "/")), .awaitRelease]
        ops += try steps.unprivilegedOps(terminal: terminal, null: null)
        let buffer = try PlanEncoder.encode(
            ops, clone: [], arguments: steps.arguments(emulator), environment: process.env.map(Emulator.hide))
        var parent = LaunchPlan.ParentSteps()
        parent.oomScoreAdj = process.oomScoreAdj
        return LaunchPlan(
            id: request.id, cloneFlags: [], ops: ops, stub: .wrap, arguments: process.args, environment: process.env,
            hasTerminal: process.terminal, parent: parent, buffer: buffer)
    }

    /// Its option takes two paths with a colon between.
    private static func check(_ emulator: Emulator) throws(RuntimeError) {
        for path in emulator.binds.flatMap({ [$0.source, $0.target] }) + [emulator.stub] where path.contains(":") {
            throw .invalid("\(path): \(Emulator.name) takes no path with a colon")
        }
    }
}
