internal import Glibc
internal import Sys

extension CgroupLayout {
    /// What an ordinary user may use of it: in each hierarchy the highest cgroup on the way to the process's own that the
    /// user may make others in, as a service manager delegates one (cgroup-v2.rst, "Delegation") or as root gives a v1
    /// directory away. Cgroups are made below that; nothing of the other hierarchies is left.
    package func delegated() throws(CgroupError) -> CgroupLayout {
        let table: [UInt8]
        do throws(Errno) {
            table = try File.readAll("/proc/self/cgroup", limit: 1 << 20)
        } catch {
            throw .system(SystemFailure("read", "/proc/self/cgroup", error))
        }
        return delegated(membership: String(decoding: table, as: UTF8.self))
    }

    /// `membership` is what /proc/PID/cgroup says (cgroups(7)).
    func delegated(membership: String) -> CgroupLayout {
        CgroupLayout(
            hierarchies: hierarchies.compactMap { hierarchy in
                CgroupLayout.path(of: hierarchy, in: membership).flatMap { hierarchy.delegated(path: $0) }
            })
    }

    private static func path(of hierarchy: Hierarchy, in membership: String) -> String? {
        for line in membership.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let controllers = fields[1].split(separator: ",").map(String.init)
            let isIt = hierarchy.isUnified ? fields[0] == "0" : Set(controllers) == Set(hierarchy.controllers)
            if isIt { return String(fields[2]) }
        }
        return nil
    }
}

extension CgroupLayout.Hierarchy {
    /// nil where nothing on the way to `path` is the user's.
    fileprivate func delegated(path: String) -> CgroupLayout.Hierarchy? {
        // What lies outside of the process's cgroup namespace is named with `..`.
        let parts = Path.parts(path)
        if parts.contains("..") { return nil }
        var place = mountPoint
        for part in [""] + parts {
            if !part.isEmpty { place += "/" + part }
            let needed = isUnified ? ["", "/cgroup.procs", "/cgroup.subtree_control"] : [""]
            guard needed.allSatisfy({ access(place + $0, W_OK) == 0 }) else { continue }
            return CgroupLayout.Hierarchy(
                mountPoint: place, controllers: isUnified ? passedOn(place) : controllers, isUnified: isUnified,
                name: name)
        }
        return nil
    }

    /// What cgroups below `place` can have: one with processes in it can't begin to pass controllers on.
    private func passedOn(_ place: String) -> [String] {
        let isEmpty = CgroupLayout.words(of: "\(place)/cgroup.procs").isEmpty
        return CgroupLayout.words(of: place + (isEmpty ? "/cgroup.controllers" : "/cgroup.subtree_control"))
    }
}
