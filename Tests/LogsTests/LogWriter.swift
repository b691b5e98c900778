import CMonitor
import Glibc
import Logs
import Sys
import TestSupport
import Testing

/// The monitor's log writer, over C's functions.
final class LogWriter {
    private let log: OpaquePointer
    private let memory: UnsafeMutableRawPointer
    private let directory: OwnedFD
    private let attributes: UnsafeMutablePointer<CChar>?
    private var isOpen = true

    init(
        _ path: String, name: String = "x-json.log", driver: cmon_log_driver = CMON_LOG_JSON_FILE, maxSize: UInt64 = 0,
        maxFiles: UInt32 = 1, attributes: String? = nil
    ) throws {
        directory = try Directory.open(path)
        memory = .allocate(byteCount: cmon_log_size(), alignment: 16)
        log = OpaquePointer(memory)
        self.attributes = attributes.map { strdup($0) }
        let status = name.withCString { name in
            var options = cmon_log_options(
                driver: driver, directory: directory.raw, name: name, max_size: maxSize, max_files: maxFiles,
                attrs: self.attributes)
            return cmon_log_open(log, &options)
        }
        if status < 0 { throw Errno(rawValue: -status) }
    }

    deinit {
        if isOpen { cmon_log_end(log) }
        free(attributes)
        memory.deallocate()
    }

    @discardableResult
    func write(_ text: String, stream: Int32 = 1) -> Int32 { write(Array(text.utf8), stream: stream) }

    @discardableResult
    func write(_ bytes: [UInt8], stream: Int32 = 1) -> Int32 { cmon_log_write(log, stream, bytes, bytes.count) }

    @discardableResult
    func flush() -> Int32 { cmon_log_flush(log) }

    @discardableResult
    func endStream(_ stream: Int32) -> Int32 { cmon_log_end_stream(log, stream) }

    @discardableResult
    func end() -> Int32 {
        isOpen = false
        return cmon_log_end(log)
    }
}

/// All lines of a file; the last one must have its end.
func lines(_ path: String) throws -> [String] {
    let text = String(decoding: try File.readAll(path, limit: 1 << 30), as: UTF8.self)
    return text.split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
}

func entries(_ path: String) throws -> [LogEntry] {
    try lines(path).map { line in try #require(LogEntry(json: line.utf8), "\(line.prefix(200))") }
}

func fill(_ path: String, bytes: Int) throws {
    let file = try File.open(path, O_WRONLY | O_CREAT, mode: 0o600)
    try File.write(file.raw, [UInt8](repeating: 0, count: bytes))
    try file.close()
}
