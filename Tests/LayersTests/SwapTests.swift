import Glibc
import Layers
import Sys
import TestSupport
import Testing

/// Somebody who can write into the staging directory exchanges what was just made for a link, all the time. The store
/// lets nobody in there; the extractor holds without that.
@Suite(.enabled(if: Conditions.isRoot, "owners and devices need root"))
struct SwapTests {
    /// Exchanges names for as long as the value lives.
    private struct Flipper: ~Copyable {
        private let flag: Flag
        private let rounds: Counter
        private let thread: JoinableThread

        init(_ root: String, _ pairs: [(String, String)]) throws {
            let flag = Flag()
            let rounds = Counter()
            self.flag = flag
            self.rounds = rounds
            let names = pairs.map { ("\(root)/\($0.0)", "\(root)/\($0.1)") }
            thread = try JoinableThread {
                while !flag.isSet {
                    for (first, second) in names where renameat2(AT_FDCWD, first, AT_FDCWD, second, 2) == 0 {
                        rounds.add()
                    }
                }
            }
        }

        /// How often two names were exchanged.
        consuming func stop() -> Int {
            flag.set()
            thread.join()
            return rounds.value
        }
    }

    private static let rounds = 300

    @Test("U17: directories that are exchanged for links while a layer is unpacked")
    func swappedDirectories() throws {
        let bench = try Workbench()
        let flipper = try Flipper(bench.root, [("d", "swap"), ("e/inner", "e/swap")])
        let tar = TarForge.make { tar in
            for index in 0..<3 {
                tar.file("d/file", "escaped") {
                    $0.mode = 0o777; $0.uid = 65534
                }
                tar.directory("d/dir") {
                    $0.mode = 0o777; $0.uid = 65534
                }
                tar.file("d/dir/\(index)", "escaped")
                tar.file("e/inner/inner", "escaped")
                tar.file("e/inner/.wh.inner")
                tar.file("d/.wh.file")
                tar.hardLink("stolen\(index)", to: "d/setuid")
                tar.symlink("d/link", to: "elsewhere") { $0.uid = 65534 }
                tar.header(
                    TarForge.Header("d/fifo", type: "6").with {
                        $0.mode = 0o777; $0.uid = 65534
                    })
                tar.directory("d") {
                    $0.mode = 0o777; $0.uid = 65534
                }
                tar.directory("e/inner") {
                    $0.mode = 0o777; $0.uid = 65534
                }
            }
        }
        // Whether a round succeeds depends on the moment; only the canary counts.
        var applied = 0
        for round in 0..<SwapTests.rounds {
            // An entry that met the link has replaced it.
            for name in ["d", "e/inner"] { _ = try? Directory.makePath(bench.scratch("diff/\(name)"), mode: 0o755) }
            try relink("../canary", bench.root + "/swap")
            try relink(bench.scratch("canary/dir"), bench.root + "/e/swap")
            let format = [OnDiskFormat.directory, .overlay][round % 2]
            if (try? bench.extract(tar, format: format)) != nil { applied += 1 }
        }
        let exchanges = flipper.stop()
        #expect(exchanges > SwapTests.rounds, "the attack ran: \(exchanges)")
        try bench.expectCanaryUntouched()
    }

    @Test("U3, U17: nodes that are exchanged for links before they get their mode")
    func swappedNodes() throws {
        let bench = try Workbench()
        let flipper = try Flipper(bench.root, [("fifo", "swap"), ("device", "other"), ("file", "swap")])
        let tar = TarForge.make { tar in
            tar.header(
                TarForge.Header("fifo", type: "6").with {
                    $0.mode = 0o7777; $0.uid = 65534
                })
            tar.pax([("SCHILY.xattr.security.capability", "1")])
            tar.header(
                TarForge.Header("device", type: "3").with {
                    $0.mode = 0o777; $0.uid = 65534; $0.major = 1; $0.minor = 3
                })
            tar.file("file", "escaped") {
                $0.mode = 0o777; $0.uid = 65534
            }
        }
        for _ in 0..<SwapTests.rounds {
            try relink("../canary/file", bench.root + "/swap")
            try relink(bench.scratch("canary/setuid"), bench.root + "/other")
            _ = try? bench.extract(tar)
        }
        let exchanges = flipper.stop()
        #expect(exchanges > SwapTests.rounds, "the attack ran: \(exchanges)")
        try bench.expectCanaryUntouched()
    }

    /// Puts the link back where an entry has replaced it, whatever is there now.
    private func relink(_ target: String, _ path: String) throws {
        while symlink(target, path) != 0 {
            try #require(Errno.current == .exists)
            if (try? File.status(path).kind) == .link { return }
            _ = try? Directory.removeTree(path)
        }
    }

    /// What the swaps rely on, without the race: a name that is a link by then.
    @Test("U3, U17: a link has no mode to set")
    func modesDoNotGoThroughLinks() throws {
        let bench = try Workbench()
        let directory = try Directory.open(bench.scratch("canary"))
        #expect(throws: Errno.notSupported) {
            try File.setMode(PathBytes("link"), at: directory.raw, 0o777)
        }
        try bench.expectCanaryUntouched()
    }
}
