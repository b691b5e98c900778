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

/// Files that end, and disks that are full.
@Suite struct WriterDiskTests {
    private let scratch: Scratch
    private var file: String { scratch("x-json.log") }

    init() throws { scratch = try Scratch() }

    @Test("F23: a log has no more files and no larger ones than it may")
    func rotationKeepsToItsBounds() throws {
        let log = try LogWriter(scratch.path, maxSize: 1000, maxFiles: 3)
        for number in 0..<500 { log.write("\(number)\n") }
        log.end()
        let names = ["x-json.log", "x-json.log.1", "x-json.log.2"]
        #expect(try Directory.entries(scratch.path).map(\.name).sorted() == names)
        let found = try names.reversed().flatMap { try entries(scratch($0)) }
        let numbers = found.compactMap { Int(String(decoding: $0.text.dropLast(), as: UTF8.self)) }
        #expect(numbers == Array((500 - numbers.count)..<500))
        // As docker: a file is full when the next entry would begin behind the bound.
        #expect(try names.dropFirst().allSatisfy { (1000..<1100).contains(try File.status(scratch($0)).size) })
    }

    @Test func oneFileIsBegunAnew() throws {
        let log = try LogWriter(scratch.path, maxSize: 1000, maxFiles: 1)
        for number in 0..<500 { log.write("\(number)\n") }
        log.end()
        #expect(try Directory.entries(scratch.path).map(\.name) == ["x-json.log"])
        #expect(try entries(file).last?.text == Array("499\n".utf8))
    }

    @Test func aFileThatCanNotBeRotatedIsGoneOnWith() throws {
        try scratch.directory("x-json.log.new")
        let log = try LogWriter(scratch.path, maxSize: 1000, maxFiles: 3)
        for number in 0..<500 { #expect(log.write("\(number)\n") == 0) }
        #expect(log.end() == 0)
        #expect(try entries(file).count == 500)
    }

    @Test(
        "F23: a full disk never stops the container, and the log says what is missing",
        .enabled(if: Conditions.isRoot, "needs root"))
    func aFullDiskIsSurvived() throws {
        let path = scratch.path
        let found: [LogEntry] = try PrivateMounts.with { () throws(Errno) in
            try PrivateMounts.mount(type: "tmpfs", at: path, options: "size=1m", from: "/", readOnly: false)
            return WriterDiskTests.writeToFullDisk(path)
        }
        let texts = found.map { String(decoding: $0.text, as: UTF8.self) }
        let numbers = texts.compactMap { Int($0.split(separator: " ").first ?? "") }
        let place = try #require(texts.firstIndex { $0.hasPrefix("runimg: ") })
        let lost = 20_000 - numbers.count
        #expect(lost > 0)
        #expect(numbers == Array(0..<place) + Array((place + lost)..<20_000))
        let bytes = (place..<(place + lost)).reduce(0) { $0 + "\($1) some words\n".utf8.count }
        #expect(
            texts[place] == "runimg: \(lost) lines (\(bytes) bytes) of the log lost here: No space left on device\n")
        #expect(found[place].stream == .stderr)
        #expect(texts.count(where: { $0.hasPrefix("runimg: ") }) == 1)
    }

    /// 20,000 lines, of which the disk has no room for all; then it has room again.
    private static func writeToFullDisk(_ path: String) -> [LogEntry] {
        do {
            try fill("\(path)/filler", bytes: 700 << 10)
            let log = try LogWriter(path)
            for number in 0..<19_990 { log.write("\(number) some words\n") }
            #expect(log.flush() == -ENOSPC)
            try File.unlink("\(path)/filler")
            for number in 19_990..<20_000 {
                log.write("\(number) some words\n")
                log.flush()
            }
            #expect(log.end() == 0)
            return try entries("\(path)/x-json.log")
        } catch {
            Issue.record("\(error)")
            return []
        }
    }

    @Test(
        "F23: a log whose disk stays full ends with a whole entry",
        .enabled(if: Conditions.isRoot, "needs root"))
    func anEndOnAFullDiskLeavesNoHalfEntry() throws {
        let path = scratch.path
        let (status, bytes) = try PrivateMounts.with { () throws(Errno) -> (Int32, [UInt8]) in
            try PrivateMounts.mount(type: "tmpfs", at: path, options: "size=64k", from: "/", readOnly: false)
            do {
                let log = try LogWriter(path)
                for number in 0..<9000 { log.write("\(number) some words\n") }
                let status = log.end()
                return (status, try File.readAll("\(path)/x-json.log"))
            } catch {
                Issue.record("\(error)")
                return (0, [])
            }
        }
        #expect(status == -ENOSPC)
        #expect(bytes.count > 60_000)
        #expect(bytes.last == UInt8(ascii: "\n"))
    }

    @Test func pagesAreTouchedOnlyWhenNeeded() throws {
        // The whole of it, so that a monitor's memory can be reckoned.
        #expect(cmon_log_size() < 300 << 10)
    }
}
