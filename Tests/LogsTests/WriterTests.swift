import CMonitor
import Glibc
import Logs
import Sys
import TestSupport
import Testing

@Suite struct WriterTests {
    private let scratch: Scratch
    private var file: String { scratch("x-json.log") }

    init() throws { scratch = try Scratch() }

    @Test func aLineIsAnObjectInDockersOrder() throws {
        let log = try LogWriter(scratch.path)
        log.write("one\ntw")
        log.write("err\n", stream: 2)
        log.write("o\n\n")
        #expect(log.end() == 0)
        let shapes = try lines(file).map { line in
            let time = try #require(line.split(separator: "\"").dropLast().last)
            return line.replacing(time, with: "T")
        }
        #expect(
            shapes == [
                #"{"log":"one\n","stream":"stdout","time":"T"}"#,
                #"{"log":"err\n","stream":"stderr","time":"T"}"#,
                #"{"log":"two\n","stream":"stdout","time":"T"}"#,
                #"{"log":"\n","stream":"stdout","time":"T"}"#,
            ])
        #expect(try File.status(file).mode == 0o640)
    }

    @Test func textIsEscapedAsGoDoes() throws {
        let log = try LogWriter(scratch.path)
        var bytes = Array("\u{0}\u{1f}\t\r\"\\<>&/\u{7f}é\u{2028}\u{2029}😀".utf8)
        // Lone continuation, overlong, surrogate, above U+10FFFF, and a sequence that ends too early.
        bytes += [0x80, 0xc0, 0xaf, 0xed, 0xa0, 0x80, 0xf4, 0x90, 0x80, 0x80, 0xe2, 0x82]
        log.write(bytes + [10])
        log.end()
        let bad = String(repeating: #"\ufffd"#, count: 12)
        let text = #"\u0000\u001f\u0009\r\"\\\u003c\u003e\u0026/"# + "\u{7f}é" + #"\u2028\u2029😀"# + bad + #"\n"#
        #expect(try lines(file)[0].hasPrefix(#"{"log":""# + text + #"","stream":"stdout""#))
    }

    @Test func timesAreNowInUTCWithoutNeedlessZeros() throws {
        let before = Clock.timestamp
        let log = try LogWriter(scratch.path)
        for number in 0..<2000 { log.write("\(number)\n") }
        log.end()
        let after = Clock.timestamp
        let times = try entries(file).map(\.time.text)
        #expect(times == times.sorted())
        #expect(before <= times[0] && times[1999] <= after)
        #expect(try !lines(file).contains { $0.contains("0Z\"}") })
    }

    @Test func aLongLineIsCutIntoPartsOf16KiB() throws {
        let log = try LogWriter(scratch.path)
        let full = String(repeating: "x", count: 16384)
        log.write(full + "\n" + full.dropLast() + "\n" + full + full + "yz")
        log.write("!\nnext\n")
        log.end()
        let found = try entries(file)
        #expect(found.map(\.text.count) == [16384, 1, 16384, 16384, 16384, 4, 5])
        #expect(found.map(\.endsLine) == [false, true, true, false, false, true, true])
        // The parts of a line have the time of its first.
        #expect(found[3].time == found[5].time)
    }

    @Test func aCharacterIsNotCutInTwo() throws {
        let log = try LogWriter(scratch.path)
        let text = "a" + String(repeating: "😀", count: 10000) + "\n"
        for chunk in stride(from: 0, to: text.utf8.count, by: 777) {
            log.write(Array(Array(text.utf8)[chunk..<min(chunk + 777, text.utf8.count)]))
        }
        log.end()
        let found = try entries(file)
        #expect(found.map(\.text.count) == [16381, 16384, 7237])
        #expect(found.flatMap(\.text) == Array(text.utf8))
    }

    @Test func theEndOfAStreamEndsItsLine() throws {
        let log = try LogWriter(scratch.path)
        log.write("no newline")
        log.write("prompt: ", stream: 2)
        log.endStream(1)
        log.write("more\n", stream: 2)
        log.end()
        let found = try entries(file)
        #expect(found.map { String(decoding: $0.text, as: UTF8.self) } == ["no newline", "prompt: more\n"])
    }

    @Test func attributesFollowTheStream() throws {
        let log = try LogWriter(scratch.path, attributes: #"{"tag":"web"}"#)
        log.write("x\n")
        log.end()
        #expect(try lines(file)[0].hasPrefix(#"{"log":"x\n","stream":"stdout","attrs":{"tag":"web"},"time":""#))
        #expect(try entries(file)[0].attributes == ["tag": "web"])
    }

    @Test func anExistingFileIsContinuedAndATornEntryEnded() throws {
        try scratch.file("x-json.log", #"{"log":"old\n","stream":"stdout","ti"#)
        let log = try LogWriter(scratch.path)
        log.write("new\n")
        log.end()
        let found = try lines(file)
        #expect(found.count == 2)
        #expect(LogEntry(json: found[0].utf8) == nil)
        #expect(LogEntry(json: found[1].utf8)?.text == Array("new\n".utf8))
    }

    @Test func noneWritesNothing() throws {
        let log = try LogWriter(scratch.path, driver: CMON_LOG_NONE)
        log.write("x\n")
        #expect(log.end() == 0)
        #expect(try Directory.entries(scratch.path).isEmpty)
    }

    /// What comes out is what went in, however it is cut into writes and files; what is no UTF-8 is replaced.
    @Test(arguments: 0..<6) func anyBytesComeOutOnceAndInOrder(_ seed: UInt64) throws {
        var random = SeededRandom(seed: seed)
        let log = try LogWriter(scratch.path, maxSize: seed % 3 == 0 ? 0 : 20_000, maxFiles: 1000)
        var sent: [[UInt8]] = [[], []]
        for _ in 0..<60 {
            let stream = Int.random(in: 0..<2, using: &random)
            let bytes = RandomText.bytes(binary: seed % 2 == 0, using: &random)
            sent[stream] += bytes
            #expect(log.write(bytes, stream: Int32(stream + 1)) == 0)
            if Int.random(in: 0..<8, using: &random) == 0 { log.flush() }
        }
        #expect(log.end() == 0)
        let found = try allFiles().flatMap { try entries($0) }
        for (index, stream) in [LogEntry.Stream.stdout, .stderr].enumerated() {
            let got = found.filter { $0.stream == stream }.flatMap(\.text)
            #expect(got == RandomText.repaired(sent[index]))
        }
    }

    /// Oldest first.
    private func allFiles() throws -> [String] {
        let names = try Directory.entries(scratch.path).map(\.name)
        let numbers = names.compactMap { Int($0.split(separator: ".").last ?? "") }.sorted(by: >)
        #expect(Set(names).count == numbers.count + 1)
        return numbers.map { "\(file).\($0)" } + [file]
    }
}
