import Glibc
import OCI
import Sys
import Testing

@testable import Systemd

/// Peers whose every word is written before they are asked: systemd as it may answer, and what does not keep to the
/// protocol.
@Suite struct ForgedPeerTests {
    private static let login = Array("DATA\r\nOK 0123456789abcdef\r\n".utf8)
    private static let manager = "org.freedesktop.systemd1.Manager"

    /// Runs `body` on a connection that receives `words`; the other end stays open behind them.
    private func connected(
        _ words: [UInt8], patience: Int32 = 300, _ body: (DBusConnection) throws -> Void
    ) throws {
        let pair = try StreamSocket.Pair()
        let ours = try pair.first.duplicate()
        let theirs = pair.keepSecond()
        try StreamSocket.send(theirs.raw, words)
        try body(try DBusConnection(ours, "the test", patience: patience))
        withExtendedLifetime(theirs) {}
    }

    private func reply(_ serial: UInt32, _ body: DBusValue...) throws -> [UInt8] {
        var message = DBusMessage(.reply)
        (message.serial, message.replySerial, message.body) = (100 + serial, serial, body)
        return try #require(message.bytes)
    }

    private func refusal(_ serial: UInt32, _ name: String, _ text: String = "no") throws -> [UInt8] {
        var message = DBusMessage(.error)
        (message.serial, message.replySerial, message.errorName) = (100 + serial, serial, name)
        message.body = [.string(text)]
        return try #require(message.bytes)
    }

    private func removal(of job: String, _ result: String) throws -> [UInt8] {
        var message = DBusMessage(.signal)
        (message.serial, message.path, message.interface) = (99, "/org/freedesktop/systemd1", Self.manager)
        message.member = "JobRemoved"
        message.body = [.uint32(1), .objectPath(job), .string("a.scope"), .string(result)]
        return try #require(message.bytes)
    }

    @Test func theJobsEndIsWaitedFor() throws {
        // Of another job, of ours ahead of the answer that names it, and of what nobody asked for.
        let words =
            try removal(of: "/job/1", "failed") + removal(of: "/job/2", "done") + reply(77, .string("?"))
            + reply(1, .objectPath("/job/2"))
        try connected(Self.login + words) { try SystemdManager($0).start("a.scope", []) }
    }

    @Test(arguments: ["failed", "timeout", "canceled", "dependency", ""])
    func aJobThatFailedIsAnError(_ result: String) throws {
        let words = try reply(1, .objectPath("/job/2")) + removal(of: "/job/2", result) + reply(2)
        try connected(Self.login + words) { connection in
            let error = #expect(throws: SystemdError.self) { try SystemdManager(connection).start("a.scope", []) }
            #expect(error.map { "\($0)" }?.contains("could not start unit a.scope") == true)
        }
    }

    @Test func aUnitThatEndsIsWaitedForAndOneThatRunsIsLeft() throws {
        let exists = "org.freedesktop.systemd1.UnitExists"
        let ended =
            try refusal(1, exists) + reply(2, .objectPath("/unit")) + reply(3, .variant(.string("failed")))
            + reply(4) + reply(5, .objectPath("/job/2")) + removal(of: "/job/2", "done")
        try connected(Self.login + ended) { try SystemdManager($0).start("a.scope", []) }
        let runs = try refusal(1, exists) + reply(2, .objectPath("/unit")) + reply(3, .variant(.string("active")))
        try connected(Self.login + runs) { connection in
            let error = #expect(throws: SystemdError.self) { try SystemdManager(connection).start("a.scope", []) }
            #expect(error?.name == exists)
        }
    }

    @Test func whatIsGoneNeedNotBeStopped() throws {
        let none = "org.freedesktop.systemd1.NoSuchUnit"
        try connected(Self.login + refusal(1, none)) { try SystemdManager($0).stop("a.scope") }
        let stopped = try reply(1, .objectPath("/job/2")) + removal(of: "/job/2", "done") + refusal(2, none)
        try connected(Self.login + stopped) { try SystemdManager($0).stop("a.scope") }
        try connected(Self.login + refusal(1, "org.freedesktop.DBus.Error.AccessDenied", "not\u{1b}[31myou")) {
            connection in
            let error = #expect(throws: SystemdError.self) { try SystemdManager(connection).stop("a.scope") }
            let text = error.map { "\($0)" } ?? ""
            #expect(text.contains("AccessDenied") && text.contains("StopUnit") && !text.contains("\u{1b}"), "\(text)")
        }
    }

    @Test func newPropertiesAreNotSaidToAnOldOne() throws {
        let words =
            try reply(1, .variant(.string("241 (241-5)"))) + reply(2) + reply(3, .objectPath("/unit"))
            + reply(4, .variant(.string("active")))
        let pair = try StreamSocket.Pair()
        let ours = try pair.first.duplicate()
        let theirs = pair.keepSecond()
        try StreamSocket.send(theirs.raw, Self.login + words)
        let connection = try DBusConnection(ours, "the test", patience: 300)
        try SystemdManager(connection).set(
            "a.scope", [UnitProperty("TasksMax", .uint64(5)), UnitProperty("AllowedCPUs", .bytes([1]), since: 244)])
        let said = String(decoding: try StreamSocket.receive(theirs.raw, limit: 65536), as: UTF8.self)
        #expect(said.contains("TasksMax") && !said.contains("AllowedCPUs"))
        #expect(said.hasPrefix("\0AUTH EXTERNAL\r\nDATA\r\nBEGIN\r\nl"))
    }

    @Test func anOldOneWantsNoData() throws {
        let words = Array("OK 0123456789abcdef\r\nERROR\r\n".utf8)
        try connected(words + reply(1, .variant(.string("/x")))) { connection in
            let root = try SystemdManager(connection).root()
            #expect(root == "/x")
        }
    }

    // MARK: What does not keep to the protocol

    @Test func silenceEnds() throws {
        try connected(Self.login, patience: 50) { connection in
            let error = #expect(throws: SystemdError.self) { try SystemdManager(connection).stop("a.scope") }
            guard case .timeout? = error else {
                Issue.record("\(error.map { "\($0)" } ?? "no error")")
                return
            }
        }
        #expect(throws: SystemdError.self) { try connected([], patience: 50) { _ in } }
    }

    @Test(arguments: ["REJECTED EXTERNAL\r\n", "ERROR\r\n", "\r\n", "OK\r\n", "GET / HTTP/1.1\r\n"])
    func aRefusedLoginIsSaid(_ word: String) throws {
        let error = try #require(throws: SystemdError.self) { try connected(Array(word.utf8), patience: 50) { _ in } }
        #expect("\(error)".contains("log in at the test"))
    }

    @Test func aLineWithoutEndIsRefused() throws {
        let error = try #require(throws: SystemdError.self) {
            try connected([UInt8](repeating: 0x41, count: 9000)) { _ in }
        }
        #expect("\(error)".contains("does not end"))
    }

    @Test(arguments: [
        [UInt8](repeating: 0, count: 64), Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8),
        [0x6c, 2, 0, 1, 0xff, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0, 0, 0, 0],
        [0x6c, 2, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff],
        [0x42, 2, 0, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0],
        [0x6c, 2, 0, 9, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0], [0x6c, 77, 0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
    ])
    func whatIsNoMessageIsRefused(_ bytes: [UInt8]) throws {
        try connected(Self.login + bytes) { connection in
            let error = #expect(throws: SystemdError.self) { try SystemdManager(connection).stop("a.scope") }
            guard case .answer? = error else {
                Issue.record("\(error.map { "\($0)" } ?? "no error")")
                return
            }
        }
    }

    @Test func answersOfTheWrongShapeAreRefused() throws {
        for body in [[], [DBusValue.uint32(1)], [.variant(.string("/job"))]] {
            var message = DBusMessage(.reply)
            (message.serial, message.replySerial, message.body) = (5, 1, body)
            let bytes = try #require(message.bytes)
            try connected(Self.login + bytes) { connection in
                #expect(throws: SystemdError.self) { try SystemdManager(connection).stop("a.scope") }
            }
            try connected(Self.login + bytes) { connection in
                #expect(throws: SystemdError.self) { _ = try SystemdManager(connection).property("Id", of: "a.scope") }
            }
        }
    }
}
