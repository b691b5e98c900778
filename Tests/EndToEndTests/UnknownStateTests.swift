internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// A store that somebody else wrote to, or that a crash tore: what can't be understood is said and left alone, and
    /// hides nothing else.
    @Suite struct UnknownState {
        /// What a record may be found to be; `VERSION` becomes the record itself in a later format.
        static let damages = ["", "{", "null", "[]", "\0\0\0\0", "HALF", "VERSION"]

        private static func damaged(_ text: String, _ damage: String) -> String {
            switch damage {
            case "HALF": return String(text.prefix(text.count / 2))
            case "VERSION":
                // Of a member that is there twice the last one counts.
                return text[..<(text.lastIndex(of: "}") ?? text.endIndex)] + ",\"version\":9}"
            default: return damage
            }
        }

        /// A program with an exec root of its own, a container `other`, and a container `mine` with a file in its layer.
        private static func bench() throws -> (runimg: Runimg, id: String, record: String) {
            let runimg = try Runimg()
            try runimg.scratch.file("config.json", #"{"exec-root": "\#(execRoot(runimg))"}"#)
            try runimg.check("pull", "-q", Leaks.image)
            let image = try #require(try runimg.check("images", "-q").lines.first)
            try runimg.check("run", "--name", "other", image, "echo", "here")
            try runimg.check("run", "--name", "mine", "-v", "kept:/kept", image, "sh", "-c", "echo x > /file")
            let id = try #require(try runimg.check("inspect", "-f", "{{.Id}}", "mine").lines.first)
            return (runimg, id, "\(runimg.dataRoot)/containers/\(id)/config.json")
        }

        private static func text(_ path: String) throws -> String {
            String(decoding: try File.readAll(path), as: UTF8.self)
        }

        @Test("F30: a container's record that can't be read costs nobody anything", arguments: damages)
        func record(_ damage: String) throws {
            let (runimg, id, path) = try Self.bench()
            let whole = try Self.text(path)
            try File.replace(path, with: Array(Self.damaged(whole, damage).utf8))
            // The rest works, and the damage is told with its file.
            let listed = try runimg.check("ps", "-a", "--format", "{{.Names}}")
            #expect(listed.lines == ["other"] && listed.stderr.contains(path), "\(listed)")
            #expect(try runimg.check("logs", "other").lines == ["here"])
            #expect(try runimg.check("start", "-a", "other").lines == ["here"])
            // What the container stands on stays.
            for verb in [["rmi", "-f", try runimg.check("images", "-q").lines[0]], ["volume", "rm", "kept"]] {
                let output = try runimg.run(verb)
                #expect(output.status == 1 && output.stderr.contains(path), "\(output)")
            }
            _ = try runimg.run(["volume", "prune", "-af"])
            // Whether it seems to have died with its monitor or with the machine.
            let entry = "\(Self.execRoot(runimg))/\(id)"
            try Directory.makePath(entry, mode: 0o700)
            try File.replace(
                "\(entry)/state.json", with: Array(#"{"dataRoot":"\#(runimg.dataRoot)","pid":1,"isNew":false}"#.utf8))
            try runimg.check("images")
            try File.replace("\(runimg.dataRoot)/containers/boot-id", with: Array("another".utf8))
            try runimg.check("images")
            for verb in [
                ["rm", "mine"], ["start", "mine"], ["inspect", "mine"], ["logs", id], ["cp", "mine:/file", "-"],
            ] {
                let output = try runimg.run(verb)
                #expect(output.status == 1 && output.stderr.contains(path), "\(output)")
            }
            #expect(try Self.text("\(runimg.dataRoot)/overlay2/\(id)/diff/file") == "x\n")
            #expect(File.exists("\(runimg.dataRoot)/volumes/kept/_data"))
            let removed = try runimg.run(["rm", "-f", "mine"])
            if damage == "VERSION" {
                #expect(removed.status == 1 && removed.stderr.contains("format version 9"), "\(removed)")
                try File.replace(path, with: Array(whole.utf8))
                #expect(try runimg.check("start", "mine").lines == ["mine"])
            } else {
                #expect(removed.status == 0, "\(removed)")
                #expect(
                    !File.exists("\(runimg.dataRoot)/overlay2/\(id)")
                        && !File.exists("\(runimg.dataRoot)/containers/\(id)"))
                #expect(try runimg.check("create", "--name", "mine", runimg.check("images", "-q").lines[0]).status == 0)
            }
            try runimg.check("rm", "-f", "--all")
        }

        private static func execRoot(_ runimg: Runimg) -> String { runimg.scratch("run") }

        @Test("F30: a running container whose entry can't be read is not taken for one that ended", arguments: damages)
        func entry(_ damage: String) throws {
            let (runimg, _, _) = try Self.bench()
            let image = try runimg.check("images", "-q").lines[0]
            let id = try #require(
                try runimg.check("run", "-d", "--name", "up", image, "sh", "-c", "echo x > /file; sleep 1000").lines
                    .first)
            let path = "\(Self.execRoot(runimg))/\(id)/state.json"
            let whole = try Self.text(path)
            try File.replace(path, with: Array(Self.damaged(whole, damage).utf8))
            let listed = try runimg.check("ps", "-aq", "--no-trunc")
            #expect(listed.lines.contains(id) && listed.stderr.contains(path), "\(listed)")
            for verb in [
                ["rm", "up"], ["stop", "up"], ["kill", "up"], ["exec", "up", "true"], ["container", "prune", "-f"],
            ] {
                let output = try runimg.run(verb)
                #expect(verb[0] == "container" || output.status == 1, "\(output)")
                #expect(["container", "rm"].contains(verb[0]) || output.stderr.contains(path), "\(output)")
            }
            #expect(File.exists("\(runimg.dataRoot)/overlay2/\(id)/diff/file"))
            if damage == "VERSION" {
                let removed = try runimg.run(["rm", "-f", "up"])
                #expect(removed.status == 1 && removed.stderr.contains("format version 9"), "\(removed)")
                try File.replace(path, with: Array(whole.utf8))
                try runimg.check("exec", "up", "cat", "/file")
            }
            #expect(try runimg.check("rm", "-f", "up").lines == ["up"])
            #expect(!File.exists("\(runimg.dataRoot)/overlay2/\(id)") && Lifecycle.monitor(of: id) == nil)
            #expect(!File.exists("\(Self.execRoot(runimg))/\(id)"))
        }

        @Test("F30: a volume whose record can't be read keeps its files", arguments: damages)
        func volume(_ damage: String) throws {
            let runimg = try Runimg()
            try runimg.check("volume", "create", "--label", "keep", "vol")
            try runimg.check("volume", "create", "wol")
            let path = "\(runimg.dataRoot)/volumes/vol/opts.json"
            try File.replace(path, with: Array(Self.damaged(try Self.text(path), damage).utf8))
            let listed = try runimg.check("volume", "ls", "-q")
            #expect(listed.lines == ["vol", "wol"] && listed.stderr.contains(path), "\(listed)")
            #expect(try runimg.check("volume", "inspect", "vol").stderr.contains(path))
            let pruned = try runimg.run(["volume", "prune", "-af", "--filter", "label!=keep"])
            #expect(pruned.stdout.contains("\nwol\n") && pruned.stderr.contains(path), "\(pruned)")
            #expect(File.exists("\(runimg.dataRoot)/volumes/vol/_data"))
            #expect(try runimg.run(["volume", "rm", "vol"]).status == (damage == "VERSION" ? 1 : 0))
            #expect(File.exists("\(runimg.dataRoot)/volumes/vol/_data") == (damage == "VERSION"))
        }

        @Test("F30: a data root of a later format is shown and not changed") func laterFormat() throws {
            let (runimg, id, _) = try Self.bench()
            let image = try runimg.check("images", "-q").lines[0]
            let format = "\(runimg.dataRoot)/format"
            #expect(try Self.text(format) == "1\ntrusted\n")
            try File.replace(format, with: Array("2\n".utf8))
            try File.replace("\(runimg.dataRoot)/containers/boot-id", with: Array("another".utf8))
            let before = try TreeListing(runimg.dataRoot, .contents)
            for verb in [
                ["images"], ["ps", "-a"], ["inspect", "mine"], ["logs", "other"], ["volume", "ls"], ["diff", "mine"],
            ] {
                try #require(try runimg.run(verb).status == 0, "\(verb)")
            }
            for verb in [
                ["run", image, "true"], ["create", image], ["start", "mine"], ["rm", "mine"], ["rm", "-f", id],
                ["rename", "mine", "his"], ["rmi", image], ["pull", "-q", Leaks.image], ["volume", "create", "new"],
                ["volume", "rm", "kept"], ["commit", "mine", "x"],
            ] {
                let output = try runimg.run(verb)
                #expect(output.status != 0 && output.stderr.contains(format), "\(output)")
            }
            #expect(try TreeListing(runimg.dataRoot, .contents).differences(from: before) == [])
        }

        @Test("F30: what somebody else put into the store is left there") func strangers() throws {
            let (runimg, _, _) = try Self.bench()
            let image = try runimg.check("images", "-q").lines[0]
            let files = [
                "containers/note", "containers/names/dir/note", "tmp/note", "tmp/dir/note", "volumes/note",
                "overlay2/note", "overlay2/l/note", "image/overlay2/note", "image/overlay2/layerdb/sha256/note",
                "image/overlay2/imagedb/content/sha256/note", "locks/note",
            ]
            for file in files { try runimg.scratch.file("data/\(file)", "note") }
            // A name whose container is gone is free.
            try File.symlink(String(repeating: "f", count: 64), "\(runimg.dataRoot)/containers/names/free")
            try runimg.check("run", "--rm", "--name", "free", image, "true")
            try runimg.check("rm", "other", "mine")
            for verb in [["images"], ["ps", "-a"], ["volume", "ls"], ["volume", "prune", "-af"], ["rmi", image]] {
                try runimg.check(verb[0], Array(verb.dropFirst()))
            }
            for file in files { #expect(File.exists("\(runimg.dataRoot)/\(file)"), "\(file)") }
        }

        @Test("F30: an event log whose last line is torn takes the next one") func events() throws {
            let (runimg, _, _) = try Self.bench()
            let path = "\(runimg.dataRoot)/events.log"
            try File.replace(path, with: Array(try Self.text(path).dropLast(30).utf8))
            try runimg.check("rename", "mine", "his")
            let output = try runimg.check("events", "--since", "1h", "--until", "0s", "--format", "{{.Action}}")
            #expect(output.lines.last == "rename" && output.lines.contains("create"), "\(output)")
        }
    }
}

extension Runimg {
    fileprivate func check(_ verb: String, _ rest: [String]) throws {
        let output = try run([verb] + rest)
        guard output.status == 0 else { throw Tool.Failure(output: output) }
    }
}
