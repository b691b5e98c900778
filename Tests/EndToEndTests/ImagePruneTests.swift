internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `image prune`, `system df` and `system prune` on images, containers and volumes that are there.
    @Suite struct ImagePrune {
        /// A store with the image `base:1`, `made:1` on top of it, and one on top of it that lost its name to that.
        private static func bench() throws -> Runimg {
            let runimg = try Runimg()
            try runimg.check("pull", "-q", Leaks.image)
            try runimg.check("tag", try #require(try runimg.check("images", "-q").lines.first), "base:1")
            for text in ["old", "newer"] {
                let script = "echo \(text) > /text"
                try runimg.check("run", "--network", "none", "--name", "box", "base:1", "sh", "-c", script)
                try runimg.check("commit", "box", "made:1")
                try runimg.check("rm", "box")
            }
            return runimg
        }

        private static func names(_ runimg: Runimg) throws -> [String] {
            try runimg.check("images", "--format", "{{.Repository}}:{{.Tag}}").lines.sorted()
        }

        @Test func danglingImagesGoAndTheRestStays() throws {
            let runimg = try Self.bench()
            #expect(try Self.names(runimg) == ["<none>:<none>", "base:1", "made:1"])
            let id = try #require(
                try runimg.check("images", "-q", "--no-trunc", "-f", "dangling=true").lines.first)
            #expect(try runimg.check("image", "prune", "-f", "--filter", "until=24h").lines.count == 1)
            let asked = try runimg("image", "prune", input: "n\n")
            #expect(asked.status == 0 && asked.stdout.hasSuffix("[y/N] "), "\(asked)")
            let pruned = try runimg("image", "prune", input: "y\n")
            let lines = pruned.stdout.split(separator: "\n").map(String.init)
            #expect(pruned.status == 0 && lines.contains("deleted: \(id)"), "\(pruned)")
            #expect(lines.count { $0.hasPrefix("deleted: ") } == 2, "\(pruned)")
            // The file `text` of the old one.
            #expect(lines.last == "Total reclaimed space: 4B", "\(pruned)")
            #expect(try Self.names(runimg) == ["base:1", "made:1"])
            #expect(try runimg.check("run", "--rm", "made:1", "cat", "/text").lines == ["newer"])
            #expect(try runimg.check("image", "prune", "-f").stdout == "Total reclaimed space: 0B\n")
        }

        @Test func allUnusedImagesGoAndThoseOfContainersStay() throws {
            let runimg = try Self.bench()
            try runimg.check("tag", "base:1", "base:2")
            try runimg.check("create", "--network", "none", "--name", "box", "base:1", "true")
            try runimg.check("image", "prune", "-a", "-f")
            // Neither name of an image that is in use goes.
            #expect(try Self.names(runimg) == ["base:1", "base:2"])
            #expect(try runimg.check("start", "-a", "box").status == 0)
            try runimg.check("rm", "box")
            let last = try runimg.check("image", "prune", "-a", "-f").lines
            #expect(last.count { $0.hasPrefix("untagged: base:") } == 2, "\(last)")
            #expect(try Self.names(runimg) == [])
            #expect(try Directory.entries("\(runimg.dataRoot)/overlay2/l").isEmpty)
        }

        @Test func whatTakesSpaceIsShownAndPruned() throws {
            let runimg = try Self.bench()
            try runimg.check(
                "run", "--network", "none", "--name", "box", "-v", "/anon", "-v", "named:/x", "made:1", "sh", "-c",
                "head -c 5000 /dev/zero > /file; head -c 300 /dev/zero > /x/file; head -c 70 /dev/zero > /anon/file")
            func space() throws -> [String] {
                try runimg.check("system", "df", "--format", "{{.Type}} {{.TotalCount}} {{.Active}} {{.Size}}").lines
            }
            let before = try space()
            #expect(before[0].hasPrefix("Images 3 1 "), "\(before)")
            #expect(
                before[1...] == ["Containers 1 0 5kB", "Local Volumes 2 2 370B", "Build Cache 0 0 0B"], "\(before)")
            let full = try runimg.check("system", "df", "-v").stdout
            #expect(full.contains("named") && full.contains("300B") && full.contains("made"), "\(full)")
            let pruned = try runimg.check("system", "prune", "-f", "--volumes").stdout
            #expect(pruned.hasPrefix("Deleted Containers:\n"), "\(pruned)")
            #expect(pruned.contains("\n\nDeleted Volumes:\n"), "\(pruned)")
            #expect(pruned.contains("\n\nDeleted Images:\ndeleted: sha256:"), "\(pruned)")
            #expect(pruned.hasSuffix("\n\nTotal reclaimed space: 5.074kB\n"), "\(pruned)")
            let after = try space()
            #expect(after[0].hasPrefix("Images 2 0 "), "\(after)")
            #expect(after[1...] == ["Containers 0 0 0B", "Local Volumes 1 0 300B", "Build Cache 0 0 0B"], "\(after)")
            #expect(try runimg.check("volume", "ls", "-q").lines == ["named"])
        }

        @Test("an image that is tagged beside a prune of dangling ones is there after, or the tag was refused")
        func besideTags() throws {
            let runimg = try Self.bench()
            try runimg.check("create", "--network", "none", "--name", "box", "base:1", "true")
            let script = #"""
                for i in $(seq 6); do
                    id=$("$@" commit box)
                    "$@" image prune -f > /dev/null &
                    if "$@" tag $id saved:$i 2> /dev/null; then
                        wait; "$@" run --rm --network none saved:$i true && echo kept
                    else
                        wait; "$@" image exists $id || echo gone
                    fi
                done
                """#
            let output = try Tool.run("sh", ["-c", script, "sh"] + runimg.command([]), timeout: 120)
            #expect(output.lines.count == 6 && output.stderr.isEmpty, "\(output)")
            let saved = try Self.names(runimg).count { $0.hasPrefix("saved:") }
            #expect(saved == output.lines.count { $0 == "kept" }, "\(output)")
        }

        @Test("a prune of all beside runs and pulls: what got a container is there after")
        func besideOthers() throws {
            let runimg = try Self.bench()
            let script = #"""
                source=$1; id=$2; shift 2
                for i in $(seq 4); do
                    "$@" image prune -a -f > /dev/null &
                    "$@" pull -q $source > /dev/null || echo failed &
                    "$@" create --network none --name c$i made:1 cat /text > /dev/null 2>&1 && echo c$i &
                    wait
                    for made in $("$@" ps -aq); do "$@" start -a $made > /dev/null || echo lost; done
                    "$@" rm -f --all > /dev/null
                    "$@" tag $id made:1 2> /dev/null
                done
                """#
            let id = try #require(try runimg.check("images", "-q", "made:1").lines.first)
            let output = try Tool.run(
                "sh", ["-c", script, "sh", Leaks.image, id] + runimg.command([]), timeout: 120)
            #expect(output.status == 0 || output.stderr.isEmpty, "\(output)")
            #expect(!output.lines.contains("lost") && !output.lines.contains("failed"), "\(output)")
            for image in try Set(runimg.check("images", "-q").lines) {
                #expect(try runimg("run", "--rm", image, "true").status == 0, "\(image)")
            }
            #expect(try runimg.staged() == ["blobs"])
        }

        @Test(
            "F3: a prune that is killed takes a whole image or none, and the next one ends it",
            .enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"),
            arguments: ["/^rename", "/^unlink", "fsync", "flock"])
        func aPruneKilledAtACall(_ call: String) throws {
            let runimg = try Self.bench()
            try CrashEnumerator(call, samples: 3).run(
                prepare: {
                    try runimg.check("pull", "-q", Leaks.image)
                    try runimg.check("run", "--network", "none", "--name", "box", "base:1", "touch", "/file")
                    try runimg.check("commit", "box")
                    try runimg.check("rm", "box")
                },
                command: { _, prefix in try runimg.run(["image", "prune", "-f"], under: prefix).status == 0 },
                check: { _, moment, ended in
                    let dangling = try runimg.check("images", "-q", "-f", "dangling=true").lines
                    #expect(!ended || dangling.isEmpty, "\(moment)")
                    for image in dangling {
                        #expect(try runimg("run", "--rm", image, "true").status == 0, "\(moment)")
                    }
                    try runimg.check("image", "prune", "-f")
                    #expect(try Self.names(runimg) == ["base:1", "made:1"], "\(moment)")
                    #expect(try runimg.check("run", "--rm", "made:1", "cat", "/text").lines == ["newer"], "\(moment)")
                    #expect(try runimg.staged() == ["blobs"], "\(moment)")
                    #expect(try Directory.entries("\(runimg.dataRoot)/overlay2/l").count == 2, "\(moment)")
                })
        }
    }
}
