internal import CMonitor
internal import Sys

/// What a container's monitor is to do.
package struct MonitorSettings: Sendable {
    package enum LogDriver: Sendable { case none, jsonFile, local }

    package var hasTerminal = false
    package var hasInput = false
    /// The container's input ends with the command that started it.
    package var inputOnce = false
    /// That command stays and gets the output.
    package var attached = false
    /// It records the container's end while it is there.
    package var starterConcludes = false
    /// The container's first process is one that followed the one that the monitor made.
    package var isSuccessor = false
    /// Its other processes would outlive it: the monitor kills them.
    package var sharesPids = false
    package var logDriver = LogDriver.none
    package var logName = ""
    /// A JSON object for each entry of the log, or empty.
    package var logAttributes = ""
    /// Bytes until a log file is rotated; 0: never.
    package var logSize: UInt64 = 0
    package var logFiles: UInt32 = 1
    /// The command line of ours that records the container's end.
    package var endArguments: [String] = []
    /// The one that checks its health, and the milliseconds until it first does.
    package var healthArguments: [String] = []
    package var healthDelay: UInt32 = 0

    package init() {}

    /// The process's argv: the name makes the executable a monitor, the ID is for whoever reads ps(1).
    package static func arguments(id: String) -> [String] { [CMON_NAME, id] }

    private var flags: UInt32 {
        var flags: UInt32 = 0
        if hasTerminal { flags |= UInt32(CMON_TERMINAL.rawValue) }
        if hasInput { flags |= UInt32(CMON_HAS_INPUT.rawValue) }
        if inputOnce { flags |= UInt32(CMON_INPUT_ONCE.rawValue) }
        if attached { flags |= UInt32(CMON_ATTACHED.rawValue) }
        if isSuccessor { flags |= UInt32(CMON_SUCCESSOR.rawValue) }
        if sharesPids { flags |= UInt32(CMON_SHARES_PIDS.rawValue) }
        if starterConcludes { flags |= UInt32(CMON_STARTER_CONCLUDES.rawValue) }
        return flags
    }

    private var driver: UInt32 {
        switch logDriver {
        case .none: CMON_LOG_NONE.rawValue
        case .jsonFile: CMON_LOG_JSON_FILE.rawValue
        case .local: CMON_LOG_LOCAL.rawValue
        }
    }

    /// The message CMON_GO. Throws E2BIG where the monitor has no room for it.
    func encoded() throws(Errno) -> [UInt8] {
        var go = cmon_go()
        go.flags = flags
        go.log_driver = driver
        go.log_size = logSize
        go.log_files = logFiles
        go.health_delay = healthDelay
        go.end_count = UInt32(endArguments.count)
        go.health_count = UInt32(healthArguments.count)
        var bytes = [UInt8(ascii: "G")]
        withUnsafeBytes(of: &go) { bytes += $0 }
        for text in [logName, logAttributes] + endArguments + healthArguments {
            bytes += text.utf8
            bytes.append(0)
        }
        let limit = Int(CMON_MAX_ARGUMENTS)
        guard bytes.count <= Int(CMON_MAX_GO), endArguments.count <= limit, healthArguments.count <= limit else {
            throw .argumentsTooLong
        }
        return bytes
    }
}

/// The descriptors that a monitor works with; -1 where there is none.
package struct MonitorDescriptors: Sendable {
    /// The container's output, or its terminal's master.
    package var output: Int32 = -1
    package var error: Int32 = -1
    /// Must not block.
    package var input: Int32 = -1
    package var listener: Int32 = -1
    package var logDirectory: Int32 = -1
    /// The pidfd of the container's first process, where that followed another.
    package var process: Int32 = -1
    /// `cgroup.procs` of the container's cgroup, where it shares a pid namespace.
    package var tasks: Int32 = -1

    package init() {}

    var all: [Int32] { [output, error, input, listener, logDirectory, process, tasks] }
}
