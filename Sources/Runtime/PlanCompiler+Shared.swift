internal import OCI

/// What a container has in common with others.
extension PlanCompiler {
    /// Which of the processes the pid namespace is of.
    var pidOwner: Int? { request.shared.firstIndex { $0.kinds.contains(.pid) } }

    func checkShared(_ own: [Spec.Namespace.Kind]) throws(RuntimeError) {
        if request.shared.count > 4 { throw .invalid("the spec joins namespaces of more than four processes") }
        var kinds = own.reduce(into: NamespaceFlags()) { $0.formUnion(NamespaceFlags($1)) }
        for shared in request.shared {
            if !shared.kinds.isSubset(of: [.pid, .ipc, .uts, .network]) || shared.kinds.isEmpty {
                throw .invalid("only pid, IPC, UTS and network namespaces can be shared, not \(shared.kinds)")
            }
            if !kinds.isDisjoint(with: shared.kinds) {
                throw .invalid("the spec names the \(kinds.intersection(shared.kinds)) namespace twice")
            }
            kinds.formUnion(shared.kinds)
        }
    }

    /// A procfs shows the pid namespace that it is made in, and ours is entered only when nothing can be mounted any
    /// more: it comes from a process that is in it. Copied as other sources are, before the image's tree is in the view.
    mutating func borrow(_ mounts: [ClassifiedMount]) throws(RuntimeError) {
        for (index, mount) in mounts.enumerated() where mount.kind == .filesystem {
            let isProc = mount.type == "proc"
            guard let target = isProc ? pidOwner : request.borrowed[mount.destination] else { continue }
            let copy = try slot(isProc ? "proc" : "shared\(index)")
            keep(copy, asSourceOf: index)
            ops.append(
                .borrow(copy, target: target, path: isProc ? "/proc" : mount.destination, isProc: isProc))
            ops.append(
                .attributes(
                    copy, set: mount.options.all.set, clear: mount.options.all.clear,
                    mount.options.propagation ?? .private,
                    recursive: false))
        }
    }
}
