internal import Glibc
internal import Sys

extension Cgroup {
    /// Kills every process in it and below, and returns when all are gone or `timeout` milliseconds have passed.
    package func killAll(timeout: Int = 10_000) throws(CgroupError) {
        let deadline = Monotonic.milliseconds() + timeout
        if let unified, (try? CgroupFile.write("1", to: "\(unified.path)/cgroup.kill")) != nil {
            // Linux 5.14: the kernel kills the whole subtree at once, forking or not.
            if try waitUntilEmpty(deadline: deadline, limit: 20) { return }
            try thawForKill()
            if try waitUntilEmpty(deadline: deadline, limit: 500) { return }
        }
        while true {
            // A frozen fork bomb cannot fork on; a killed frozen v1 process dies when it is thawed.
            try? freeze(timeout: 200)
            for pid in try processes() { _ = Glibc.kill(pid, SIGKILL) }
            try thawForKill()
            if try waitUntilEmpty(deadline: deadline, limit: 100) { return }
            if Monotonic.milliseconds() >= deadline {
                let left = try processes().count
                if left == 0 { return }
                throw .populated(path: path, processes: left)
            }
        }
    }

    /// Ends all that runs in it, and removes it. Where nothing does, the rule behind the end of a container's first process,
    /// the kernel needs no more than to be asked.
    package func end() throws(CgroupError) {
        if removeEmpty() { return }
        var left = self
        left.directories.removeAll { !File.exists($0.path) }
        try left.killAll()
        try left.remove()
    }

    /// False when something is in it; it may have gone from some hierarchies then.
    private func removeEmpty() -> Bool {
        for directory in directories {
            do throws(Errno) { try Directory.remove(directory.path) } catch { if error != .noEntry { return false } }
        }
        return true
    }

    /// Removes it from every hierarchy, with cgroups that the container made below. Just-killed processes hold a
    /// cgroup for some milliseconds: tries again for up to `timeout` milliseconds in all. A missing one is no error.
    package func remove(timeout: Int = 2_000) throws(CgroupError) {
        let deadline = Monotonic.milliseconds() + timeout
        var failure: CgroupError?
        for directory in directories {
            do throws(Errno) {
                try Cgroup.remove(directory.path, deadline: deadline)
            } catch {
                failure = failure ?? .system(SystemFailure("remove cgroup", directory.path, error))
            }
        }
        if let failure { throw failure }
    }

    private static func remove(_ directory: String, deadline: Int) throws(Errno) {
        var pause = 1
        while true {
            do throws(Errno) {
                return try CgroupTree.remove(directory)
            } catch .busy {
                if Monotonic.milliseconds() >= deadline { throw .busy }
                Monotonic.sleep(milliseconds: pause)
                pause = min(pause * 2, 100)
            }
        }
    }

    private func waitUntilEmpty(deadline: Int, limit: Int) throws(CgroupError) -> Bool {
        let end = min(deadline, Monotonic.milliseconds() + limit)
        var pause = 1
        while try !processes().isEmpty {
            if Monotonic.milliseconds() >= end { return false }
            Monotonic.sleep(milliseconds: pause)
            pause = min(pause * 2, 20)
        }
        return true
    }
}
