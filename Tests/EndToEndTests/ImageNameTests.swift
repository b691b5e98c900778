internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// A tag that its registry moves.
    @Suite(.enabled(if: Conditions.canPull, "needs docker-registry and skopeo")) struct MovedTags {
        @Test("T12: a tag that was moved changes nothing until a pull is asked for") func aMovedTag() throws {
            let registry = try PullCommand.fixtureRegistry()
            let runimg = try Runimg(mirror: registry)
            let id = try {
                try runimg.check("pull", "-q", "fixture")
                return try runimg.check("images", "-q", "--no-trunc").lines[0]
            }()
            try registry.push("oci:\(Fixtures.layout("multi")):latest", as: "library/fixture:latest")
            func image(_ flags: String...) throws -> Substring? {
                let created = try runimg.run(["create", "-q"] + flags + ["fixture", "true"]).lines.first
                let name = String(try #require(created))
                defer { _ = try? runimg.check("rm", name) }
                return try runimg.check("inspect", "-f", "{{.Image}}", name).lines.first.map { $0[...] }
            }
            let asked = try registry.requests().count
            #expect(try image() == id[...])
            #expect(try image() == id[...])
            #expect(try registry.requests().count == asked)
            #expect(try image("--pull", "always") != id[...])
        }
    }

    /// `tag`, `rmi` and `history`: what an image is called, also when a command is killed or the disk fails.
    @Suite struct ImageNames {
        /// A store with one image, `base:1`.
        private static func bench() throws -> Runimg {
            let runimg = try Runimg()
            try runimg.check("pull", "-q", Leaks.image)
            try runimg.check("tag", try #require(try runimg.check("images", "-q").lines.first), "base:1")
            return runimg
        }

        private static func names(_ runimg: Runimg) throws -> [String] {
            try runimg.check("images", "--format", "{{.Repository}}:{{.Tag}}").lines.sorted()
        }

        @Test func anImageIsTaggedAndRunsByEachName() throws {
            let runimg = try Self.bench()
            try runimg.check("image", "tag", "base:1", "127.0.0.1:5000/team/app")
            #expect(try Self.names(runimg) == ["127.0.0.1:5000/team/app:latest", "base:1"])
            for name in ["127.0.0.1:5000/team/app", "base:1"] {
                #expect(try runimg.check("run", "--rm", name, "echo", name).lines == [name])
            }
            let seen = try runimg.check(
                "events", "--since", "1h", "--until", "0s", "--filter", "event=tag", "--format",
                "{{.Action}} {{.Actor.Attributes.name}}")
            #expect(seen.lines == ["tag base:1", "tag 127.0.0.1:5000/team/app:latest"], "\(seen)")
        }

        static let refusals: [([String], String)] = [
            (["nope", "x"], "No such image: nope:latest"),
            (["base:1", "UPPER"], "error parsing reference: \"UPPER\" is not a valid repository/tag: invalid refer"),
            (["Base", "x"], "error parsing reference: \"Base\" is not a valid repository/tag: invalid reference"),
            (["base:1", ""], "error parsing reference: \"\" is not a valid repository/tag: invalid reference format"),
            (["base:1", "x@sha256:" + String(repeating: "a", count: 64)], "refusing to create a tag with a digest"),
            (["base:1", String(repeating: "a", count: 64)], "cannot specify 64-byte hexadecimal strings"),
            (["base:1", "sha256:abc"], "refusing to create an ambiguous tag using digest algorithm as name"),
            (["base:1", "../x"], "is not a valid repository/tag"), (["base:1", "a\u{1b}[2J"], "U+001B"),
        ]

        @Test("a name that is none, or is no name of an image, is refused", arguments: refusals)
        func refused(_ names: [String], _ message: String) throws {
            let runimg = try Self.bench()
            let before = try runimg.storeListing()
            let output = try runimg.run(["tag"] + names)
            #expect(output.status == 1 && output.stderr.contains(message), "\(output)")
            #expect(output.stdout.isEmpty && !output.stderr.utf8.contains(0x1b), "\(output)")
            #expect(try runimg.storeListing() == before)
        }

        @Test func severalAreRemovedAndOneThatIsNotThereIsAnError() throws {
            let runimg = try Self.bench()
            for name in ["a:1", "a:2", "b"] { try runimg.check("tag", "base:1", name) }
            let some = try runimg("rmi", "a:1", "nope", "b")
            #expect(some.status == 1 && some.stdout == "Untagged: a:1\nUntagged: b:latest\n", "\(some)")
            #expect(some.stderr == "runimg: No such image: nope:latest\n", "\(some)")
            let forced = try runimg("rmi", "-f", "nope", "a:2")
            #expect(forced.status == 0 && forced.stdout == "Untagged: a:2\n", "\(forced)")
            let id = try #require(try runimg.check("images", "-q", "--no-trunc").lines.first)
            let last = try runimg.check("image", "rm", "base:1").lines
            #expect(last.prefix(2) == ["Untagged: base:1", "Deleted: \(id)"], "\(last)")
            #expect(last.dropFirst(2).allSatisfy { $0.hasPrefix("Deleted: sha256:") } && last.count > 2, "\(last)")
            #expect(try Self.names(runimg) == [])
        }

        @Test func anImageOfSeveralRepositoriesAndOneWithAContainerWantForce() throws {
            let runimg = try Self.bench()
            try runimg.check("tag", "base:1", "other:1")
            let id = try #require(try runimg.check("images", "-q").lines.first)
            let several = try runimg("rmi", id)
            #expect(
                several.stderr
                    == "runimg: conflict: unable to delete \(id) (must be forced) - image is referenced in multiple "
                    + "repositories\n")
            try runimg.check("create", "--network", "none", "--name", "box", "base:1", "true")
            try runimg.check("rmi", "other:1")
            let used = try runimg("rmi", "base:1")
            #expect(used.status == 1 && used.stderr.contains("(must force) - container "), "\(used)")
            #expect(try Self.names(runimg) == ["base:1"])
            // Its layers stay as long as the container does.
            try runimg.check("rmi", "-f", id)
            #expect(try Self.names(runimg) == [])
            #expect(try !Directory.entries("\(runimg.dataRoot)/overlay2/l").isEmpty)
            try runimg.check("start", "-a", "box")
            try runimg.check("cp", "box:/etc/passwd", runimg.scratch("passwd"))
            try runimg.check("commit", "box", "saved:1")
            #expect(try runimg.check("run", "--rm", "--network", "none", "saved:1", "echo", "ran").stdout == "ran\n")
            try runimg.check("rmi", "saved:1")
            try runimg.check("rm", "box")
            try runimg.check("image", "prune", "-f")
            #expect(try Directory.entries("\(runimg.dataRoot)/overlay2").map(\.name) == ["l"])
        }

        @Test func historyTellsTheStepsOfAnImage() throws {
            let runimg = try Self.bench()
            try runimg.check("create", "--network", "none", "--name", "box", "base:1", "sh", "-c", "x")
            try runimg.check("commit", "-m", "a text", "box", "made:1")
            let top = try #require(try runimg.check("images", "-q", "made:1").lines.first)
            let format = "{{.ID}}|{{.CreatedBy}}|{{.Comment}}"
            let steps = try runimg.check("history", "--format", format, "made:1").lines
            #expect(steps.first == "\(top)|sh -c x|a text", "\(steps)")
            #expect(steps.dropFirst().allSatisfy { $0.hasPrefix("<missing>|") }, "\(steps)")
            let shown = try runimg.check("inspect", "-f", "{{.Size}}", "made:1").lines
            let sizes = try runimg.check("image", "history", "-H=false", "--format", "{{.Size}}", "made:1").lines
            if steps.count > 1 { #expect(sizes.compactMap { Int($0) }.reduce(0, +) == Int(shown[0]), "\(sizes)") }
            #expect(try runimg("history", "nope").stderr == "runimg: No such image: nope:latest\n")
            try runimg.check("rm", "box")
        }

        @Test(
            "F3: a tag that is killed: the name is there or not, and no other name is lost",
            .enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"),
            arguments: ["/^rename", "write", "fsync", "openat", "flock", "/^mkdir"])
        func aTagKilledAtACall(_ call: String) throws {
            let runimg = try Self.bench()
            try runimg.check("tag", "base:1", "moved:1")
            let other = try Self.secondImage(runimg)
            let (before, wanted) = (try Self.id(runimg, "base:1"), try Self.id(runimg, other))
            #expect(before != wanted)
            try CrashEnumerator(call, samples: call == "/^rename" ? nil : 3).run(
                prepare: { try runimg.check("tag", "base:1", "moved:1") },
                command: { _, prefix in try runimg.run(["tag", other, "moved:1"], under: prefix).status == 0 },
                check: { _, moment, ended in
                    #expect(try Self.names(runimg) == ["base:1", "moved:1", "second:1"], "\(moment)")
                    let id = try Self.id(runimg, "moved:1")
                    #expect(id == wanted || (!ended && id == before), "\(moment)")
                    #expect(try runimg("run", "--rm", "moved:1", "true").status == 0, "\(moment)")
                    #expect(try runimg.staged() == ["blobs"], "\(moment)")
                })
        }

        @Test(
            "F7: a tag on a disk that fails says so and loses no name",
            .enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"),
            arguments: [("write", "ENOSPC"), ("fsync", "EIO"), ("/^rename", "EIO"), ("openat", "EMFILE")])
        func aTagOnAFailingDisk(_ call: String, _ error: String) throws {
            let runimg = try Self.bench()
            try ErrnoInjection.each(call, error, samples: 4) { prefix, fault in
                let output = try runimg.run(["tag", "base:1", "new:1"], under: prefix)
                let names = try Self.names(runimg)
                let isUntouched = output.status != 0 && names == ["base:1"]
                #expect(isUntouched || names == ["base:1", "new:1"], "\(fault) \(output)")
                #expect(output.status == 0 || !output.stderr.isEmpty, "\(fault) \(output)")
                try runimg.check("rmi", "-f", "new:1")
                #expect(try runimg.staged() == ["blobs"], "\(fault)")
            }
        }

        private static func id(_ runimg: Runimg, _ name: String) throws -> String {
            try runimg.check("image", "inspect", "-f", "{{.Id}}", name).stdout
        }

        /// Another image, `second:1`.
        private static func secondImage(_ runimg: Runimg) throws -> String {
            try runimg.check("create", "--network", "none", "--name", "box", "base:1", "true")
            try runimg.check("commit", "box", "second:1")
            try runimg.check("rm", "box")
            return "second:1"
        }

        @Test("tags and removals at once lose no name, and remove what they were told to")
        func tagsAndRemovalsAtOnce() throws {
            let runimg = try Self.bench()
            let script = #"""
                for i in $(seq 8); do "$@" tag base:1 gone:$i; done
                for i in $(seq 8); do
                    "$@" tag base:1 kept:$i &
                    "$@" rmi gone:$i > /dev/null &
                done
                wait
                """#
            let output = try Tool.run("sh", ["-c", script, "sh"] + runimg.command([]))
            #expect(output.status == 0 && output.stderr.isEmpty, "\(output)")
            #expect(try Self.names(runimg) == ["base:1"] + (1...8).map { "kept:\($0)" })
        }

        @Test("an image whose last name goes while it gets another is there whole or not at all")
        func theLastNameRacesWithANewOne() throws {
            let runimg = try Self.bench()
            let script = #"""
                "$@" tag last:1 next:1 2> /dev/null & tagger=$!
                "$@" rmi last:1 > /dev/null
                echo "removed=$?"
                wait $tagger; echo "tagged=$?"
                "$@" images --format '{{.Repository}}:{{.Tag}}'
                """#
            for round in 0..<8 {
                try runimg.check("pull", "-q", Leaks.image)
                let id = try #require(try runimg.check("images", "-q").lines.first)
                try runimg.check("tag", id, "last:1")
                for name in try Self.names(runimg) where name != "last:1" && name != "<none>:<none>" {
                    try runimg.check("rmi", name)
                }
                let output = try Tool.run("sh", ["-c", script, "sh"] + runimg.command([]))
                #expect(
                    [["removed=0", "tagged=0", "next:1"], ["removed=0", "tagged=1"]].contains(output.lines),
                    "round \(round): \(output)")
                if output.lines.contains("next:1") {
                    #expect(try runimg("run", "--rm", "next:1", "true").status == 0)
                    try runimg.check("rmi", "next:1")
                }
                #expect(try Directory.entries("\(runimg.dataRoot)/overlay2/l").isEmpty, "round \(round)")
            }
        }
    }
}
