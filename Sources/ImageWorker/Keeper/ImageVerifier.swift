internal import CLinux
internal import FoundationEssentials
internal import Glibc
internal import Images
internal import OCI
internal import Sys

/// Programs of the machine's that say whether an image may be pulled: containerd's contract (docs/image-verification.md).
/// Each is told the name and digest, and by standard input the descriptor; all must end with 0, and in time.
struct ImageVerifier: Sendable {
    let directory: String
    /// Seconds for each program.
    var timeout = 10.0
    var environment = Environment.all

    /// The keeper blocks them, and reads them between two requests.
    private static let interrupts = SignalSet([SIGINT, SIGTERM, SIGHUP])
    /// More in one directory are a mistake.
    private static let most = 10
    private static let reasonLimit = 4096

    /// Throws where one of them says no. No directory, or nothing in it, is nobody who minds.
    func check(_ name: String, _ descriptor: Descriptor) throws(WorkerError) {
        for program in try programs() {
            let verdict: (exit: Spawn.Exit?, reason: String)
            do throws(Errno) {
                verdict = try run("\(directory)/\(program)", name, descriptor)
            } catch {
                throw refusal(name, program, "it can't be run: \(error)")
            }
            if ImageVerifier.interrupts.isPending { throw .interrupted }
            switch verdict.exit {
            case .code(0): continue
            case .code(let code): throw refusal(name, program, verdict.reason, "exit code \(code)")
            case .signal(let number): throw refusal(name, program, verdict.reason, "ended by signal \(number)")
            case nil: throw refusal(name, program, "no answer within \(Int(timeout)) s")
            }
        }
    }

    private func programs() throws(WorkerError) -> [String] {
        let entries: [String]
        do throws(Errno) {
            entries = try Directory.entries(directory).map(\.name).sorted()
        } catch .noEntry {
            return []
        } catch {
            throw .system(SystemFailure("list the verifiers in", directory, error))
        }
        guard entries.count <= ImageVerifier.most else {
            throw .source(directory, reason: "it has more than \(ImageVerifier.most) verifiers")
        }
        return entries
    }

    private func refusal(_ name: String, _ program: String, _ reason: String, _ end: String = "") -> WorkerError {
        let words = [reason, end].filter { !$0.isEmpty }.joined(separator: "; ")
        return .source(name, reason: "refused by the verifier \(ForeignText(program)): \(ForeignText(words))")
    }

    // MARK: One program

    private func run(
        _ path: String, _ name: String, _ descriptor: Descriptor
    ) throws(Errno) -> (exit: Spawn.Exit?, reason: String) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        guard let json = try? encoder.encode(descriptor) else { throw .invalid }
        let question = try Pipe()
        let answer = try Pipe()
        // Less than a pipe holds.
        try File.write(question.writer.raw, Array(json))
        let input = question.keepReader()
        let silence = try File.open("/dev/null", O_WRONLY)
        let pid = try Spawn.start(
            [
                path, "-name", name, "-digest", "\(descriptor.digest)", "-stdin-media-type",
                "application/vnd.oci.descriptor.v1+json",
            ], environment: environment, input: input.raw, output: answer.writer.raw,
            error: silence.raw, session: true)
        let reason = answer.keepReader()
        let text = read(reason.raw, until: Clock.monotonicNanoseconds + Int64(timeout * 1e9))
        guard let text else {
            // Its session: what it has started as well.
            kill(-pid, SIGKILL)
            _ = try Spawn.wait(pid)
            return (nil, "")
        }
        let line = text.split(whereSeparator: \.isNewline).first.map(String.init) ?? ""
        return (try wait(pid), line)
    }

    /// All that it prints, up to a limit; nil where it does not come to its end.
    private func read(_ fd: Int32, until end: Int64) -> String? {
        var result: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let left = (end - Clock.monotonicNanoseconds) / 1_000_000
            var items = [PollItem(fd, .readable)]
            guard left > 0, !ImageVerifier.interrupts.isPending,
                let count = try? PollItem.wait(&items, milliseconds: Int32(clamping: min(left, 100)))
            else { return nil }
            if count == 0 { continue }
            let got = chunk.withUnsafeMutableBytes { Glibc.read(fd, $0.baseAddress, $0.count) }
            if got <= 0 { return String(decoding: result, as: UTF8.self) }
            if result.count < ImageVerifier.reasonLimit { result.append(contentsOf: chunk[..<got]) }
        }
    }

    /// It has closed its output; that it ends as well is not to be waited for without end.
    private func wait(_ pid: Int32) throws(Errno) -> Spawn.Exit? {
        let end = Clock.monotonicNanoseconds + Int64(timeout * 1e9)
        var status: Int32 = 0
        while true {
            let found = try Sys.check { waitpid(pid, &status, WNOHANG) }
            if found == pid { return Spawn.Exit(waitStatus: status) }
            if Clock.monotonicNanoseconds > end || ImageVerifier.interrupts.isPending {
                kill(-pid, SIGKILL)
                _ = try Spawn.wait(pid)
                return nil
            }
            Pause.milliseconds(2)
        }
    }
}
