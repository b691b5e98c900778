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
            #expect(
                lines
                    == ["create", "attach", "start", "die", "destroy"].map {
                        $0 == "die" ? "die 3" : "\($0) <no value>"
                    })
        }

        @Test func imagesAreNoted() throws {
            let id = try #require(try runimg.check("images", "-q", "--no-trunc").lines.first)
            try runimg.check("create", "--name", "one", "--label", "a=b", image, "true")
            let made = try runimg.check("commit", "-m", "said", "one", "made:1").lines[0]
            try runimg.check("rm", "one")
            try runimg.check("rmi", "made:1")
            try runimg.check("rmi", image)
            #expect(try runimg.run(["rmi", "nosuch"]).status == 1)
            let format = "{{.Action}} {{.Actor.ID}} {{.Actor.Attributes.name}} {{.Actor.Attributes.a}}"
            let none = "<no value>"
            #expect(
                try events("-f", "type=image", "--format", format) == [
                    // Of a layout without a name for it.
                    "pull \(id) \(id) \(none)", "tag \(made) made:1 b", "untag \(made) \(made) b",
                    "delete \(made) \(made) \(none)", "delete \(id) \(id) \(none)",
                ])
            let commit = try events("-f", "event=commit", "--format", "{{json .Actor.Attributes}}")
            #expect(
                commit.count == 1 && commit[0].contains(#""comment":"said","image":"\#(image)","imageID":"\#(made)""#))
            #expect(commit[0].contains(#""imageRef":"made:1""#))
        }

        @Test(.enabled(if: Conditions.has("skopeo"), "needs skopeo")) func archivesAreNotedAsRegistriesAre() throws {
            let archive = runimg.scratch("busybox.tar")
            try Tool.check(
                "skopeo",
                [
                    "--insecure-policy", "copy", "--quiet", "oci:\(Fixtures.layout("busybox")):latest",
                    "docker-archive:\(archive):box/busy:2",
                ])
            let fresh = try Runimg()
            try fresh.check("pull", "-q", "docker-archive:\(archive)")
            let lines = try fresh.check(
                "events", "--since", "1h", "--until", "0s", "--format",
                "{{.Action}} {{.Actor.ID}} {{.Actor.Attributes.name}}"
            ).lines
            #expect(lines == ["pull box/busy:2 box/busy"])
        }

        @Test func processesThatJoinAreNoted() throws {
            try runimg.check("run", "-d", "--name", "one", image, "sleep", "1000")
            #expect(try runimg.run(["exec", "one", "sh", "-c", "exit 3"]).status == 3)
            try runimg.check("exec", "-d", "one", "true")
            try runimg.check("pause", "one")
            try runimg.check("unpause", "one")
            try runimg.check("update", "--pids-limit", "50", "one")
            try runimg.check("restart", "-t", "0", "one")
            try runimg.check("rename", "one", "two")
            let format = "{{.Action}}|{{.Actor.Attributes.exitCode}}|{{.Actor.Attributes.oldName}}"
            let none = "<no value>"
            #expect(
                try events("-f", "container=one", "-f", "container=two", "--format", format).map {
                    $0.hasSuffix("|\(none)|\(none)") ? String($0.dropLast(22)) : $0
                } == [
                    "create", "start", "exec_create: sh -c exit 3", "exec_start: sh -c exit 3", "exec_die|3|\(none)",
                    "exec_create: true", "exec_start: true", "pause", "unpause", "update", "kill", "die|137|\(none)",
                    "stop", "start", "restart", "rename|\(none)|/one",
                ])
            let ids = try events(
                "-f", "event=exec_start", "-f", "event=exec_die", "--format", "{{.Actor.Attributes.execID}}")
            #expect(ids.count == 3 && ids[0].utf8.count == 64 && ids[0] == ids[1] && ids[1] != ids[2], "\(ids)")
            try runimg.check("rm", "-f", "two")
        }

        @Test func volumesAreNoted() throws {
            try runimg.check("volume", "create", "kept")
            try runimg.check("volume", "create", "kept")
            try runimg.check("run", "--rm", "-v", "kept:/a:ro", "-v", "/b", image, "true")
            try runimg.check("volume", "rm", "kept")
            let attributes = ".Actor.Attributes"
            let lines = try events(
                "-f", "type=volume", "--format",
                "{{.Action}} {{len .Actor.ID}} {{\(attributes).driver}} {{\(attributes).destination}} "
                    + #"{{index \#(attributes) "read/write"}}"#
            ).map { $0.split(separator: "<")[0] }
            #expect(
                lines == [
                    "create 4 local ", "create 64 local ", "mount 4 local /a false", "mount 64 local /b true",
                    "unmount 4 local ", "unmount 64 local ", "destroy 64 local ", "destroy 4 local ",
                ])
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
            let wanted = "create\nattach\nstart\ndie\ndestroy\n"
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
