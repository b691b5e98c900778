internal import Glibc
internal import OCI

/// Compiles what leads to a container of another runtime: a process that mounts the root where only it and its children
/// see it, and becomes that runtime. Pure, as `PlanCompiler`.
extension PlanCompiler {
    mutating func handOver(to process: ExternalProcess) throws(RuntimeError) -> LaunchPlan {
        var borrowed: [(Slot, String)] = []
        for (destination, target) in request.borrowed.sorted(by: { $0.key < $1.key }) {
            let copy = try slot("shared\(borrowed.count)")
            ops.append(.borrow(copy, target: target, path: destination, isProc: false))
            borrowed.append((copy, process.runtime.place(of: destination)))
        }
        // What the host unmounts later goes here, too; what is mounted here shows nowhere else.
        ops.append(.makeMountsSlaves)
        for (copy, place) in borrowed { ops.append(.attach(copy, .host(place), [])) }
        try mountRoot()
        ops.append(.awaitRelease)
        return try ExternalCompiler.plan(
            process, stdio: request.stdio, clone: [.mount], after: ops, slots: slots,
            owners: request.shared.map(\.owner))
    }
}

enum ExternalCompiler {
    /// A further process.
    static func compile(_ request: ExecRequest, _ process: ExternalProcess) throws(RuntimeError) -> LaunchPlan {
        if request.process.args.isEmpty { throw .invalid("no command specified") }
        return try plan(process, stdio: request.stdio, clone: [], after: [.awaitRelease], slots: 0)
    }

    fileprivate static func plan(
        _ process: ExternalProcess, stdio: StandardIO, clone: NamespaceFlags, after first: [PlanOp], slots: Int,
        owners: [String] = []
    ) throws(RuntimeError) -> LaunchPlan {
        // The runtime makes the terminal; its own three descriptors are nobody's then.
        let stdio = process.hasTerminal ? StandardIO() : stdio
        let null = Slot(index: Int16(slots), name: "stdnull")
        let ops =
            first + [
                .changeDirectory(process.directory), .nullDevice(null, .host("/dev/null"), flags: O_RDWR),
                .stdio(stdio, null: null, owner: 0), .sealDescriptors(PassedDescriptors()),
                // Half a container is not left to anybody.
                .parentDeath(signal: SIGKILL), .exec,
            ]
        let environment = ExternalProcess.environment
        var parent = LaunchPlan.ParentSteps()
        parent.owners = owners
        let arguments = ["runimg-init", StubMode.replace.argument, ""] + process.commandLine
        let buffer = try PlanEncoder.encode(ops, clone: clone, arguments: arguments, environment: environment)
        return LaunchPlan(
            id: process.runtime.id, cloneFlags: clone, ops: ops, stub: .replace, arguments: process.commandLine,
            environment: environment, hasTerminal: false, parent: parent, buffer: buffer,
            external: process)
    }
}
