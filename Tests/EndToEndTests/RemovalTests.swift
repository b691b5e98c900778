internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Removals that are killed while they delete many files.
    @Suite(.timeLimit(.minutes(Wait.minutes(30))))
    struct Removal {
        private static let count = SyscallFaults.rounds(5000, soak: 100_000)
        private static let rounds = SyscallFaults.rounds(12, soak: 60)

        /// A script that makes `count` files.
        private static let files = """
            mkdir -p many/0; seq \(count) | sed 's,^,many/0/,' | xargs touch
            """

        private static func expectOnlyWhatIsUsed(_ runimg: Runimg, layers: Int, _ moment: String) throws {
            let left = try Directory.entries("\(runimg.dataRoot)/overlay2").map(\.name).filter { $0 != "l" }
            #expect(left.count == layers, "\(moment): \(left)")
            // Deleted by a process that nobody waits for.
            let isGone = try Wait.until(seconds: 20) {
                try Directory.entries("\(runimg.dataRoot)/tmp").map(\.name) == ["blobs"]
            }
            #expect(isGone, "\(moment)")
        }

        /// Runs the command, killed after a moment that is anywhere in the time that it takes. False: it came to its end.
        private static func killed(_ runimg: Runimg, _ arguments: [String], _ whole: inout Double) throws -> Bool {
            let delay = Double.random(in: 0.001...max(0.002, whole))
            let started = Wait.now
            let output = try runimg.run(arguments, under: ["timeout", "-s", "KILL", "\(delay)"])
            if output.status == 0 { whole = min(whole, Wait.now - started) }
            return output.status != 0
        }

        @Test("F32: an image whose removal is killed is whole or gone, and the next command ends it") func ofAnImage()
            throws
        {
            let runimg = try Runimg()
            let layout = runimg.scratch("layout")
            try ImageForge.layout(layout, tars: [try ImageForge.tar(Self.files)], .none)
            var whole = 0.5 * Wait.patience
            var (kept, gone) = (0, 0)
            for round in 0..<Self.rounds {
                let id = try #require(try runimg.check("pull", "-q", "oci:\(layout):latest", timeout: 300).lines.last)
                let wasKilled = try Self.killed(runimg, ["rmi", "-f", id], &whole)
                let moment = "round \(round), \(wasKilled ? "killed" : "ended")"
                let isThere = try runimg("image", "exists", id).status == 0
                #expect(wasKilled || !isThere, "\(moment)")
                let records = try Directory.entries("\(runimg.dataRoot)/image/overlay2/layerdb/sha256").map(\.name)
                if isThere {
                    kept += 1
                    let listed = try runimg.check("image", "ls-files", id).lines.count
                    #expect(listed == Self.count + 2, "\(moment)")
                } else {
                    gone += 1
                    // A layer that is recorded is whole, also where its image is gone.
                    for record in records {
                        let path = "\(runimg.dataRoot)/image/overlay2/layerdb/sha256/\(record)/cache-id"
                        let cache = String(decoding: try File.readAll(path), as: UTF8.self)
                        let names = try Directory.entries("\(runimg.dataRoot)/overlay2/\(cache)/diff/many/0")
                        #expect(names.count == Self.count, "\(moment)")
                    }
                }
                try runimg.check("image", "prune", "-a", "-f", timeout: 300)
                try Self.expectOnlyWhatIsUsed(runimg, layers: 0, moment)
            }
            #expect(kept + gone == Self.rounds && gone > 0)
        }

        @Test("F32: a container whose removal is killed is whole or gone, and the next command ends it")
        func ofAContainer() throws {
            let runimg = try Runimg()
            try runimg.check("pull", "-q", Leaks.image)
            let image = try #require(try runimg.check("images", "-q").lines.first)
            var whole = 0.5 * Wait.patience
            var (kept, gone) = (0, 0)
            for round in 0..<Self.rounds {
                let id = try #require(
                    try runimg.check("create", "--name", "box", "--network", "none", image, "true").lines.last)
                let upper = "\(runimg.dataRoot)/overlay2/\(id)/diff"
                try Tool.check("sh", ["-ec", Self.files], directory: upper)
                let wasKilled = try Self.killed(runimg, ["rm", "box"], &whole)
                let moment = "round \(round), \(wasKilled ? "killed" : "ended")"
                let isThere = try runimg.check("ps", "-aq", "--no-trunc").lines == [id]
                #expect(wasKilled || !isThere, "\(moment)")
                if isThere {
                    kept += 1
                    #expect(try Directory.entries("\(upper)/many/0").count == Self.count, "\(moment)")
                    #expect(try runimg.check("start", "-a", "box").status == 0, "\(moment)")
                    try runimg.check("rm", "box", timeout: 300)
                } else {
                    gone += 1
                    #expect(!File.exists("\(runimg.dataRoot)/containers/\(id)"), "\(moment)")
                    #expect(try runimg("rm", "box").stderr.contains("No such container: box"), "\(moment)")
                }
                try runimg.check("images")
                try Self.expectOnlyWhatIsUsed(runimg, layers: 1, moment)
            }
            #expect(kept + gone == Self.rounds && gone > 0)
            // Its name was free all the time.
            try runimg.check("run", "--rm", "--name", "box", "--network", "none", image, "true")
        }
    }
}
