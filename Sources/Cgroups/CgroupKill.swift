internal import Glibc
internal import Sys

extension Cgroup {
    /// Kills every process in it and below, and returns when all are gone or `timeout` milliseconds have passed.
    package func killAll(timeout: Int = 10_000) throws(CgroupError) {
        let deadline = Monotonic.milliseconds() + timeout
        if let unified, (try? CgroupFile.write("1", to: "\(unified.path)/cgroup.kill")) != nil {
            // Linux 5.14: the kernel kills the whole subtree at once, frozen or forking.
            if try waitUntilEmpty(deadline: deadline, limit: 500) { return }
        }
        while true {
            // A frozen fork bomb cannot fork on; a killed frozen v1 process dies when it is thawed.
            let frozen = (try? freeze(timeout: 200)) != nil
            for pid in try processes() { _ = Glibc.kill(pid, SIGKILL) }
            if frozen { try thaw() }
            if try waitUntilEmpty(deadline: deadline, limit: 100) { return }
            if Monotonic.milliseconds() >= deadline {
                let left = try processes().count
                if left == 0 { return }
                throw .populated(path: path, processes: left)
            }
        }
    }

    /// Stops every process in it and below (freezer-subsystem.rst, cgroup-v2.rst "cgroup.freeze"), and returns when
    /// they stand still.
    package func freeze(timeout: Int = 5_000) throws(CgroupError) {
        guard let freezer = try Freezer(self) else {
            throw .missingController(limit: "freezing", controller: "freezer", available: [])
        }
        do throws(Errno) {
            try freezer.freeze(timeout: timeout)
        } catch {
            throw .system(SystemFailure("freeze cgroup", freezer.directory, error))
        }
    }

    package func thaw() throws(CgroupError) {
        guard let freezer = try Freezer(self) else { return }
        do throws(Errno) {
            try freezer.write(frozen: false)
        } catch {
            throw .system(SystemFailure("thaw cgroup", freezer.directory, error))
        }
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

/// The file that freezes: v1's `freezer.state` or v2's `cgroup.freeze`.
private struct Freezer {
    let directory: String
    let isUnified: Bool

    init?(_ cgroup: Cgroup) throws(CgroupError) {
        if let unified = cgroup.unified, File.exists("\(unified.path)/cgroup.freeze") {
            directory = unified.path
            isUnified = true
        } else if let v1 = cgroup.directory(of: "freezer") {
            directory = v1.path
            isUnified = false
        } else {
            return nil
        }
    }

    func write(frozen: Bool) throws(Errno) {
        if isUnified {
            try CgroupFile.write(frozen ? "1" : "0", to: "\(directory)/cgroup.freeze")
        } else {
            try CgroupFile.write(frozen ? "FROZEN" : "THAWED", to: "\(directory)/freezer.state")
        }
    }

    func freeze(timeout: Int) throws(Errno) {
        let deadline = Monotonic.milliseconds() + timeout
        try write(frozen: true)
        while try !isFrozen() {
            if Monotonic.milliseconds() >= deadline {
                try write(frozen: false)
                throw Errno(rawValue: ETIMEDOUT)
            }
            Monotonic.sleep(milliseconds: 1)
            // v1 can stay in FREEZING when a process forked at the wrong moment: asking again freezes the newcomer.
            if !isUnified { try write(frozen: true) }
        }
    }

    private func isFrozen() throws(Errno) -> Bool {
        if isUnified {
            return CgroupFile.number("frozen", in: try CgroupFile.read("\(directory)/cgroup.events")) == 1
        }
        return try CgroupFile.read("\(directory)/freezer.state").hasPrefix("FROZEN")
    }
}

private enum Monotonic {
    static func milliseconds() -> Int { Int(Clock.monotonicNanoseconds / 1_000_000) }

    static func sleep(milliseconds: Int) {
        var pause = timespec(tv_sec: milliseconds / 1000, tv_nsec: milliseconds % 1000 * 1_000_000)
        nanosleep(&pause, nil)
    }
}
