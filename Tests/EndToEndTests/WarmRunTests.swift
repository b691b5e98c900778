internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// What a warm start costs, counted and not timed: a number that grows shows what a change has added.
    @Suite struct WarmRuns {
        private static let counted = SyscallFaults.isPossible

        private static func inNewStore(_ body: (Runimg) throws -> Void) throws {
            let runimg = try Runimg()
            try runimg.check("pull", "-q", Lifecycle.image)
            defer { _ = try? runimg("rm", "-f", "-v", "--all") }
            try body(runimg)
        }

        /// By its ID: a layout is looked at anew each time.
        private static func image(_ runimg: Runimg) throws -> String {
            try #require(try runimg("images", "-q").lines.first)
        }

        private static func count(
            _ runimg: Runimg, _ image: String, _ flags: [String] = ["--network", "none"]
        ) throws -> CallCount {
            let line = ["run", "--rm"] + flags + [image, "true"]
            // What comes once only: directories, marks, the name of the network.
            for _ in 0..<2 {
                let output = try runimg.run(line)
                #expect(output.status == 0, "\(output)")
            }
            return try CallCount { prefix in
                let output = try runimg.run(line, under: prefix, timeout: 60)
                #expect(output.status == 0, "\(output)")
            }
        }

        @Test(
            "a warm run takes no more calls, files, bytes and processes than it does",
            .enabled(
                if: counted && !Runimg.binaryDirectory.hasSuffix("debug"),
                "\(SyscallFaults.requirements), and the static executable that users get"))
        func aWarmRun() throws {
            try Self.inNewStore { runimg in
                let cost = try Self.count(runimg, try Self.image(runimg))
                #expect(cost.total <= 1240, "\(cost)")
                #expect(cost.opened <= 175, "\(cost)")
                #expect(cost.written <= 32_000, "\(cost)")
                // The monitor, the container's first process, and the thread that plans.
                #expect(cost.made == 3, "\(cost)")
                // The command itself, the monitor, the stub, the container's command.
                #expect(cost.executed == 4, "\(cost)")
                #expect(cost.calls["fsync", default: 0] + cost.calls["syncfs", default: 0] == 0, "\(cost)")
            }
        }

        @Test(
            "a warm run costs the same whatever else is in the store",
            .enabled(if: counted, "\(SyscallFaults.requirements)"))
        func besideOthers() throws {
            try Self.inNewStore { runimg in
                let image = try Self.image(runimg)
                let alone = try Self.count(runimg, try Self.image(runimg))
                for number in 0..<40 {
                    try runimg.check("create", "--name", "other\(number)", image, "true")
                    try runimg.check("tag", image, "other\(number):1")
                    try runimg.check("volume", "create", "other\(number)")
                }
                let running = try (0..<8).map { _ in try Lifecycle.detached(runimg, image, "sleep", "1000") }
                let beside = try Self.count(runimg, try Self.image(runimg))
                // A look at the entry of each that runs, up to a bound.
                #expect(beside.total <= alone.total + running.count * 8 + 10, "\(alone) \(beside)")
                #expect(beside.opened <= alone.opened + running.count * 3 + 4, "\(alone) \(beside)")
            }
        }

        @Test(
            "a layer more costs a run a few small files",
            .enabled(if: counted, "\(SyscallFaults.requirements)"))
        func ofManyLayers() throws {
            try Self.inNewStore { runimg in
                let layout = try OCILayout(runimg.scratch("layout"))
                let base = try ImageForge.fixtureLayer(layout)
                for count in [1, 41] {
                    let more = try (1..<count).map { number in
                        try layout.layer(tar: TarForge.make { $0.file("layer\(number)", "\(number)") })
                    }
                    try layout.tag(try layout.image([base] + more), "of\(count)")
                    let pulled = try runimg.check("pull", "-q", "oci:\(layout.path):of\(count)")
                    try runimg.check("tag", try #require(pulled.lines.first), "layers:\(count)")
                }
                let one = try Self.count(runimg, "layers:1")
                let many = try Self.count(runimg, "layers:41")
                #expect(many.total <= one.total + 40 * 17, "\(one) \(many)")
                #expect(many.opened <= one.opened + 40 * 4 + 4, "\(one) \(many)")
                #expect(many.made == one.made, "\(one) \(many)")
            }
        }

        /// By valgrind, which shows programs the same processor everywhere. It knows no openat2(2), which a run looks into
        /// an image by: what a run has in common with lists is counted.
        private static func instructions(_ runimg: Runimg, _ words: String...) throws -> Int {
            let copy = runimg.scratch("counted")
            // It can't read the debug information of this Swift.
            let stripped = try Tool.run("strip", ["-g", "-o", copy, Runimg.path])
            #expect(stripped.status == 0, "\(stripped)")
            let command = runimg.command(words).map { $0 == Runimg.path ? copy : $0 }
            let tool = ["--tool=callgrind", "--callgrind-out-file=/dev/null"]
            let output = try Tool.run("valgrind", tool + command, timeout: 120)
            #expect(output.status == 0, "\(output)")
            let count = output.stderr.split(separator: "\n").first { $0.contains("Collected :") }
            return try #require(count?.split(separator: " ").last.flatMap { Int($0) }, "\(output)")
        }

        @Test(
            "a start of the program, a list and the reading of records take no more instructions than they do",
            .enabled(
                if: Conditions.has("valgrind", "strip") && !Runimg.binaryDirectory.hasSuffix("debug"),
                "needs valgrind, and the static executable that users get"))
        func instructions() throws {
            try Self.inNewStore { runimg in
                let image = try Self.image(runimg)
                try runimg.check("create", "--name", "listed", image, "true")
                let start = try Self.instructions(runimg, "--version")
                // With a decoder by `Codable` for the configuration it was 1.75 million.
                #expect((100_000...900_000).contains(start), "\(start)")
                let list = try Self.instructions(runimg, "ps", "-a")
                #expect((start...start + 2_000_000).contains(list), "\(start) \(list)")
                let one = try Self.instructions(runimg, "inspect", "listed")
                #expect((start...start + 6_000_000).contains(one), "\(start) \(one)")
            }
        }

        @Test("--timing says where the time of a run went, and changes nothing else")
        func timing() throws {
            try Self.inNewStore { runimg in
                let image = try Self.image(runimg)
                let output = try runimg.run([
                    "run", "--name", "timed", "--timing", image, "sh", "-c", "echo out; exit 7",
                ])
                #expect(output.status == 7 && output.stdout == "out\n", "\(output)")
                let names = output.stderr.split(separator: "\n").map { $0.prefix { $0 != " " } }
                #expect(
                    names == [
                        "load", "resolve", "spec", "store", "network", "files", "plan", "clone", "mounts", "exec",
                        "container", "clean-up", "total",
                    ], "\(output)")
                let record = try runimg.check("inspect", "timed").stdout
                #expect(!record.contains("iming"), "\(record)")
                let quiet = try runimg.run(["run", "--rm", image, "true"])
                #expect(quiet.stderr.isEmpty, "\(quiet)")
                let detached = try runimg.run(["run", "-d", "--timing", image, "true"])
                #expect(detached.stderr.contains("\nexec ") && !detached.stderr.contains("container "), "\(detached)")
            }
        }
    }
}
