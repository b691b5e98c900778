internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `events` of real commands.
    @Suite(.enabled(if: Conditions.canRun, "needs root, overlayfs, the executables and the fixture images"))
    struct EventsTests {
        private let runimg: Runimg
        private let image: String

        init() throws {
            runimg = try Runimg()
            try runimg.check("pull", "-q", "oci:\(Fixtures.layout("busybox")):latest")
            image = try #require(try runimg.check("images", "-q").lines.first)
        }

        /// The events of the data root up to now.
        private func events(_ flags: String...) throws -> [String] {
            let output = try runimg.run(["events", "--since", "1h", "--until", "0s"] + flags)
            guard output.status == 0 else { throw Tool.Failure(output: output) }
            return output.lines
        }

        @Test func eachCommandNotesWhatItDid() throws {
            try runimg.check("create", "--name", "one", "--label", "tier=front", image, "sh", "-c", "exec sleep 60")
            try runimg.check("start", "one")
            try runimg.check("rename", "one", "two")
            try runimg.check("stop", "-t", "1", "-s", "KILL", "two")
            try runimg.check("rm", "two")
            let format = "{{.Action}} {{.Actor.Attributes.name}}"
            #expect(
                try events("-f", "type=container", "--format", format) == [
                    "create one", "start one", "rename two", "kill two", "die two", "stop two", "destroy two",
                ])
            let die = try events("-f", "event=die", "--format", "{{json .Actor.Attributes}}")
            #expect(die.count == 1)
            #expect(die[0].contains(#""exitCode":"137""#) && die[0].contains(#""tier":"front""#))
        }

        @Test func aRunThatRemovesItselfIsWhole() throws {
            #expect(try runimg.run(["run", "--rm", image, "sh", "-c", "exit 3"]).status == 3)
            let lines = try events("-f", "type=container", "--format", "{{.Action}} {{.Actor.Attributes.exitCode}}")
            #expect(lines == ["create <no value>", "start <no value>", "die 3", "destroy <no value>"])
        }

        @Test func imagesAreNoted() throws {
            try runimg.check("rmi", image)
            #expect(try events("-f", "type=image", "--format", "{{.Action}}").suffix(1) == ["delete"])
            #expect(try runimg.run(["rmi", "nosuch"]).status == 1)
        }

        @Test func theLineAndTheObjectAreDockers() throws {
            try runimg.check("run", "--name", "web", image, "true")
            let id =
                try runimg.check("events", "--since", "1h", "--until", "0s", "--format", "{{.ID}}").lines.last ?? ""
            let line = try events("-f", "event=start")[0]
            let parts = line.split(separator: " ", maxSplits: 4).map(String.init)
            #expect(parts[1...3] == ["container", "start", id])
            #expect(parts[4] == "(image=\(image), name=web)")
            let object = try JSONValue(parsing: Array(events("-f", "event=die", "--format", "json")[0].utf8))
            #expect(object["status"]?.string == "die")
            #expect(object["from"]?.string == image)
            #expect(object["Actor"]?["ID"]?.string == id)
            #expect(object["scope"]?.string == "local")
            #expect(object["timeNano"]?.integer.map { $0 / 1_000_000_000 } == object["time"]?.integer)
        }

        @Test func followersSeeWhatHappens() throws {
            var follower = try runimg.start("events", "--format", "{{.Action}}")
            // It is there once it has the log open.
            let isReading = try Wait.until(seconds: 20) {
                try Directory.entries("/proc/\(follower.pid)/fd").contains { entry in
                    (try? File.readLink("/proc/\(follower.pid)/fd/\(entry.name)"))?.contains("inotify") == true
                }
            }
            #expect(isReading)
            #expect(try runimg.run(["run", "--rm", image, "true"]).status == 0)
            let wanted = "create\nstart\ndie\ndestroy\n"
            let sees = Wait.until(seconds: 20) { runimg.startedOutput == wanted }
            #expect(sees, "\(runimg.startedOutput)")
            try follower.stop()
        }

        @Test func aDataRootWithoutEventsHasNone() throws {
            let fresh = try Runimg()
            let output = try fresh.check("events", "--since", "1h", "--until", "0s")
            #expect(output.stdout.isEmpty && output.stderr.isEmpty)
            #expect(try fresh.run(["events", "--format", "{{.Wrong}}"]).status == 64)
        }
    }
}
