internal import CInit
internal import Glibc
internal import OCI
internal import Sys

/// What the parent makes ready before a clone, where the plan asks for it: namespaces that are joined by a process in
/// between, clocks, and mounts with other owners. Gone with the value; the child has its own of all.
struct LaunchPreparation: ~Copyable {
    private var descriptors: [Int32] = []
    private var between: UnsafeMutablePointer<cinit_between>?
    private var offsets: UnsafeMutablePointer<CChar>?

    init(_ parent: LaunchPlan.ParentSteps, _ arguments: inout cinit_start_arguments) throws(RuntimeError) {
        for source in parent.copied {
            let copy = try LaunchPreparation.copy(source)
            descriptors.append(copy)
            LaunchPreparation.set(&arguments.inherited, Int(arguments.inherited_count), copy)
            arguments.inherited_count += 1
        }
        if parent.joins.isEmpty, parent.timeOffsets == nil { return }
        if parent.joins.count > Int(CINIT_MAX_JOINED) { throw .invalid("the spec joins too many namespaces") }
        for join in parent.joins {
            let file = try LaunchPreparation.open(join)
            descriptors.append(file)
            let index = Int(arguments.joined_count)
            LaunchPreparation.set(&arguments.joined, index, file)
            LaunchPreparation.set(
                &arguments.joined_kinds, index, Int32(truncatingIfNeeded: NamespaceFlags(join.kind).rawValue))
            arguments.joined_count += 1
        }
        between = cinit_make_between()
        if between == nil { throw .system(operation: "mmap", subject: "for the process that joins", Errno.current) }
        arguments.between = between
        if let text = parent.timeOffsets {
            offsets = strdup(text)
            arguments.time_offsets = UnsafePointer(offsets)
        }
    }

    deinit {
        for descriptor in descriptors { _ = Glibc.close(descriptor) }
        free(offsets)
        if let between { cinit_drop_between(between) }
    }

    /// What was being done when the clone failed, if it was not the clone itself.
    borrowing func obstacle(_ parent: LaunchPlan.ParentSteps) -> String? {
        guard let between else { return nil }
        let stage = Int(between.pointee.stage)
        if stage == Int(CINIT_STAGE_CLOCKS) { return "set the clocks of the new time namespace" }
        if !parent.joins.indices.contains(stage) { return nil }
        return "join the \(parent.joins[stage].kind) namespace \(parent.joins[stage].path)"
    }

    private static func set<T>(_ array: inout T, _ index: Int, _ value: Int32) {
        withUnsafeMutableBytes(of: &array) { bytes in
            bytes.storeBytes(of: value, toByteOffset: index * MemoryLayout<Int32>.size, as: Int32.self)
        }
    }

    private static func open(_ join: JoinedNamespace) throws(RuntimeError) -> Int32 {
        do throws(Errno) {
            return try File.open(join.path, O_RDONLY).release()
        } catch {
            throw .system(operation: "open the \(join.kind) namespace", subject: join.path, error)
        }
    }

    private static func copy(_ source: CopiedSource) throws(RuntimeError) -> Int32 {
        let namespace = try self.namespace(of: source)
        defer { if namespace >= 0 { _ = Glibc.close(namespace) } }
        let copy = cinit_copy_mount(source.path, source.recursive ? 1 : 0, source.mapsBelow ? 1 : 0, namespace)
        if copy >= 0 { return copy }
        let errno = Errno(rawValue: -copy)
        if source.mapping == nil {
            throw .setup(step: "bind source path \(source.path)", detail: "open_tree: \(errno)", remedy: nil)
        }
        throw .setup(
            step: "bind \(source.path) with other owners (idmap)", detail: "\(errno)",
            remedy: errno == .invalid ? "its file system, or this kernel, can't map owners" : nil)
    }

    private static func namespace(of source: CopiedSource) throws(RuntimeError) -> Int32 {
        switch source.mapping {
        case nil: return -1
        case .namespace(let path): return try open(JoinedNamespace(.user, path: path))
        case .ids(let user, let group):
            let made = cinit_user_namespace(Spec.IDMapping.lines(user), Spec.IDMapping.lines(group))
            if made >= 0 { return made }
            throw .setup(
                step: "map the owners of \(source.path)",
                detail: "make a user namespace: \(Errno(rawValue: -made))", remedy: nil)
        }
    }
}
