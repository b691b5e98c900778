import Sys
import TestSupport
import Testing

/// What docker's own json-file driver writes of the same bytes.
@Suite struct DockerComparisonTests {
    @Test(
        .enabled(if: DockerDaemon.isPossible, "needs root, and Debian's docker from make servers"),
        .timeLimit(.minutes(Wait.minutes(10))))
    func theSameBytesBecomeTheSameEntries() throws {
        let scratch = try Scratch()
        let bytes = DockerComparisonTests.input()
        try scratch.file("in", bytes)
        let docker = try DockerDaemon()
        try docker.importBusybox(as: "print:1")
        let id = try #require(
            try docker.check(
                "create", "--network", "none", "--volume", "\(scratch("in")):/in:ro", "print:1", "/bin/cat", "/in"
            ).lines.last)
        try docker.check("start", id)
        try docker.check("wait", id)
        try scratch.directory("ours")
        let log = try LogWriter(scratch("ours"))
        log.write(bytes)
        log.end()
        let theirs = try lines(docker.data("containers/\(id)/\(id)-json.log")).map(withoutTime)
        let ours = try lines(scratch("ours/x-json.log")).map(withoutTime)
        #expect(theirs.count > 100)
        #expect(ours == theirs)
    }

    /// Every byte, lines around the length of a part, characters that are escaped, binary data, and no last newline.
    /// Lines that are cut have no character at the cut, where docker replaces both halves of it.
    private static func input() -> [UInt8] {
        var random = SeededRandom(seed: 5)
        var bytes = Array("plain\n\n".utf8) + (0...255).map { UInt8($0) } + [10]
        for count in [16383, 16384, 16385, 40_000] { bytes += [UInt8](repeating: 0x78, count: count) + [10] }
        bytes += Array("aé€😀\u{2028}\u{2029}<>&\"\\/\u{7f}\t\r\n".utf8)
        for _ in 0..<100_000 { bytes.append(UInt8.random(in: 0...255, using: &random)) }
        return bytes + Array("\nwithout a newline".utf8)
    }

    /// What stands before `"time":"…"}`.
    private func withoutTime(_ line: String) -> [Substring] { line.split(separator: "\"").dropLast(3) }
}
