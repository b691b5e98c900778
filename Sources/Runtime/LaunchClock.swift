internal import CInit
internal import Sys

/// When a launch's child was where, by its own notes in memory that it shares with us.
package final class LaunchClock {
    let memory: UnsafeMutablePointer<cinit_clock>

    /// - Throws: `RuntimeError.system` where there is no memory to share.
    package init() throws(RuntimeError) {
        guard let memory = cinit_make_clock() else {
            throw .system(operation: "mmap", subject: "for the times of the container's process", Errno.current)
        }
        self.memory = memory
    }

    deinit { cinit_drop_clock(memory) }

    /// The child runs, in its namespaces. All three are nanoseconds of the monotonic clock; nil: it did not come there.
    package var begun: Int64? { LaunchClock.time(memory.pointee.begun) }
    /// All its mounts are there, and its root is entered.
    package var rooted: Int64? { LaunchClock.time(memory.pointee.rooted) }
    /// It is about to execute the program.
    package var executed: Int64? { LaunchClock.time(memory.pointee.executed) }

    private static func time(_ noted: Int64) -> Int64? { noted == 0 ? nil : noted }
}
