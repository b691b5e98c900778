import CMonitor
import Glibc
import Logs
import Synchronization
import Sys
import TestSupport
import Testing

@Suite struct FollowTests {
    private let scratch: Scratch
    private let name = "x-json.log"

    init() throws { scratch = try Scratch() }

    /// What the test and the reader's thread tell each other.
    private final class Shared: Sendable {
        let isRunning = Atomic(true)
        let isOver = Atomic(false)
        let texts = Mutex<[String]>([])
        let notices = Mutex<[LogNotice]>([])

        func run(_ directory: String, _ name: String, _ query: LogQuery, pause: UInt32) {
            do {
                let reader = try LogReader(directory: directory, name: name, query) { notice in
                    self.notices.withLock { $0.append(notice) }
                } take: { entry in
                    self.texts.withLock { $0.append(String(decoding: entry.text, as: UTF8.self)) }
                    if pause > 0 { usleep(pause) }
                    return true
                }
                try reader.readAll()
                let followed = reader.followed { self.isRunning.load(ordering: .acquiring) }
                if let followed { try Following.run([followed], until: query.until, output: FollowingOutput()) }
            } catch {
                Issue.record("\(error)")
            }
            isOver.store(true, ordering: .releasing)
        }
    }

    /// A reader that follows on a thread of its own.
    private final class Follower {
        private let shared = Shared()
        private var thread: JoinableThread?

        /// `pause`: microseconds between two entries.
        init(_ directory: String, _ name: String, _ query: LogQuery = LogQuery(), pause: UInt32 = 0) throws {
            let shared = shared
            thread = try JoinableThread { shared.run(directory, name, query, pause: pause) }
        }

        func wait(_ what: Comment, until condition: () -> Bool) throws {
            let isMet = Wait.until(seconds: 30, condition)
            try #require(isMet, what)
        }

        /// Says that the container has ended; looked at with the next change in the directory.
        func willEnd() { shared.isRunning.store(false, ordering: .releasing) }

        /// Says that the container has ended, and what was read.
        func end() throws -> [String] {
            willEnd()
            try wait("the follower's end") { isOver }
            thread.take()?.join()
            return shared.texts.withLock { $0 }
        }

        var isOver: Bool { shared.isOver.load(ordering: .acquiring) }
        var count: Int { shared.texts.withLock { $0.count } }
        var notices: [LogNotice] { shared.notices.withLock { $0 } }
    }

    private func numbers(_ range: Range<Int>) -> [String] { range.map { "\($0)\n" } }

    @Test("F24: what comes later is given as it comes")
    func whatComesLaterIsGivenAsItComes() throws {
        let log = try LogWriter(scratch.path)
        for number in 0..<10 { log.write("\(number)\n") }
        log.flush()
        let follower = try Follower(scratch.path, name, LogQuery(tail: 3))
        try follower.wait("the tail") { follower.count == 3 }
        for number in 10..<20 {
            log.write("\(number)\n")
            log.flush()
            try follower.wait("the next line") { follower.count == number - 6 }
        }
        log.write("last")
        log.end()
        #expect(try follower.end() == numbers(7..<20) + ["last"])
    }

    @Test("F24: rotation while following loses nothing and repeats nothing")
    func rotationWhileFollowingLosesNothing() throws {
        let log = try LogWriter(scratch.path, maxSize: 3000, maxFiles: 1000)
        let follower = try Follower(scratch.path, name)
        for number in 0..<20_000 {
            log.write("\(number)\n")
            if number % 7 == 0 { log.flush() }
        }
        log.end()
        #expect(try follower.end() == numbers(0..<20_000))
        #expect(follower.notices.isEmpty)
    }

    /// Several readers for two processors: each is stopped now and then in the midst of the names.
    @Test("F24: several rotations while a reader looks round lose nothing and repeat nothing")
    func severalRotationsAtOnceLoseNothing() throws {
        for round in 0..<250 {
            let directory = try scratch.directory("\(round)")
            let log = try LogWriter(directory, maxSize: 100, maxFiles: 40)
            log.write("0\n")
            log.flush()
            let followers = try (0..<6).map { _ in try Follower(directory, name) }
            try followers[0].wait("the first line") { followers[0].count == 1 }
            for number in 1..<38 {
                log.write("\(number)\n")
                log.flush()
            }
            log.end()
            for follower in followers { follower.willEnd() }
            try fill(directory + "/over", bytes: 0)
            for follower in followers {
                let lines = try follower.end()
                try #require(lines == numbers(0..<38) && follower.notices.isEmpty, "round \(round): \(lines)")
            }
        }
    }

    @Test("F23: a slow reader neither stops the writer nor misses lines without a word")
    func aSlowReaderNeitherStopsTheWriterNorMissesSilently() throws {
        let log = try LogWriter(scratch.path, maxSize: 2000, maxFiles: 2)
        log.write("0\n")
        log.flush()
        let follower = try Follower(scratch.path, name, pause: 2000)
        try follower.wait("the first line") { follower.count > 0 }
        for number in 1..<5000 { log.write("\(number)\n") }
        log.end()
        let texts = try follower.end()
        let found = texts.compactMap { Int($0.dropLast()) }
        #expect(found == found.sorted())
        #expect(Set(found).count == found.count)
        #expect(found.last == 4999)
        #expect(found.count < 5000)
        #expect(Set(follower.notices) == [.missed(file: name)])
    }

    @Test("F24: a log that begins later, or again, is followed")
    func aFileThatIsMadeLaterIsFollowed() throws {
        let follower = try Follower(scratch.path, name)
        let log = try LogWriter(scratch.path)
        log.write("a\n")
        log.flush()
        try follower.wait("the first line") { follower.count == 1 }
        log.end()
        let again = try LogWriter(scratch.path)
        again.write("b\n")
        again.end()
        #expect(try follower.end() == ["a\n", "b\n"])
    }

    @Test("F24: removal ends the reader with the last line")
    func removalEndsTheReader() throws {
        let directory = try scratch.directory("container")
        let log = try LogWriter(directory)
        log.write("a\n")
        log.flush()
        let follower = try Follower(directory, name)
        try follower.wait("the first line") { follower.count == 1 }
        log.write("b\n")
        log.end()
        try Directory.removeTree(directory)
        #expect(try follower.end() == ["a\n", "b\n"])
    }

    @Test func aFileThatIsEmptiedIsReadFromItsStart() throws {
        let log = try LogWriter(scratch.path)
        log.write("a\nb\n")
        log.flush()
        let follower = try Follower(scratch.path, name)
        try follower.wait("both lines") { follower.count == 2 }
        let file = try File.open(scratch(name), O_WRONLY)
        try File.truncate(file.raw, to: 0)
        log.write("c\n")
        log.flush()
        try follower.wait("the third line") { follower.count == 3 }
        log.end()
        #expect(try follower.end() == ["a\n", "b\n", "c\n"])
    }

    @Test func untilEndsTheFollower() throws {
        let log = try LogWriter(scratch.path)
        log.write("a\n")
        log.flush()
        let follower = try Follower(scratch.path, name, LogQuery(until: LogTime.now.advanced(bySeconds: 1)))
        try follower.wait("the end") { follower.isOver }
        log.end()
        #expect(try follower.end() == ["a\n"])
    }

    @Test("F24: a reader of ours that is gone ends following")
    func aReaderOfOursThatIsGoneEndsIt() throws {
        let log = try LogWriter(scratch.path)
        log.write("a\n")
        log.flush()
        let pipe = try Pipe()
        let output = pipe.keepWriter()
        var count = 0
        let reader = try LogReader(directory: scratch.path, name: name, LogQuery(), notice: { _ in }) { _ in
            count += 1
            return true
        }
        try reader.readAll()
        let followed = try #require(reader.followed { true })
        try Following.run([followed], until: nil, output: FollowingOutput([output.raw]))
        #expect(count == 1)
        log.end()
    }

    @Test func severalLogsAreFollowedAtOnce() throws {
        try scratch.directory("a")
        try scratch.directory("b")
        let logs = try ["a", "b"].map { try LogWriter(scratch($0)) }
        var texts: [String] = []
        var left = 40
        let followed = try ["a", "b"].map { directory in
            let reader = try LogReader(directory: scratch(directory), name: name, LogQuery(), notice: { _ in }) {
                texts.append("\(directory) " + String(decoding: $0.text, as: UTF8.self))
                return true
            }
            return try #require(
                reader.followed {
                    // The writers' turn: each look at the logs finds one more line.
                    left -= 1
                    logs[left % 2].write("\(left)\n")
                    logs[left % 2].flush()
                    return left > 2
                })
        }
        try Following.run(followed, until: nil, output: FollowingOutput())
        let numbers = texts.compactMap { Int($0.dropFirst(2).dropLast()) }
        #expect(numbers.sorted() == Array(numbers.min().map { $0..<40 } ?? 0..<0))
        #expect(texts.contains { $0.hasPrefix("a ") } && texts.contains { $0.hasPrefix("b ") })
    }
}
