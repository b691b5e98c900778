import Glibc
import OCI
import Sys
import TestSupport
import Testing

@testable import Systemd

/// Against Debian's dbus-daemon, which is a bus without systemd on it, and against peers that do not keep to the protocol.
@Suite struct ConnectionTests {
    /// A bus of the test's own.
    private final class Bus {
        let scratch: Scratch
        private var daemon: ChildProcess
        var path: String { scratch("bus") }

        init() throws {
            scratch = try Scratch(below: "/tmp")
            let configuration = try scratch.file(
                "bus.conf",
                """
                <busconfig>
                  <type>system</type><listen>unix:path=\(scratch("bus"))</listen><auth>EXTERNAL</auth>
                  <policy context="default">
                    <allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/><allow user="*"/>
                  </policy>
                </busconfig>
                """)
            daemon = try ChildProcess(
                "/usr/bin/dbus-daemon", ["--nofork", "--nosyslog", "--config-file=\(configuration)"],
                environment: Tool.baseEnvironment)
            let path = scratch("bus")
            try #require(Wait.until(seconds: 20) { File.exists(path) })
        }

        deinit {
            try? daemon.signal(SIGTERM)
            _ = try? daemon.wait(seconds: 10) ?? daemon.kill()
        }
    }

    private static let hasDaemon = Conditions.has("dbus-daemon")
    private static let bus = "org.freedesktop.DBus"
    private static let path = "/org/freedesktop/DBus"

    @Test(.enabled(if: hasDaemon, "needs dbus-daemon")) func speaksWithABus() throws {
        let bus = try Bus()
        let connection = try DBusConnection(bus.path)
        let name = try connection.call("Hello", of: Self.bus, at: Self.path, Self.bus)
        #expect(name.first?.text?.hasPrefix(":1.") == true)
        let names = try connection.call("ListNames", of: Self.bus, at: Self.path, Self.bus)
        guard case .array("s", let all)? = names.first else {
            Issue.record("\(names)")
            return
        }
        #expect(all.contains(.string(Self.bus)) && all.contains(name[0]))
        let taken = try connection.call(
            "RequestName", of: Self.bus, at: Self.path, Self.bus, [.string("org.runimg.Test"), .uint32(4)])
        #expect(taken == [.uint32(1)])
        // The signal of it came before the answer, and was kept.
        let signal = try connection.awaitSignal("NameAcquired", of: Self.bus, for: "the name") {
            $0.first?.text == "org.runimg.Test"
        }
        #expect(signal == [.string("org.runimg.Test")])
        // More than what is read at once.
        for number in 0..<200 {
            let text = "org.runimg.Test.a\(number)" + String(repeating: "x", count: 200)
            try connection.call(
                "RequestName", of: Self.bus, at: Self.path, Self.bus, [.string(text), .uint32(4)])
        }
        let more = try connection.call("ListNames", of: Self.bus, at: Self.path, Self.bus)
        guard case .array("s", let many)? = more.first else {
            Issue.record("\(more)")
            return
        }
        #expect(many.count > 200)
    }

    @Test(.enabled(if: hasDaemon, "needs dbus-daemon")) func errorsHaveTheirNameAndText() throws {
        let bus = try Bus()
        let connection = try DBusConnection(bus.path)
        try connection.call("Hello", of: Self.bus, at: Self.path, Self.bus)
        let error = try #require(throws: SystemdError.self) {
            try connection.call("NoSuchMethod", of: Self.bus, at: Self.path, Self.bus)
        }
        #expect(error.name == "org.freedesktop.DBus.Error.UnknownMethod" && "\(error)".contains("NoSuchMethod"))
        let wrong = try #require(throws: SystemdError.self) {
            try connection.call("RequestName", of: Self.bus, at: Self.path, Self.bus, [.boolean(true)])
        }
        #expect(wrong.name == "org.freedesktop.DBus.Error.InvalidArgs")
        // It is still in step with the other end.
        let id = try connection.call("GetId", of: Self.bus, at: Self.path, Self.bus)
        #expect(id.first?.text?.utf8.count == 32)
        let never = try #require(throws: SystemdError.self) {
            try connection.call("X", of: "a.b", at: "/", "a.b", [.string("a\0b")])
        }
        #expect(never.name == "org.freedesktop.DBus.Error.InvalidArgs")
    }

    @Test(.enabled(if: hasDaemon, "needs dbus-daemon")) func aBusWithoutSystemdIsSaid() throws {
        let bus = try Bus()
        let places = [
            SystemdPlace(path: bus.scratch("nothing"), isBus: true), SystemdPlace(path: bus.path, isBus: true),
        ]
        let error = try #require(throws: SystemdError.self) { try SystemdManager(places: places, name: "systemd") }
        let text = "\(error)"
        #expect(text.contains(bus.scratch("nothing")) && text.contains("ENOENT"), "\(text)")
        #expect(text.contains("ServiceUnknown") && text.contains("--cgroup-manager cgroupfs"), "\(text)")
    }
}
