import Glibc
import Logs
import OCI
import Synchronization
import Sys
import TestSupport
import Testing

@Suite struct EventLogTests {
    private let scratch: Scratch

    init() throws { scratch = try Scratch() }

    private func read(_ log: EventLog, _ query: EventQuery = EventQuery(until: .now)) throws -> [Event] {
        var events: [Event] = []
        try log.read(query, notice: { Issue.record("\($0)") }) {
            events.append($0)
            return true
        }
        return events
    }

    @Test func anEventComesBackAsItWas() throws {
        let log = EventLog(dataRoot: scratch.path)
        let event = Event(
            "container", "exec_start: sh -c \"x\ty\"", actor: "abc", attributes: ["image": "busybox", "name": "ü\\"])
        log.append(event)
        log.append(Event("volume", "create", actor: "v"))
        let events = try read(log)
        #expect(events.first == event)
        #expect(events.count == 2)
    }

    @Test func theLineIsDockersObject() throws {
        let time = LogTime(seconds: 1_700_000_000, nanoseconds: 42)
        EventLog(dataRoot: scratch.path).append(
            Event("container", "die", actor: "abc", attributes: ["image": "busybox", "exitCode": "3"], time: time))
        let text = String(decoding: try File.readAll(scratch("events.log")), as: UTF8.self)
        #expect(
            text
                == #"{"status":"die","id":"abc","from":"busybox","Type":"container","Action":"die","Actor":{"ID":"abc","#
                + #""Attributes":{"exitCode":"3","image":"busybox"}},"scope":"local","time":1700000000,"#
                + #""timeNano":1700000000000000042}"# + "\n")
    }

    @Test func timesBoundWhatIsGiven() throws {
        let log = EventLog(dataRoot: scratch.path)
        for second in 0..<10 {
            log.append(Event("image", "\(second)", actor: "x", time: LogTime(seconds: Int64(second), nanoseconds: 0)))
        }
        let query = EventQuery(
            since: LogTime(seconds: 3, nanoseconds: 0), until: LogTime(seconds: 5, nanoseconds: 0))
        #expect(try read(log, query).map(\.action) == ["3", "4", "5"])
    }

    /// A command that meets another's line half written begins a new one, which leaves an empty one between them.
    @Test func anEmptyLineIsNoDamage() throws {
        let log = EventLog(dataRoot: scratch.path)
        for (number, end) in ["\n", "\n\n", ""].enumerated() {
            log.append(Event("image", "\(number)", actor: "x"))
            let file = try File.open(scratch("events.log"), O_WRONLY | O_APPEND)
            try File.write(file.raw, end)
        }
        let query = EventQuery(since: LogTime(seconds: 0, nanoseconds: 0), until: .now)
        var notices: [String] = []
        var actions: [String] = []
        try log.read(query, notice: { notices.append("\($0)") }) { event in
            actions.append(event.action)
            return true
        }
        #expect(actions == ["0", "1", "2"])
        #expect(notices.isEmpty, "\(notices)")
    }

    @Test("events of many commands at once are whole and lose nothing to rotation")
    func manyWritersAtOnce() throws {
        let log = EventLog(dataRoot: scratch.path, maximumSize: 40_000)
        let seen = Mutex<[String]>([])
        let reader = try JoinableThread {
            do {
                let until = LogTime.now.advanced(bySeconds: 60)
                try log.read(
                    EventQuery(since: LogTime(seconds: 0, nanoseconds: 0), until: until),
                    notice: { Issue.record("\($0)") }
                ) { event in
                    if event.action == "last" { return false }
                    seen.withLock { $0.append(event.actor) }
                    return true
                }
            } catch {
                Issue.record("\(error)")
            }
        }
        let first = try JoinableThread { EventLogTests.append(0..<200, to: log) }
        let second = try JoinableThread { EventLogTests.append(200..<400, to: log) }
        first.join()
        second.join()
        log.append(Event("container", "last", actor: ""))
        reader.join()
        #expect(seen.withLock { $0 }.compactMap { Int($0) }.sorted() == Array(0..<400))
        #expect(File.exists(scratch("events.log.1")))
    }

    /// Slowly enough for a reader not to be rotated away from.
    private static func append(_ numbers: Range<Int>, to log: EventLog) {
        for number in numbers {
            log.append(Event("container", "start", actor: "\(number)", attributes: ["image": "busybox"]))
            usleep(1500)
        }
    }

    @Test func onlyWhatIsNewComesWithoutTimes() throws {
        let log = EventLog(dataRoot: scratch.path)
        log.append(Event("container", "old", actor: "a"))
        let appender = try JoinableThread {
            usleep(200_000)
            log.append(Event("container", "new", actor: "a"))
        }
        var actions: [String] = []
        try log.read(EventQuery(), notice: { Issue.record("\($0)") }) {
            actions.append($0.action)
            return false
        }
        appender.join()
        #expect(actions == ["new"])
    }
}
