package import Glibc
internal import Sys

/// One container's cgroup: a directory of the same path in every hierarchy.
package struct Cgroup: Sendable {
    /// Below each hierarchy's root.
    package let path: String
    var directories: [CgroupDirectory]

    /// Whether it has no place in any hierarchy: what is in it can neither be limited nor listed.
    package var isNowhere: Bool { directories.isEmpty }

    /// What a new process needs to be in this cgroup from its first instruction.
    ///
    /// Writing a pid into `cgroup.procs` takes the kernel's threadgroup lock for writing, which waits for an RCU grace
    /// period: 4 to 15 ms, once per container. clone3(CLONE_INTO_CGROUP) does not, and neither does a single-threaded
    /// process that writes `0` into the v1 file `tasks` (kernel/cgroup/cgroup.c, cgroup_procs_write_start): 0.1 ms for
    /// nine hierarchies.
    package func join() throws(CgroupError) -> CgroupJoin {
        var join = CgroupJoin()
        for directory in directories {
            let path = directory.hierarchy.isUnified ? directory.path : "\(directory.path)/tasks"
            do throws(Errno) {
                if directory.hierarchy.isUnified {
                    join.directory = try File.open(path, O_RDONLY | O_DIRECTORY).release()
                } else {
                    join.tasks.append(try File.open(path, O_WRONLY).release())
                }
            } catch {
                throw .system(SystemFailure("open", path, error))
            }
        }
        return join
    }

    /// Moves a running process into every hierarchy, with all its threads. Slow (see `join()`); for kernels without
    /// CLONE_INTO_CGROUP (before 5.7) and for processes that exist already.
    package func add(pid: pid_t) throws(CgroupError) {
        for directory in directories {
            let file = "\(directory.path)/cgroup.procs"
            do throws(Errno) {
                try CgroupFile.write(String(pid), to: file)
            } catch {
                throw .system(SystemFailure("add process \(pid) to cgroup", directory.path, error))
            }
        }
    }

    /// How many processes the kernel's OOM killer has killed here; nil without a memory controller. To be read before
    /// `remove()`.
    package func oomKills() throws(CgroupError) -> UInt64? {
        guard let directory = directory(of: "memory") else { return nil }
        let file = directory.hierarchy.isUnified ? "memory.events" : "memory.oom_control"
        do throws(Errno) {
            return CgroupFile.number("oom_kill", in: try CgroupFile.read("\(directory.path)/\(file)")) ?? 0
        } catch .noEntry {
            // v2 without the controller passed on, or a cgroup that is gone already.
            return nil
        } catch {
            throw .system(SystemFailure("read", "\(directory.path)/\(file)", error))
        }
    }

    /// All processes in it and in cgroups below, by pid as seen from here.
    package func processes() throws(CgroupError) -> [pid_t] {
        // Any hierarchy will do; v2 last in the list lists none that is already dying.
        guard let directory = directory(of: "freezer") ?? directories.last else { return [] }
        return try CgroupTree.processes(in: directory.path)
    }

    /// The file that lists the processes in it, those in cgroups below left out (cgroups(7)).
    package var processList: String {
        let directory = directory(of: "freezer") ?? directories.last
        return (directory?.path ?? "") + "/cgroup.procs"
    }

    /// The cgroup at `path` below this one; nil when no hierarchy has it. In a hierarchy that lacks it, it is this one.
    package func descendant(_ path: String) throws(CgroupError) -> Cgroup? {
        if Path.parts(path).isEmpty { return self }
        let parts = try CgroupManager.components(of: path)
        var isThere = false
        var result = Cgroup(path: ([self.path] + parts).joined(separator: "/"), directories: [])
        for directory in directories {
            let below = directory.descendant(parts)
            isThere = isThere || below != nil
            result.directories.append(below ?? directory)
        }
        return isThere ? result : nil
    }

    /// This one, but below it in the hierarchy of each controller named: nil when one of them has no such cgroup. A
    /// controller that is in no hierarchy is an error.
    package func descendant(of paths: [String: String]) throws(CgroupError) -> Cgroup? {
        var result = self
        for (controller, path) in paths.sorted(by: { $0.key < $1.key }) {
            guard let index = directories.firstIndex(where: { $0.hierarchy.controllers.contains(controller) }) else {
                throw .path("\(controller):\(path)", reason: "no hierarchy has the controller \"\(controller)\"")
            }
            if Path.parts(path).isEmpty { continue }
            guard let below = directories[index].descendant(try CgroupManager.components(of: path)) else { return nil }
            result.directories[index] = below
        }
        return result
    }

    func directory(of controller: String) -> CgroupDirectory? {
        directories.first { $0.hierarchy.controllers.contains(controller) }
    }

    var unified: CgroupDirectory? { directories.first { $0.hierarchy.isUnified } }
}

/// The open files by which a child joins a cgroup; closed with the value. All are close-on-exec.
package struct CgroupJoin: ~Copyable, Sendable {
    /// For `clone_args.cgroup` with CLONE_INTO_CGROUP; nil where cgroup v2 is not mounted.
    package internal(set) var directory: Int32?
    /// v1: the child writes `0` into each, before it makes its cgroup namespace and while it has one thread.
    package internal(set) var tasks: [Int32] = []

    init() {}

    deinit {
        if let directory { _ = Glibc.close(directory) }
        for fd in tasks { _ = Glibc.close(fd) }
    }
}
