import Sys
import TestSupport
import Testing

/// What docker's own json-file driver writes of the same bytes.
@Suite struct DockerComparisonTests {
    /// One container that prints `$1/in`; its log becomes `$1/out`.
    private static let script = #"""
        cp /bin/busybox root/bin/cat
        tar -C root -c bin | docker import - print:1 > "$1/image"
        id=$(docker create --network none --volume "$1/in:/in:ro" print:1 /bin/cat /in)
        docker start "$id" > "$1/started"
        docker wait "$id" > "$1/code"
        cp "data/containers/$id/$id-json.log" "$1/out"
        docker rm "$id" > "$1/removed"
        """#

    @Test(.enabled(if: PrivateDocker.isPossible, Comment(rawValue: PrivateDocker.needs)))
    func theSameBytesBecomeTheSameEntries() throws {
        let scratch = try Scratch()
        let bytes = DockerComparisonTests.input()
        try scratch.file("in", bytes)
        try PrivateDocker.run(DockerComparisonTests.script, in: scratch)
        try scratch.directory("ours")
        let log = try LogWriter(scratch("ours"))
        log.write(bytes)
        log.end()
        let theirs = try lines(scratch("out")).map(withoutTime)
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
