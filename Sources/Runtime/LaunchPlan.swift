package import OCI

/// Everything that one launch does, decided: for the child the operations in order, for the parent what only it can do.
/// Printed, it is one operation a line.
package struct LaunchPlan: Sendable, Hashable, CustomStringConvertible {
    package let id: String
    /// Namespaces that clone3(2) makes; the cgroup namespace follows once the child is in its cgroup.
    package let cloneFlags: NamespaceFlags
    package let ops: [PlanOp]
    package let stub: StubMode
    package let arguments: [String]
    package let environment: [String]
    package let hasTerminal: Bool
    package let parent: ParentSteps
    /// All that the child is given, encoded: header, operations, argv, envp and every string with its NUL.
    package let buffer: [UInt8]
    /// Where the child becomes another runtime, and what that makes is to be followed.
    var external: ExternalProcess?

    /// Whether what is started is not the child but a process that comes after it.
    var isFollowed: Bool { hasSuccessor || external != nil }

    /// Whether the child stops for the parent's hooks, and says so.
    var hasHooks: Bool { ops.contains(.awaitHooks) }
    /// Whether the child first waits for the id maps.
    var makesUserNamespace: Bool { cloneFlags.contains(.user) }

    /// Whether it is told that all is made, and the command is executed later.
    var isHeld: Bool {
        if case .hold = stub { return true }
        return false
    }

    /// Whether it is told that the command was executed, since the socket stays open.
    var isEmulated: Bool { stub == .wrap }

    /// Whether the command is executed by a process that the cloned one makes.
    var hasSuccessor: Bool {
        if case .enter = stub { return true }
        return false
    }

    /// Whether it is one beside the first of a container.
    var isFurtherProcess: Bool { cloneFlags.isEmpty && hasSuccessor }

    /// What the parent does for the blocked child.
    package struct ParentSteps: Sendable, Hashable {
        /// Written to /proc/PID/oom_score_adj.
        package var oomScoreAdj: Int?
        package var uidMappings: [Spec.IDMapping] = []
        package var gidMappings: [Spec.IDMapping] = []
        /// A pid namespace to join before the clone.
        package var pidNamespace: String?
        /// All namespaces to join before the clone, where a process between does that; the one above is then among them.
        package var joins: [JoinedNamespace] = []
        /// For /proc/PID/timens_offsets of a new time namespace, which the process between then makes.
        package var timeOffsets: String?
        /// setgroups(2) is given up for the namespace, without which an ordinary user may write no gid_map.
        package var deniesGroups = false
        /// Bind sources, and the root, that the child inherits as mounts which nobody sees yet.
        package var copied: [CopiedSource] = []
        /// Hard limits that a user namespace has no right to raise.
        package var limits: [ResourceLimit] = []
        /// The Unix socket for the listener of the seccomp filter.
        package var seccompListener: String?
        /// Whose namespaces are joined, for messages: in the order of the descriptors that a start is given.
        package var owners: [String] = []
    }

    package var description: String {
        var lines = [cloneFlags.isEmpty ? "clone" : "clone \(cloneFlags)"]
        if let path = parent.pidNamespace { lines.insert("join pid namespace \(path)", at: 0) }
        lines.insert(contentsOf: earlyLines, at: 0)
        if let adjustment = parent.oomScoreAdj { lines.append("parent: oom_score_adj \(adjustment)") }
        lines += mappingLines("uid_map", parent.uidMappings) + mappingLines("gid_map", parent.gidMappings)
        for op in ops where op != .exec { lines.append(op.description) }
        lines += environment.map { "env \($0)" }
        lines.append("exec\(stub.text) \(arguments)")
        return lines.joined(separator: "\n") + "\n"
    }

    private var earlyLines: [String] {
        let clocks = (parent.timeOffsets ?? "").split(separator: "\n").map { "clock \($0)" }
        let copied = parent.copied.enumerated().map { "copy \($0) = \($1)" }
        return copied + clocks + parent.joins.map { "join \($0.kind) namespace \($0.path)" }
    }

    private func mappingLines(_ name: String, _ mappings: [Spec.IDMapping]) -> [String] {
        mappings.map { "parent: \(name) \($0.containerID) \($0.hostID) \($0.size)" }
    }
}
