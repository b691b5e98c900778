import Images
import OCI
import Sys
import TestSupport
import Testing

/// What a pull costs, in numbers that no other load of the machine changes.
@Suite(.enabled(if: Conditions.hasBinaries, "needs the built programs"))
struct PullCostTests {
    /// Calls that are made for a file, and none that waiting for another thread makes.
    private static let counted = [
        "openat", "openat2", "close", "write", "pwrite64", "fstat", "newfstatat", "fchown", "fchownat", "fchmod",
        "fchmodat", "utimensat", "fsetxattr", "lseek", "ftruncate", "sync_file_range", "fsync",
    ]

    @Test(
        "A small file of root's costs five system calls: made, looked at, written, dated, closed",
        .enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"))
    func callsOfASmallFile() throws {
        func calls(files: Int) throws -> [String: Int] {
            var sample = try SampleImage()
            try sample.addLayer("layer", size: 1000, files: files)
            try sample.finish(as: Victim.name)
            return try PullCostTests.calls(Runimg(), ["pull", "-q", "\(sample.source):\(Victim.name)"])
        }
        let few = try calls(files: 100)
        let many = try calls(files: 1100)
        var perFile: [String: Double] = [:]
        for name in PullCostTests.counted { perFile[name] = Double((many[name] ?? 0) - (few[name] ?? 0)) / 1000 }
        // The layer's own tar comes through some more reads and events.
        #expect(perFile.values.reduce(0, +) < 5.2, "\(perFile)")
        for name in ["openat", "write", "utimensat"] { #expect((perFile[name] ?? 0) >= 1, "\(name): \(perFile)") }
        for name in ["fchown", "fchmod", "openat2"] { #expect((perFile[name] ?? 1) < 0.1, "\(name): \(perFile)") }
    }

    @Test(
        "A commit costs the same over an image of few files and of many",
        .enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"))
    func callsOfACommit() throws {
        func calls(files: Int) throws -> Int {
            var sample = try SampleImage()
            try sample.addLayer("layer", size: 1000, files: files)
            try sample.finish(as: Victim.name)
            let runimg = try Runimg()
            try runimg.check("pull", "-q", "\(sample.source):\(Victim.name)")
            let container = try runimg.check("create", Victim.name, "true").lines[0]
            defer { _ = try? runimg.run(["rm", container]) }
            try runimg.check("cp", runimg.scratch.file("new", "new\n"), "\(container):/new")
            let counts = try PullCostTests.calls(runimg, ["commit", container, "changed:1"])
            return PullCostTests.counted.reduce(0) { $0 + (counts[$1] ?? 0) }
        }
        let few = try calls(files: 10)
        let many = try calls(files: 2010)
        #expect(few > 100 && abs(many - few) < 100, "\(few) and \(many)")
    }

    /// How often each system call is made by a command and all that it starts.
    private static func calls(_ runimg: Runimg, _ arguments: [String]) throws -> [String: Int] {
        let log = runimg.scratch("trace")
        let output = try runimg.run(arguments, under: ["strace", "-f", "-c", "-U", "calls,name", "-o", log])
        #expect(output.status == 0, "\(output)")
        var counts: [String: Int] = [:]
        for line in String(decoding: try File.readAll(log), as: UTF8.self).split(separator: "\n") {
            let words = line.split(separator: " ")
            if words.count == 2, let count = Int(words[0]) { counts[String(words[1])] = count }
        }
        return counts
    }

    @Test("A pull of a layer of 200 MB takes less than 64 MiB of memory in each of its processes")
    func memory() throws {
        let sample = try SampleImage()
        let (blob, diffID) = try PullCostTests.largeLayer()
        let layer = OCILayout.Layer(
            descriptor: try sample.layout.blob(blob, mediaType: MediaType.ociLayer + "+gzip"), diffID: diffID)
        try sample.layout.tag(try sample.layout.image([layer]), "large:1")
        let fixture = try PullFixture()
        var worker = try fixture.start("\(sample.source):large:1")
        var peaks: [String: Int] = [:]
        while try worker.wait(seconds: 0.005) == nil {
            let pid = "\(worker.pid)"
            let children = PullCostTests.text("/proc/\(pid)/task/\(pid)/children").split(separator: " ").map(
                String.init)
            for process in [pid] + children {
                let line = PullCostTests.text("/proc/\(process)/status").split(separator: "\n").first {
                    $0.hasPrefix("VmHWM:")
                }
                let size = line?.split { " \t".contains($0) }.dropFirst().first.flatMap { Int($0) } ?? 0
                peaks[process] = max(peaks[process] ?? 0, size)
            }
        }
        let image = try #require(try fixture.store.resolve("large:1"))
        #expect(try image.layers.map { try File.status("\($0.diff)/large").size } == [Int64(PullCostTests.size)])
        // The keeper and the confined process.
        #expect(peaks.count >= 2 && peaks.values.allSatisfy { $0 > 0 && $0 < 64 << 10 }, "KiB: \(peaks)")
    }

    private static let size = 200_000_000

    /// One file of bytes that do not compress, in one gzip member after the other.
    private static func largeLayer() throws -> (blob: [UInt8], diffID: Digest) {
        var generator = SystemRandomNumberGenerator()
        var piece: [UInt8] = []
        while piece.count < 4_000_000 { withUnsafeBytes(of: generator.next()) { piece.append(contentsOf: $0) } }
        var forge = TarForge()
        forge.header(TarForge.Header("large").with { $0.size = Int64(size) })
        let end = [UInt8](repeating: 0, count: (512 - size % 512) % 512 + 1024)
        let compressed = try OCILayout.compress(piece, .gzip)
        var tar = forge.bytes
        var blob = try OCILayout.compress(forge.bytes, .gzip)
        for _ in 0..<size / piece.count {
            tar += piece
            blob += compressed
        }
        return (blob + (try OCILayout.compress(end, .gzip)), Digest.of(tar + end))
    }

    /// Nothing of a process that has just ended.
    private static func text(_ path: String) -> String {
        String(decoding: (try? File.readAll(path, limit: 1 << 16)) ?? [], as: UTF8.self)
    }
}
