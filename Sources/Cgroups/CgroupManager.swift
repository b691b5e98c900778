internal import Glibc
package import OCI
internal import Sys

/// Makes and finds cgroups by path in whatever hierarchies the machine has.
package struct CgroupManager: Sendable {
    package let layout: CgroupLayout

    package init(layout: CgroupLayout) { self.layout = layout }

    package static func detect() throws(CgroupError) -> CgroupManager {
        CgroupManager(layout: try CgroupLayout.detect())
    }

    /// Makes the cgroup `path` (`/runimg/ID`, below each hierarchy's root) in every hierarchy and applies `resources`.
    /// Limits that nothing here can enforce fail before anything is made; a failure half-way undoes what was made. An
    /// empty cgroup of that name, left by a killed process, is made anew; one with processes in it fails with EBUSY.
    package func create(path: String, resources: Spec.Resources) throws(CgroupError) -> Cgroup {
        let parts = try CgroupManager.components(of: path)
        let plan = try LimitPlan(resources, layout: layout)
        var made = Cgroup(path: "/" + parts.joined(separator: "/"), directories: [])
        do throws(CgroupError) {
            for hierarchy in layout.hierarchies {
                let directory = try CgroupManager.make(parts, in: hierarchy)
                made.directories.append(CgroupDirectory(path: directory, hierarchy: hierarchy))
            }
            try plan.apply(to: made.directories, parts: parts)
        } catch {
            // The first failure is the one to tell; what cannot be removed now is found by `open(path:)` later.
            try? made.remove()
            throw error
        }
        return made
    }

    /// The cgroup at `path` as far as it exists; nil when no hierarchy has it. For cleaning up after a dead process.
    package func open(path: String) throws(CgroupError) -> Cgroup? {
        let parts = try CgroupManager.components(of: path)
        var directories: [CgroupDirectory] = []
        for hierarchy in layout.hierarchies {
            let directory = ([hierarchy.mountPoint] + parts).joined(separator: "/")
            if File.exists(directory) { directories.append(CgroupDirectory(path: directory, hierarchy: hierarchy)) }
        }
        // Where there are no hierarchies to look in, every cgroup is there and has nothing.
        if directories.isEmpty, !layout.hierarchies.isEmpty { return nil }
        return Cgroup(path: "/" + parts.joined(separator: "/"), directories: directories)
    }

    /// The cgroup at `path`, wherever it is: to be ended, which takes none for one that has.
    package func place(path: String) throws(CgroupError) -> Cgroup {
        let parts = try CgroupManager.components(of: path)
        let directories = layout.hierarchies.map { hierarchy in
            CgroupDirectory(path: ([hierarchy.mountPoint] + parts).joined(separator: "/"), hierarchy: hierarchy)
        }
        return Cgroup(path: "/" + parts.joined(separator: "/"), directories: directories)
    }

    /// A path relative to the hierarchies' roots; a leading slash changes nothing, since a runtime may choose where a
    /// relative one starts (config-linux.md#cgroups-path).
    static func components(of path: String) throws(CgroupError) -> [String] {
        let parts = Path.parts(path)
        if parts.isEmpty { throw .path(path, reason: "it names the root") }
        for part in parts {
            if part == "." || part == ".." { throw .path(path, reason: "\"\(part)\" is not allowed in it") }
            if part.utf8.count > 255 { throw .path(path, reason: "a component is longer than 255 bytes") }
            // A cgroup whose name looks like a controller's file would clash with it; runc and systemd refuse these.
            if part.utf8.contains(0x0a) || part.utf8.contains(0) {
                throw .path(path, reason: "it has a newline or NUL in it")
            }
        }
        return parts
    }

    /// The leaf of `parts`, made with its parents; returns its path.
    static func make(_ parts: [String], in hierarchy: CgroupLayout.Hierarchy) throws(CgroupError) -> String {
        let leaf = ([hierarchy.mountPoint] + parts).joined(separator: "/")
        let isCpuset = !hierarchy.isUnified && hierarchy.controllers.contains("cpuset")
        do throws(Errno) {
            do throws(Errno) {
                try Directory.make(leaf, mode: 0o755)
            } catch .noEntry {
                try makeParents(parts.dropLast(), in: hierarchy)
                try Directory.make(leaf, mode: 0o755)
            } catch .exists {
                // rmdir fails with EBUSY while anything lives in it.
                try Directory.remove(leaf)
                try Directory.make(leaf, mode: 0o755)
            }
        } catch .busy {
            throw .inUse(leaf)
        } catch {
            throw .system(SystemFailure("make cgroup", leaf, error))
        }
        do throws(Errno) {
            if isCpuset { try Cpuset.fill(leaf) }
        } catch {
            // Nobody knows of it yet.
            try? Directory.remove(leaf)
            throw .system(SystemFailure("fill cgroup", leaf, error))
        }
        return leaf
    }

    private static func makeParents(
        _ parts: ArraySlice<String>, in hierarchy: CgroupLayout.Hierarchy
    ) throws(Errno) {
        var directory = hierarchy.mountPoint
        for part in parts {
            directory += "/" + part
            do throws(Errno) {
                try Directory.make(directory, mode: 0o755)
            } catch .exists {
                continue
            }
            // A v1 cpuset is born empty and nothing can join it; children of this one copy its sets instead.
            if !hierarchy.isUnified, hierarchy.controllers.contains("cpuset") {
                try Cpuset.fill(directory)
                try CgroupFile.write("1", to: "\(directory)/cgroup.clone_children")
            }
        }
    }
}

/// One hierarchy's part of a cgroup.
struct CgroupDirectory: Sendable {
    let path: String
    let hierarchy: CgroupLayout.Hierarchy

    /// The one below it in the same hierarchy, if it is there.
    func descendant(_ parts: [String]) -> CgroupDirectory? {
        let below = ([path] + parts).joined(separator: "/")
        return File.exists(below) ? CgroupDirectory(path: below, hierarchy: hierarchy) : nil
    }
}

/// Reads and writes of the small files of a cgroup: each value is one write(2).
enum CgroupFile {
    static func write(_ value: String, to path: String) throws(Errno) {
        let file = try File.open(path, O_WRONLY)
        try File.write(file.raw, value)
    }

    static func read(_ path: String) throws(Errno) -> String {
        String(decoding: try File.readAll(path, limit: 16 << 20), as: UTF8.self)
    }

    /// The number behind `key ` on a line of its own, as in `memory.events`.
    static func number(_ key: String, in text: String) -> UInt64? {
        for line in text.split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == key { return UInt64(words[1]) }
        }
        return nil
    }
}

/// What a v1 cpuset needs before a process may join: it is born empty unless its parent says `clone_children`
/// (cpuset(7)).
enum Cpuset {
    /// Copies the parent's sets into a new `directory` where the kernel did not.
    static func fill(_ directory: String) throws(Errno) {
        // The kernel copies both or none.
        if try CgroupFile.read("\(directory)/cpuset.mems").contains(where: { $0 != "\n" }) { return }
        let (parent, _) = Path.split(directory)
        for file in ["cpuset.cpus", "cpuset.mems"] {
            try CgroupFile.write(try CgroupFile.read("\(parent)/\(file)"), to: "\(directory)/\(file)")
        }
    }
}
