internal import Sys

/// The file in which a caller looks for the number of a process.
enum PidFile {
    /// Whole or not at all: callers wait for it to appear.
    static func write(_ pid: Int32, to path: String) throws(ContainerError) {
        try system { () throws(SystemFailure) in
            try File.replace(path, with: Array("\(pid)".utf8), mode: 0o644, durably: false)
        }
    }
}
