internal import Supervisor

/// What a monitor is told of a container's log.
struct LogSettings {
    var driver: MonitorSettings.LogDriver
    /// Bytes until a file is rotated; 0: never.
    var maxSize: UInt64
    var maxFiles: UInt32

    init(_ options: LogOptions) {
        let name = options.driver ?? .usual
        switch name {
        case .none: (driver, maxSize, maxFiles) = (.none, 0, 1)
        case .jsonFile: (driver, maxSize, maxFiles) = (.jsonFile, 10 << 20, 3)
        case .local: (driver, maxSize, maxFiles) = (.local, 20 << 20, 5)
        }
        if let size = options.maxSize { maxSize = UInt64(clamping: size) }
        if let count = options.maxFiles { maxFiles = UInt32(clamping: max(1, count)) }
    }
}
