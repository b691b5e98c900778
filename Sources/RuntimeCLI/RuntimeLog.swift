internal import Glibc
internal import OCI
internal import Sys

/// Where errors go: to standard error as text, and to the caller's file, whose last line callers show to their users.
struct RuntimeLog: Sendable {
    private var path: String?
    private var isJSON = false

    init() {}

    init(_ line: ParsedLine) throws(CommandFault) {
        path = line["log"]
        switch line["log-format"] ?? "text" {
        case "text": isJSON = false
        case "json": isJSON = true
        case let format: throw .usage("invalid log-format \(format): neither text nor json")
        }
    }

    func error(_ message: String) { write("error", message) }

    func warning(_ message: String) { write("warning", message) }

    private func write(_ level: String, _ message: String) {
        let entry: JSONValue = .object([
            "level": .string(level), "msg": .string(message), "time": .string(Clock.timestamp),
        ])
        let text = "time=\"\(Clock.timestamp)\" level=\(level) msg=\(JSONValue.string(message).text)"
        let plain = "\(RuntimeCLI.programName): \(level == "error" ? "" : "\(level): ")\(message)\n"
        guard let path else {
            try? File.write(STDERR_FILENO, isJSON ? entry.text + "\n" : plain)
            return
        }
        do throws(Errno) {
            let file = try File.open(path, O_WRONLY | O_CREAT | O_APPEND, mode: 0o644)
            try File.write(file.raw, (isJSON ? entry.text : text) + "\n")
        } catch {
            try? File.write(STDERR_FILENO, "\(RuntimeCLI.programName): write to the log \(path): \(error)\n")
        }
        try? File.write(STDERR_FILENO, plain)
    }
}
