internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// The commands of a unit do what the unit says.
    @Suite struct SystemdUnits {
        /// The words behind `KEY=`, which here need no quotes.
        private static func command(_ key: String, _ unit: String) throws -> [String] {
            let line = try #require(unit.split(separator: "\n").first { $0.hasPrefix("\(key)=") })
            return line.dropFirst(key.utf8.count + 1).split(separator: " ").map(String.init)
        }

        @Test func startsAndStopsItsContainer() throws {
            try Lifecycle.isolated { runimg in
                try runimg.check(
                    "create", "-q", "--name", "web", "--stop-signal", "TERM", Lifecycle.image, "sh", "-c",
                    "trap 'exit 5' TERM; echo up; while :; do sleep 0.1; done")
                let directory = try runimg.scratch.directory("units")
                let line = runimg.command(["generate", "systemd", "--name", "--files", "web"])
                // A path that is not absolute means something only here.
                let written = try Tool.check(
                    line[0], line.dropFirst().map { $0 == runimg.configFile ? "../config.json" : $0 },
                    directory: directory)
                let path = "\(directory)/container-web.service"
                #expect(written.lines == [path])
                let unit = String(decoding: try File.readAll(path), as: UTF8.self)
                let start = try Self.command("ExecStart", unit)
                #expect(start.first?.hasPrefix("/") == true && start.first?.hasSuffix("/runimg") == true)
                #expect(start.contains("\(directory)/../config.json"))
                var child = try ChildProcess(
                    start[0], Array(start.dropFirst()), environment: Tool.baseEnvironment, input: .null, output: .null,
                    errors: .null)
                #expect(Wait.until(seconds: 20) { (try? runimg.check("logs", "web").stdout) == "up\n" })
                let stop = try Self.command("ExecStop", unit)
                try Tool.check(stop[0], Array(stop.dropFirst()))
                // What systemd gets to see.
                #expect(try child.wait(seconds: 20) == .exited(5))
            }
        }
    }
}
