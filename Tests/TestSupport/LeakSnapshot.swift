internal import Glibc
internal import Sys

/// What a finished command may not leave behind. Other tests run at the same time, so each thing is tied to ours: by the
/// data root's path where a mount, process, lock or loop device shows it, by a network namespace of the test's own, else
/// by having nobody who could belong to another test.
package struct LeakSnapshot: Sendable {
    package enum Scope: Sendable {
        /// What can be tied to the data root.
        case dataRoot
        /// Also what only the whole machine can tell: pseudo-terminals and keys in use. Other tests come and go, so this
        /// asks for patience.
        case machine
    }

    private let root: String
    private let scope: Scope
    private let network: PrivateNetwork?
    private let before: State
    private let store: TreeListing?

    /// Everything that is compared by name, with the words for it.
    struct State: Sendable {
        var cgroups: Set<String> = []
        var network: Set<String> = []
        var namespaces: Set<String> = []
        var runDirectories: Set<String> = []
        var terminals = 0
        var keys = 0
    }

    /// `root` is the data root, whose tree is compared with its modes, owners and bytes. `network` is where the test's
    /// commands run when they have a network namespace of their own: then its addresses, routes, neighbours and
    /// filter rules are compared in full.
    package init(dataRoot root: String, scope: Scope = .dataRoot, network: PrivateNetwork? = nil) throws {
        self.root = root
        self.scope = scope
        self.network = network
        LeakSnapshot.awaitDeletion(root)
        before = try LeakSnapshot.state(root, scope, network)
        store = File.exists(root) ? try TreeListing(root, .contents) : nil
    }

    /// Lines that say what is there now and was not; empty after a clean end. What only lingers for a moment is given
    /// `seconds` to go.
    package func leaks(seconds: Double = 3, ignoringStore: Bool = false) throws -> [String] {
        var found: [String] = []
        _ = try Wait.until(seconds: seconds) {
            found = try current(ignoringStore: ignoringStore)
            return found.isEmpty
        }
        return found
    }

    /// What was removed a moment ago may be deleted behind the command that did.
    private static func awaitDeletion(_ root: String) {
        _ = Wait.until(seconds: 4) {
            !((try? Directory.entries("\(root)/tmp")) ?? []).contains { $0.name.hasPrefix("removed-") }
        }
    }

    private static func state(_ root: String, _ scope: Scope, _ network: PrivateNetwork?) throws -> State {
        var state = State()
        state.cgroups = cgroupDirectories()
        state.network = try networkState(network)
        state.namespaces = namedNamespaces()
        state.runDirectories = runEntries(of: root)
        if scope == .machine {
            state.terminals = terminalsInUse()
            state.keys = keysInUse()
        }
        return state
    }

    private func current(ignoringStore: Bool) throws -> [String] {
        let now = try LeakSnapshot.state(root, scope, network)
        var lines = LeakSnapshot.users(of: root)
        // A cgroup with processes is some other test's container at work, unless a process of ours is in it (above).
        lines += now.cgroups.subtracting(before.cgroups).filter(LeakSnapshot.isAbandoned).sorted()
            .map { "cgroup \($0)" }
        lines += now.network.subtracting(before.network).sorted().map { "network \($0)" }
        lines += before.network.subtracting(now.network).sorted().map { "network lost \($0)" }
        lines += now.namespaces.subtracting(before.namespaces).sorted().map { "namespace \($0)" }
        lines += LeakSnapshot.loopDevices(below: root).map { "loop device of \($0)" }
        lines += now.runDirectories.subtracting(before.runDirectories).sorted().map { "run directory \($0)" }
        lines += LeakSnapshot.locks(below: [root] + now.runDirectories)
        if now.terminals > before.terminals {
            lines.append("pseudo-terminals in use: \(now.terminals), were \(before.terminals)")
        }
        if now.keys > before.keys { lines.append("keys in use: \(now.keys), were \(before.keys)") }
        if !ignoringStore, let store {
            LeakSnapshot.awaitDeletion(root)
            // What happened is told there, and stays.
            lines += try TreeListing(root, .contents).without("events.log").differences(
                from: store.without("events.log")
            ).map { "store: \($0)" }
        }
        return lines
    }
}
