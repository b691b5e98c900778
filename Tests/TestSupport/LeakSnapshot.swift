internal import Glibc
internal import Sys

/// What a finished command may not leave behind. Other tests run at the same time, so each thing is tied to ours: by the
/// data root's path where a mount or process shows it, else by having nobody who could belong to another test.
package struct LeakSnapshot: Sendable {
    private let root: String
    private let cgroups: Set<String>
    private let links: Set<String>
    private let namespaces: Set<String>
    private let store: TreeListing?
    private let runDirectory: Set<String>

    /// `root` is the data root, whose tree is compared except for `volatile`: names of directories that may be made
    /// once and stay.
    package init(dataRoot root: String) throws {
        self.root = root
        cgroups = LeakSnapshot.cgroupDirectories()
        links = try LeakSnapshot.networkLinks()
        namespaces = LeakSnapshot.namedNamespaces()
        store = File.exists(root) ? try TreeListing(root, .contents) : nil
        runDirectory = LeakSnapshot.runEntries(of: root)
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

    private func current(ignoringStore: Bool) throws -> [String] {
        var lines = LeakSnapshot.users(of: root)
        // A cgroup with processes is some other test's container at work, unless a process of ours is in it (above).
        lines += LeakSnapshot.cgroupDirectories().subtracting(cgroups).filter(LeakSnapshot.isAbandoned).sorted()
            .map { "cgroup \($0)" }
        lines += try LeakSnapshot.networkLinks().subtracting(links).sorted().map { "network link \($0)" }
        lines += LeakSnapshot.namedNamespaces().subtracting(namespaces).sorted().map { "namespace \($0)" }
        lines += LeakSnapshot.loopDevices(below: root).map { "loop device of \($0)" }
        lines += LeakSnapshot.runEntries(of: root).subtracting(runDirectory).sorted().map { "run directory \($0)" }
        if !ignoringStore, let store {
            lines += try TreeListing(root, .contents).differences(from: store).map { "store: \($0)" }
        }
        return lines
    }

    /// Processes that were started for the data root or have mounts of it, whatever namespace they are in.
    private static func users(of root: String) -> [String] {
        var lines: Set<String> = []
        for entry in (try? Directory.entries("/proc")) ?? [] {
            guard let pid = Int32(entry.name), pid != getpid() else { continue }
            let command = text("/proc/\(pid)/cmdline").replacing("\0", with: " ")
            if command.contains(root) { lines.insert("process \(pid): \(command)") }
            if text("/proc/\(pid)/mountinfo").contains(root) { lines.insert("mounts of process \(pid): \(command)") }
        }
        for mount in Scratch.mounts(below: root) { lines.insert("mount \(mount)") }
        return lines.sorted()
    }

    /// Directories of all hierarchies that have a part named after us.
    private static func cgroupDirectories() -> Set<String> {
        var result: Set<String> = []
        var waiting = ["/sys/fs/cgroup"]
        while let next = waiting.popLast() {
            for entry in (try? Directory.entries(next)) ?? [] where entry.type == UInt8(DT_DIR) {
                let path = "\(next)/\(entry.name)"
                if path.contains("runimg") { result.insert(path) }
                waiting.append(path)
            }
        }
        return result
    }

    private static func isAbandoned(_ cgroup: String) -> Bool {
        guard File.exists(cgroup), text("\(cgroup)/cgroup.procs").isEmpty else { return false }
        let below = (try? Directory.entries(cgroup)) ?? []
        let parts = cgroup.split(separator: "/")
        // The parent that all containers share may stay.
        if parts.last == "runimg" { return false }
        // Somebody's next command removes it: another test's container that was killed. Ours shows by its entry.
        if let id = parts.last, File.exists("/run/runimg/\(id)") { return false }
        return below.allSatisfy { $0.type != UInt8(DT_DIR) || isAbandoned("\(cgroup)/\($0.name)") }
    }

    private static func networkLinks() throws -> Set<String> {
        Set(try Directory.entries("/sys/class/net").map(\.name))
    }

    private static func namedNamespaces() -> Set<String> {
        Set(((try? Directory.entries("/run/netns")) ?? []).map { "netns \($0.name)" })
    }

    private static func loopDevices(below root: String) -> [String] {
        ((try? Directory.entries("/sys/block")) ?? []).filter { $0.name.hasPrefix("loop") }
            .map { text("/sys/block/\($0.name)/loop/backing_file") }.filter { $0.contains(root) }
    }

    /// The directories below /run/runimg that serve containers of the data root.
    private static func runEntries(of root: String) -> Set<String> {
        let entries = (try? Directory.entries("/run/runimg")) ?? []
        let ours =
            entries.filter { text("/run/runimg/\($0.name)/state.json").contains(root.replacing("/", with: "\\/")) }
            + entries.filter { text("/run/runimg/\($0.name)/state.json").contains(root) }
        return Set(ours.map { "/run/runimg/\($0.name)" })
    }

    private static func text(_ path: String) -> String {
        guard let bytes = try? File.readAll(path, limit: 16 << 20) else { return "" }
        return String(decoding: bytes, as: UTF8.self)
    }
}
