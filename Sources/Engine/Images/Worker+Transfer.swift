internal import FoundationEssentials
internal import Glibc
internal import Images
internal import Sys

extension Worker {
    /// Has files moved between `source` and `target`, both borrowed, by a worker that reaches nothing else. Returns the
    /// bytes of the tar that they made. The worker ends with the calling thread.
    static func transfer(
        _ request: TransferRequest, _ rootless: Rootless?, source: Int32, target: Int32
    ) throws(EngineError) -> Int64 {
        let path = try find()
        var message = WorkerRequest(verb: .transfer, source: "", dataRoot: "")
        message.transfer = request
        message.ids = rootless?.workerIDs
        let line = try encode(message)
        let input = try call("make a pipe for", path) { () throws(Errno) in try Pipe() }
        let output = try call("make a pipe for", path) { () throws(Errno) in try Pipe() }
        let pid = try call("start", path) { () throws(Errno) in
            try Spawn.start(
                [path], environment: Environment.all, input: input.reader.raw, output: output.writer.raw,
                error: STDERR_FILENO, further: [source, target])
        }
        let requests = input.keepWriter()
        let events = output.keepReader()
        // A request is less than a pipe holds.
        let sent = (try? File.write(requests.raw, line)) != nil
        _ = consume requests
        let answer = try? File.readAll(events.raw, limit: 1 << 20)
        let exit = try call("wait for", path) { () throws(Errno) in try Spawn.wait(pid) }
        let last = (answer ?? []).split(separator: UInt8(ascii: "\n")).last ?? []
        switch try? JSONDecoder().decode(WorkerEvent.self, from: Data(last)) {
        case .transferred(let bytes): return bytes
        case .failed(let message, let kind): throw .worker(message: message, kind: kind)
        default: throw .workerDied(!sent ? "it took no request" : "\(exit)")
        }
    }
}
