internal import Glibc
internal import Runtime
internal import Sys

/// What holds a created container before its command: two fifos in the container's directory (fifo(7)). The stub holds both
/// open and reads one; whoever starts the container writes a byte there, and sees by the closing of the other side that
/// the command was executed, or reads why it was not.
struct StartGate: ~Copyable {
    private let start: OwnedFD
    private let report: OwnedFD

    private static let startName = "start"
    private static let reportName = "report"

    /// Makes both, in `directory`, and opens them for the container.
    init(making directory: String) throws(ContainerError) {
        func make(_ name: String) throws(ContainerError) -> OwnedFD {
            try call("make fifo", "\(directory)/\(name)") { () throws(Errno) in
                try check { mkfifo("\(directory)/\(name)", 0o600) }
                // Both directions: neither waits for the other side, nor sees an end when that goes.
                return try File.open("\(directory)/\(name)", O_RDWR)
            }
        }
        let start = try make(StartGate.startName)
        let report = try make(StartGate.reportName)
        self.start = start
        self.report = report
    }

    var descriptors: PassedDescriptors.Gate { .init(start: start.raw, report: report.raw) }

    /// Whether a container waits behind it.
    static func isClosed(_ directory: String) -> Bool { (try? openedForWriting(directory)) != nil }

    /// ENXIO where nobody reads.
    private static func openedForWriting(_ directory: String) throws(Errno) -> OwnedFD {
        try File.open("\(directory)/\(startName)", O_WRONLY | O_NONBLOCK)
    }

    /// Lets the container that waits behind it go on, and returns when its command was executed.
    static func open(_ directory: String, command: String) throws(ContainerError) {
        let reader = try call("open", "\(directory)/\(reportName)") { () throws(Errno) in
            try File.open("\(directory)/\(reportName)", O_RDONLY | O_NONBLOCK)
        }
        let writer = try call("open", "\(directory)/\(startName)") { () throws(Errno) in try openedForWriting(directory)
        }
        try call("write to", "\(directory)/\(startName)") { () throws(Errno) in try File.write(writer.raw, [1]) }
        var said: [UInt8] = []
        var isOpen = true
        while isOpen {
            var items = [PollItem(reader.raw, .readable), PollItem(writer.raw, [])]
            do throws(Errno) { try PollItem.wait(&items) } catch {
                throw .system(SystemFailure("wait at", directory, error))
            }
            // No reader is left: what was written before that is here already.
            isOpen = items[1].ready.isEmpty
            // At once there or not: it is shorter than PIPE_BUF.
            said = [UInt8](unsafeUninitializedCapacity: 4096) { buffer, count in
                count = (try? File.read(reader.raw, into: UnsafeMutableRawBufferPointer(buffer))) ?? 0
            }
            if !said.isEmpty { break }
        }
        for name in [startName, reportName] { try? File.unlink("\(directory)/\(name)") }
        if !said.isEmpty { throw .runtime(Launcher.heldFailure(said, command: command)) }
    }
}
