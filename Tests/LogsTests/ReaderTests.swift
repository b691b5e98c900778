import CMonitor
import Glibc
import Logs
import Sys
import TestSupport
import Testing

@Suite struct ReaderTests {
    private let scratch: Scratch
    private let name = "x-json.log"

    init() throws { scratch = try Scratch() }

    private func read(_ query: LogQuery = LogQuery()) throws -> (texts: [String], notices: [LogNotice]) {
        var texts: [String] = []
        var notices: [LogNotice] = []
        let reader = try LogReader(directory: scratch.path, name: name, query) {
            notices.append($0)
        } take: { entry in
            texts.append(String(decoding: entry.text, as: UTF8.self))
            return true
        }
        try reader.readAll()
        return (texts, notices)
    }

    /// An entry a second from 12:00:00 on, in files of `perFile` entries each.
    private func entry(_ number: Int, _ text: String? = nil) -> String {
        let second = String(number + 100).dropFirst()
        return #"{"log":"\#(text ?? "\(number)\\n")","stream":"stdout","time":"2024-05-06T12:00:\#(second).5Z"}"# + "\n"
    }

    private func lay(_ count: Int, perFile: Int) throws {
        let files = stride(from: 0, to: count, by: perFile).map { start in
            (start..<min(start + perFile, count)).map { entry($0) }.joined()
        }
        for (index, text) in files.reversed().enumerated() {
            try scratch.file(index == 0 ? name : "\(name).\(index)", text)
        }
    }

    @Test func filesAreReadOldestFirst() throws {
        try lay(25, perFile: 4)
        #expect(try read().texts == (0..<25).map { "\($0)\n" })
    }

    @Test(arguments: [0, 1, 2, 5, 8, 24, 25, 26, 1000]) func theTailIsCountedAcrossFiles(_ count: Int) throws {
        try lay(25, perFile: 4)
        #expect(try read(LogQuery(tail: count)).texts == (0..<25).suffix(count).map { "\($0)\n" })
    }

    @Test func theTailOfALongLogIsFoundFromItsEnd() throws {
        let filler = String(repeating: "x", count: 9000)
        try scratch.file(name, (0..<60).map { entry($0, "\($0) \(filler)\\n") }.joined())
        #expect(try read(LogQuery(tail: 20)).texts.map { $0.prefix(2) } == (40..<60).map { "\($0)" })
    }

    @Test func aLineInPartsIsOneLineOfTheTail() throws {
        let log = try LogWriter(scratch.path)
        log.write("first\n")
        log.write(String(repeating: "x", count: 40_000))
        log.write("err\n", stream: 2)
        log.write("\nlast")
        log.end()
        let all = try read().texts
        #expect(all.map(\.utf8.count) == [6, 16384, 16384, 4, 7233, 4])
        #expect(try read(LogQuery(tail: 1)).texts == all.suffix(1))
        #expect(try read(LogQuery(tail: 3)).texts == all.suffix(5))
        #expect(try read(LogQuery(tail: 4)).texts == all)
    }

    @Test func timesBoundWhatIsGiven() throws {
        try lay(25, perFile: 4)
        let ten = try #require(LogTime(rfc3339: "2024-05-06T12:00:10.5Z".utf8))
        #expect(try read(LogQuery(since: ten)).texts == (10..<25).map { "\($0)\n" })
        #expect(try read(LogQuery(until: ten)).texts == (0...10).map { "\($0)\n" })
        #expect(try read(LogQuery(since: ten, until: ten)).texts == ["10\n"])
        // As docker: the tail is counted first.
        #expect(try read(LogQuery(until: ten, tail: 5)).texts == [])
    }

    @Test("F23: damage is told once and passed over")
    func damageIsToldOnceAndPassedOver() throws {
        let text = entry(1) + "{\"log\":\"tor\n" + entry(2) + "\u{0}\u{0}\n{}\n" + entry(3) + #"{"log":"half"#
        try scratch.file(name, text)
        let (texts, notices) = try read()
        #expect(texts == ["1\n", "2\n", "3\n"])
        #expect(notices == [.damaged(file: name, offset: Int64(entry(1).utf8.count))])
        #expect(try read(LogQuery(tail: 2)).texts == ["2\n", "3\n"])
    }

    @Test func aLineBeyondAllBoundsIsPassedOver() throws {
        let text = entry(1) + String(repeating: "x", count: 5 << 20) + "\n" + entry(2)
        try scratch.file(name, text)
        let (texts, notices) = try read()
        #expect(texts == ["1\n", "2\n"])
        #expect(notices.count == 1)
        #expect(try read(LogQuery(tail: 2)).texts == ["1\n", "2\n"])
    }

    @Test func otherSpellingsOfAnEntryAreRead() throws {
        let lines = [
            #"{"time":"2024-05-06T14:00:01+02:00","stream":"stderr","log":"a\n"}"#,
            #"{"log":"\ud83d\ude00\t\u00e9","stream":"stdout","attrs":{"k":"v"},"time":"2024-05-06T12:00:01.000000001Z"}"#,
            #"{"stream":"stdout","time":"2024-05-06T12:00:01Z"}"#,
        ]
        try scratch.file(name, lines.joined(separator: "\n") + "\n")
        var found: [LogEntry] = []
        let reader = try LogReader(directory: scratch.path, name: name, LogQuery()) {
            Issue.record("\($0)")
        } take: {
            found.append($0)
            return true
        }
        try reader.readAll()
        let time = try #require(LogTime(rfc3339: "2024-05-06T12:00:01Z".utf8))
        #expect(found[0] == LogEntry(stream: .stderr, time: time, text: Array("a\n".utf8)))
        #expect(String(decoding: found[1].text, as: UTF8.self) == "😀\té")
        #expect(found[1].attributes == ["k": "v"])
        #expect(found[1].time.nanoseconds == 1)
        #expect(found[2].text.isEmpty)
    }

    @Test func aLogThatIsNotThereIsEmpty() throws {
        #expect(try read().texts.isEmpty)
        #expect(throws: LogError.self) {
            _ = try LogReader(directory: scratch("no"), name: name, LogQuery(), notice: { _ in }, take: { _ in true })
        }
    }
}
