internal import FoundationEssentials
internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

/// A container for one test, of the shared store unless it is told another, removed with the value.
final class ContainerBox {
    let id: String
    let name = "box-\(Random.hex(bytes: 6))"
    let runimg: Runimg

    /// Runs `script` to its end, or starts it where `detached`.
    init(
        _ script: String, flags: [String] = [], detached: Bool = false, engine own: SharedEngine? = nil
    ) throws {
        let engine = try own ?? EndToEnd.engine
        runimg = engine.runimg
        let scratch = try EndToEnd.scratch(for: runimg)
        // Who can have no namespace is refused one.
        let network = runimg.isImprisoned ? [] : ["--network", "none"]
        let how = ["run", "--name", name, "--cidfile", scratch("id")] + network + (detached ? ["-d"] : [])
        let ran = try runimg.run(how + flags + [engine.image, "sh", "-c", script])
        guard ran.status == 0 else { throw Tool.Failure(output: ran) }
        id = String(decoding: try File.readAll(scratch("id")), as: UTF8.self)
    }

    deinit {
        do {
            try runimg.check("rm", "-f", "-v", name)
        } catch {
            Issue.record("remove \(name): \(error)")
        }
    }

    func callAsFunction(_ arguments: String..., input: [UInt8] = []) throws -> Tool.Output {
        try runimg.run(arguments, input: input)
    }

    @discardableResult
    func check(_ arguments: String..., input: [UInt8] = []) throws -> Tool.Output {
        let output = try runimg.run(arguments, input: input)
        guard output.status == 0 else { throw Tool.Failure(output: output) }
        return output
    }

    /// The text of a file in it.
    func text(_ path: String) throws -> String {
        let scratch = try Scratch()
        try check("cp", "-L", "\(name):\(path)", scratch("file"))
        return String(decoding: try File.readAll(scratch("file")), as: UTF8.self)
    }

    /// The names that `cp PATH -` writes.
    func members(_ path: String) throws -> [String] {
        let tar = try check("cp", "\(name):\(path)", "-").stdoutBytes
        return try Tool.check("tar", ["-tf", "-"], input: tar).lines
    }

    /// Its root as its process sees it; it runs.
    var root: String {
        get throws {
            struct State: Decodable {
                struct Process: Decodable { var pid: Int32 }
                var process: Process
            }
            let bytes = try File.readAll("\(runimg.runDirectory)/\(id)/state.json")
            return "/proc/\(try JSONDecoder().decode(State.self, from: Data(bytes)).process.pid)/root"
        }
    }
}
