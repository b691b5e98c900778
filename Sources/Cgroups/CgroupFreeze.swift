internal import Glibc
internal import Sys

extension Cgroup {
    /// Stops every process in it and below (freezer-subsystem.rst, cgroup-v2.rst "cgroup.freeze"), and returns when
    /// they stand still. When they don't within `timeout` milliseconds, they are let go again and the call fails with
    /// ETIMEDOUT: half a frozen container is worse than none.
    package func freeze(timeout: Int = 10_000) throws(CgroupError) {
        guard let freezer = Freezer(self) else {
            let layout = CgroupLayout(hierarchies: directories.map(\.hierarchy))
            throw .missingController(limit: "freezing", controller: "freezer", available: layout.controllers)
        }
        do throws(Errno) {
            try freezer.freeze(timeout: timeout)
        } catch {
            throw .system(SystemFailure("freeze cgroup", freezer.directory, error))
        }
    }

    /// Lets its processes go on, and returns when they do; EBUSY when a cgroup above it stays frozen. One that is not
    /// frozen is no error.
    package func thaw(timeout: Int = 5_000) throws(CgroupError) {
        guard let freezer = Freezer(self) else { return }
        do throws(Errno) {
            try freezer.thaw(timeout: timeout)
        } catch {
            // Removed since it was opened: nothing stands still in it.
            if error == .noEntry || error.rawValue == ENODEV { return }
            throw .system(SystemFailure("thaw cgroup", freezer.directory, error))
        }
    }

    /// Whether its processes stand still or are about to: what joins it now stops too. One that is gone is not.
    package func isFrozen() throws(CgroupError) -> Bool {
        guard let freezer = Freezer(self) else { return false }
        do throws(Errno) {
            return try freezer.state() != .thawed
        } catch {
            if error == .noEntry || error.rawValue == ENODEV { return false }
            throw .system(SystemFailure("read the state of cgroup", freezer.directory, error))
        }
    }

    /// Thaws it and, on v1, all that the container itself may have frozen below: a process that is frozen there does not
    /// die of SIGKILL. On v2 it does.
    func thawForKill() throws(CgroupError) {
        guard let freezer = Freezer(self) else { return }
        if freezer.isUnified {
            try? freezer.write(frozen: false)
            return
        }
        try CgroupTree.visit(freezer.directory) { path throws(Errno) in
            try CgroupFile.write("THAWED", to: "\(path)/freezer.state")
        }
    }
}

extension CgroupManager {
    /// `Cgroup.isFrozen` of the cgroup at `path`, without looking for it in the hierarchies that don't freeze.
    ///
    /// - Parameter state: the letter of one of its processes (proc_pid_stat(5)), where it is known. On v1 one that is frozen
    ///   waits uninterruptibly, if it was not stopped before; another letter spares the kernel's file.
    package func isFrozen(path: String, state: UInt8? = nil) throws(CgroupError) -> Bool {
        if let state, layout.hierarchy(of: "freezer")?.isUnified == false, !"DTt".utf8.contains(state) { return false }
        let parts = try CgroupManager.components(of: path)
        guard let hierarchy = layout.hierarchy(of: "freezer") ?? layout.hierarchies.first(where: \.isUnified) else {
            return false
        }
        let directory = CgroupDirectory(
            path: ([hierarchy.mountPoint] + parts).joined(separator: "/"), hierarchy: hierarchy)
        return try Cgroup(path: path, directories: [directory]).isFrozen()
    }
}

/// The files that freeze: v1's `freezer.state`, or v2's `cgroup.freeze` and `cgroup.events`. As with every controller, v1
/// has it where both are mounted.
private struct Freezer {
    enum State { case thawed, freezing, frozen }

    let directory: String
    let isUnified: Bool

    init?(_ cgroup: Cgroup) {
        if let v1 = cgroup.directory(of: "freezer") {
            directory = v1.path
            isUnified = false
        } else if let unified = cgroup.unified, File.exists("\(unified.path)/cgroup.freeze") {
            directory = unified.path
            isUnified = true
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

    func state() throws(Errno) -> State {
        if isUnified {
            let events = try CgroupFile.read("\(directory)/cgroup.events")
            if CgroupFile.number("frozen", in: events) == 1 { return .frozen }
            return try CgroupFile.read("\(directory)/cgroup.freeze").hasPrefix("1") ? .freezing : .thawed
        }
        let text = String(
            decoding: try File.readRecord("\(directory)/freezer.state", expecting: 64, limit: 64), as: UTF8.self)
        return text.hasPrefix("FROZEN") ? .frozen : text.hasPrefix("FREEZING") ? .freezing : .thawed
    }

    func freeze(timeout: Int) throws(Errno) {
        do throws(Errno) {
            try write(frozen: true)
            var round = 0
            let stands = try wait(timeout) { () throws(Errno) in
                if try state() == .frozen { return true }
                round += 1
                // v1 can stay in FREEZING: a process that forked at the wrong moment is frozen by asking again, one that
                // waits for another that is frozen already has to be let on for a moment.
                if isUnified { return false }
                if round.isMultiple(of: 50) {
                    try write(frozen: false)
                    Monotonic.sleep(milliseconds: 1)
                }
                try write(frozen: true)
                return false
            }
            if !stands { throw Errno(rawValue: ETIMEDOUT) }
        } catch {
            try? write(frozen: false)
            throw error
        }
    }

    func thaw(timeout: Int) throws(Errno) {
        try write(frozen: false)
        let moves = try wait(timeout) { () throws(Errno) in try state() == .thawed }
        if !moves { throw .busy }
    }

    private func wait(_ timeout: Int, _ isDone: () throws(Errno) -> Bool) throws(Errno) -> Bool {
        let deadline = Monotonic.milliseconds() + timeout
        var pause = 50
        while try !isDone() {
            if Monotonic.milliseconds() >= deadline { return false }
            Monotonic.sleep(microseconds: pause)
            pause = min(pause * 2, 5000)
        }
        return true
    }
}

/// Waits that no change of the wall clock reaches.
enum Monotonic {
    static func milliseconds() -> Int { Int(Clock.monotonicNanoseconds / 1_000_000) }

    static func sleep(milliseconds: Int) { sleep(microseconds: milliseconds * 1000) }

    static func sleep(microseconds: Int) {
        var pause = timespec(tv_sec: microseconds / 1_000_000, tv_nsec: microseconds % 1_000_000 * 1000)
        nanosleep(&pause, nil)
    }
}
