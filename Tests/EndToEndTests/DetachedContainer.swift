internal import Glibc
internal import Sys
internal import TestSupport
import Testing

/// A container that runs in the background for one test, removed with it.
final class DetachedContainer {
    let runimg: Runimg
    let id: String

    init(_ flags: [String] = [], _ command: String...) throws {
        let engine = try EndToEnd.engine
        runimg = engine.runimg
        let output = try runimg.run(["run", "-d"] + flags + [engine.image] + command)
        guard output.status == 0, let line = output.lines.first else { throw Tool.Failure(output: output) }
        id = line
    }

    deinit {
        do {
            let output = try runimg.run(["rm", "-f", "-v", id])
            if output.status != 0, !output.stderr.contains("No such container") { throw Tool.Failure(output: output) }
        } catch {
            Issue.record("remove container \(id): \(error)")
        }
    }

    /// The processes that are in its cgroup, by the host's pids.
    var processes: [Int32] {
        let hierarchies = ["/sys/fs/cgroup/pids", "/sys/fs/cgroup/memory", "/sys/fs/cgroup"]
        for hierarchy in hierarchies {
            guard let bytes = try? File.readAll("\(hierarchy)/runimg/\(id)/cgroup.procs", limit: 1 << 20) else {
                continue
            }
            return String(decoding: bytes, as: UTF8.self).split(separator: "\n").compactMap { Int32($0) }.sorted()
        }
        return []
    }

    /// The line of a file of its cgroup, in the v1 hierarchy of `controller` or on v2.
    func limit(_ controller: String, _ file: String, v2: String) throws -> String {
        let legacy = "/sys/fs/cgroup/\(controller)/runimg/\(id)/\(file)"
        let path = File.exists(legacy) ? legacy : "/sys/fs/cgroup/runimg/\(id)/\(v2)"
        return String(decoding: try File.readAll(path, limit: 1 << 16).filter { $0 != 0x0a }, as: UTF8.self)
    }
}
