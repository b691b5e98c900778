import Images
import OCI
import Sys
import TestSupport
import Testing

/// What is synced, in which order, and how often, told by strace.
@Suite(
    .enabled(
        if: SyscallFaults.isPossible && Conditions.hasBinaries, "\(SyscallFaults.requirements), and the built programs")
)
struct SyncOrderTests {
    /// One call of the thread that commits: its name, what its first descriptor is, and its paths.
    private struct Call {
        let name: String
        let text: String

        init?(_ line: Substring) {
            guard let open = line.firstIndex(of: "("), let last = line.split(separator: " ").last, last != "?",
                !line.hasPrefix("<...")
            else { return nil }
            name = String(line[..<open])
            text = String(line[line.index(after: open)...])
        }

        /// Of `fsync(5</a/b>)`.
        var descriptor: String {
            String(text.drop { $0 != "<" }.dropFirst().prefix { $0 != ">" })
        }

        /// Of `renameat2(AT_FDCWD</x>, "/a", AT_FDCWD</x>, "/b", 0)`.
        var paths: [String] {
            text.split(separator: "\"", omittingEmptySubsequences: false).enumerated().filter { $0.offset % 2 == 1 }
                .map { String($0.element) }
        }
    }

    /// The calls of a pull, thread by thread.
    private func trace(_ victim: Victim, _ runimg: Runimg) throws -> [[Call]] {
        let log = runimg.scratch("trace")
        let calls = "trace=fsync,fdatasync,syncfs,renameat2,renameat,rename,write,pwrite64,openat,openat2"
        let output = try runimg.run(
            ["pull", "-q", victim.source], under: ["strace", "-f", "-y", "-s", "300", "-e", calls, "-o", log])
        #expect(output.status == 0, "\(output)")
        let lines = String(decoding: try File.readAll(log), as: UTF8.self).split(separator: "\n")
        // Another thread's call may come in between a call's beginning and its end; its paths are in the beginning.
        let threads = Dictionary(grouping: lines) { $0.prefix { $0 != " " } }
        return threads.values.map { lines in
            lines.compactMap { Call($0.drop { $0 != " " }.drop { $0 == " " }) }
        }
    }

    @Test("F4: a layer is synced once before it is named, a record before and after") func order() throws {
        let victim = try Victim(layers: 3, files: 20)
        let runimg = try Runimg()
        var layers = 0
        var records = 0
        for calls in try trace(victim, runimg) {
            for (index, call) in calls.enumerated() where call.name.hasPrefix("rename") {
                let (from, to) = (call.paths[0], call.paths[1])
                // Within staging nothing becomes visible.
                if !to.hasPrefix("/") { continue }
                let before = calls[..<index].filter { $0.name.contains("sync") || $0.name.hasPrefix("rename") }
                let next = calls[(index + 1)...].first { $0.name.contains("sync") || $0.name.hasPrefix("rename") }
                if from.hasSuffix("/layer") {
                    layers += 1
                    #expect(before.last?.name == "syncfs", "\(call.text)")
                    #expect(next?.name == "fsync", "\(call.text)")
                    // All that belongs to the layer was written before.
                    let staging = from.dropLast("/layer".count)
                    let synced = calls[..<index].lastIndex { $0.name == "syncfs" } ?? 0
                    #expect(!calls[synced...index].contains { $0.name == "write" && $0.descriptor.hasPrefix(staging) })
                } else if from.hasSuffix("/db") {
                    // The layer's directories are durable, then its record is.
                    #expect(before.suffix(2).map(\.name) == ["fsync", "fsync"], "\(call.text)")
                    #expect(next?.name == "fsync" && next?.descriptor == Path.split(to).parent, "\(call.text)")
                } else {
                    records += 1
                    #expect(before.last?.name == "fsync" && before.last?.descriptor == from, "\(call.text)")
                    #expect(next?.name == "fsync" && next?.descriptor == Path.split(to).parent, "\(call.text)")
                }
            }
        }
        // Manifest, list of manifests, config, names.
        #expect(layers == 3 && records == 4)
    }

    @Test("F4: the number of syncs is that of the layers, whatever their files") func count() throws {
        func syncs(layers: Int, files: Int) throws -> [String: Int] {
            let calls = try trace(Victim(layers: layers, files: files), Runimg()).flatMap { $0 }
            return ["syncfs", "fsync", "fdatasync"].reduce(into: [:]) { counts, name in
                counts[name] = calls.count { $0.name == name }
            }
        }
        let few = try syncs(layers: 1, files: 2)
        #expect(few["syncfs"] == 1 && few["fdatasync"] == 0)
        #expect(try syncs(layers: 1, files: 200) == few)
        let more = try syncs(layers: 3, files: 2)
        #expect(more["syncfs"] == 3)
        // Two directories before and one after the record of each layer.
        #expect(more["fsync"] == (few["fsync"] ?? 0) + 2 * 3)
    }
}
