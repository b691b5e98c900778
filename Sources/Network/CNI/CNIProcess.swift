internal import Glibc
internal import OCI
internal import Sys

/// One run of a plugin.
enum CNIProcess {
    struct Answer {
        var output: [UInt8] = []
        /// Why it has failed; nil: it has not.
        var complaint: String?
    }

    private static let longestOutput = 1 << 20
    private static let longestWords = 4096
    private static let longestComplaint = 1000
    /// Some wait for a lease of a network's own server.
    private static let patience: Int64 = 120

    static func run(
        _ program: String, environment: [String], input: [UInt8], lock: Int32?
    ) throws(Errno) -> Answer {
        let given = try MemoryFile.anonymous("cni")
        try File.write(given.raw, input)
        _ = try check { lseek(given.raw, 0, SEEK_SET) }
        let words = try MemoryFile("cni-words", size: longestWords)
        let pipe = try Pipe()
        // In a session of its own: a terminal's Ctrl-C would leave half a network.
        let pid = try Spawn.start(
            [program], environment: environment, input: given.raw, output: pipe.writer.raw, error: words.fd.raw,
            further: lock.map { [$0] } ?? [], session: true)
        let reader = pipe.keepReader()
        let (output, fault) = read(reader.raw)
        if fault != nil { kill(pid, SIGKILL) }
        let exit = try Spawn.wait(pid)
        return Answer(output: output, complaint: fault ?? complaint(exit, output, words.text))
    }

    /// All of it, or why it was not waited for.
    private static func read(_ reader: Int32) -> ([UInt8], fault: String?) {
        let end = Clock.monotonicNanoseconds + patience * 1_000_000_000
        var output: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        do throws(Errno) {
            while true {
                let left = (end - Clock.monotonicNanoseconds) / 1_000_000
                var items = [PollItem(reader, .readable)]
                guard left > 0, try PollItem.wait(&items, milliseconds: Int32(left)) > 0 else {
                    return (output, "it took longer than \(patience) seconds")
                }
                let count = try check {
                    chunk.withUnsafeMutableBytes { Glibc.read(reader, $0.baseAddress, $0.count) }
                }
                if count == 0 { return (output, nil) }
                output += chunk.prefix(count)
                if output.count > longestOutput { return ([], "it printed more than \(longestOutput) bytes") }
            }
        } catch {
            return (output, "\(error)")
        }
    }

    /// In its own words, where it has any.
    private static func complaint(_ exit: Spawn.Exit, _ output: [UInt8], _ words: String) -> String? {
        let ended: String
        switch exit {
        case .code(0): return nil
        case .code(let code): ended = "it ended with exit code \(code)"
        case .signal(let number): ended = "it was ended by signal \(number)"
        }
        if let error = try? JSONValue(parsing: output), let message = error["msg"]?.string {
            let details = error["details"]?.string.flatMap { $0.isEmpty ? nil : ": \($0)" } ?? ""
            let code = error["code"]?.integer.map { " (code \($0))" } ?? ""
            return "\(ForeignText(message + details, limit: longestComplaint))\(code)"
        }
        let said = words.split(separator: "\n").joined(separator: "; ")
        return said.isEmpty
            ? "\(ended) and said nothing that CNI knows" : "\(ended): \(ForeignText(said, limit: longestComplaint))"
    }
}
