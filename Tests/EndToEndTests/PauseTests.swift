internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `pause` and `unpause`: all processes stand still, and nothing else is different for the other verbs.
    @Suite struct Pause {
        /// Counts in a file on the host for as long as it runs.
        private static func counting(_ scratch: Scratch) throws -> DetachedContainer {
            try DetachedContainer(
                ["-v", "\(scratch.path):/out"], "sh", "-c",
                "trap 'exit 7' TERM; i=0; while :; do i=$((i+1)); echo $i > /out/count; sleep 0.01; done")
        }

        private static func count(_ scratch: Scratch) -> [UInt8] { (try? File.readAll(scratch("count"))) ?? [] }

        private static func moves(_ scratch: Scratch) -> Bool {
            let before = count(scratch)
            return Wait.until(seconds: 10) { count(scratch) != before && !count(scratch).isEmpty }
        }

        @Test func allStandStillAndGoOn() throws {
            let scratch = try Scratch()
            let container = try Self.counting(scratch)
            #expect(Self.moves(scratch))
            #expect(try container.runimg.check("pause", container.id).stdout == "\(container.id)\n")
            let before = Self.count(scratch)
            Wait.sleep(0.2)
            #expect(Self.count(scratch) == before)
            #expect(try container.runimg.check("unpause", String(container.id.prefix(12))).status == 0)
            #expect(Self.moves(scratch))
        }

        @Test func theWrongStateIsSaidInDockersWords() throws {
            let container = try DetachedContainer([], "sleep", "1000")
            let runimg = container.runimg
            func refused(_ verb: String, _ text: String) throws {
                let output = try runimg(verb, container.id)
                #expect(output.status == 1 && output.stdout.isEmpty, "\(output)")
                #expect(output.stderr.hasSuffix("ontainer \(container.id) \(text)\n"), "\(output.stderr)")
            }
            try refused("unpause", "is not paused")
            try runimg.check("pause", container.id)
            try refused("pause", "is already paused")
            try runimg.check("unpause", container.id)
            try runimg.check("kill", container.id)
            try refused("pause", "is not running")
            try refused("unpause", "is not paused")
        }

        @Test func oneFailureDoesNotKeepTheRest() throws {
            let one = try DetachedContainer([], "sleep", "1000")
            let two = try DetachedContainer([], "sleep", "1000")
            let output = try one.runimg("pause", one.id, "no-such-container", two.id)
            #expect(output.status == 1 && output.stdout == "\(one.id)\n\(two.id)\n", "\(output)")
            #expect(output.stderr.contains("No such container: no-such-container"), "\(output.stderr)")
            try one.runimg.check("unpause", one.id, two.id)
        }

        @Test("F27: a paused container is stopped as any other: its own handler runs") func stopsAPausedOne() throws {
            let scratch = try Scratch()
            let container = try Self.counting(scratch)
            #expect(Self.moves(scratch))
            try container.runimg.check("pause", container.id)
            try container.runimg.check("stop", "-t", "20", container.id)
            #expect(try container.runimg.check("wait", container.id).stdout == "7\n")
        }

        @Test("F27: a paused container can be killed and removed", arguments: [["kill"], ["rm", "-f"]])
        func killsAPausedOne(_ verb: [String]) throws {
            let container = try DetachedContainer([], "sh", "-c", "sleep 1000 & wait")
            try container.runimg.check("pause", container.id)
            let output = try container.runimg.run(verb + [container.id], timeout: 20)
            #expect(output.status == 0, "\(output)")
            #expect(container.processes.isEmpty)
        }

        @Test("F27: a paused container whose monitor is killed does not stay behind") func survivesItsMonitor() throws {
            let container = try DetachedContainer([], "sh", "-c", "sleep 1000 & wait")
            try container.runimg.check("pause", container.id)
            let first = try #require(container.processes.first)
            let status = String(decoding: try File.readAll("/proc/\(first)/status", limit: 1 << 16), as: UTF8.self)
            let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("PPid:") })
            let monitor = try #require(line.split(separator: "\t").last.flatMap { Int32($0) })
            #expect(monitor > 1)
            kill(monitor, SIGKILL)
            let output = try container.runimg.run(["rm", "-f", container.id], timeout: 30)
            #expect(output.status == 0, "\(output)")
            #expect(container.processes.isEmpty)
            #expect(Wait.until(seconds: 5) { kill(first, 0) != 0 })
        }
    }
}
