internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// When images were used, and what prunes make of it.
    @Suite struct ImageUse {
        /// Images `base:1`, and `first:1` and `second:1` on top of it with a layer of 5000 and 300 bytes each.
        private static func bench() throws -> Runimg {
            let runimg = try Runimg()
            try runimg.check("pull", "-q", Leaks.image)
            try runimg.check("tag", try #require(try runimg.check("images", "-q").lines.first), "base:1")
            for (name, bytes) in [("first:1", 5000), ("second:1", 300)] {
                let script = "head -c \(bytes) /dev/zero > /file"
                try runimg.check("run", "--network", "none", "--name", "box", "base:1", "sh", "-c", script)
                try runimg.check("commit", "box", name)
                try runimg.check("rm", "box")
            }
            return runimg
        }

        private static func names(_ runimg: Runimg) throws -> [String] {
            try runimg.check("images", "--format", "{{.Repository}}:{{.Tag}}").lines.sorted()
        }

        private static func records(_ runimg: Runimg, _ name: String) throws -> String {
            let id = try runimg.check("inspect", "-f", "{{.Id}}", name).lines[0].dropFirst("sha256:".count)
            return "\(runimg.dataRoot)/image/overlay2/imagedb/metadata/sha256/\(id)"
        }

        /// Makes it an image that was used so long ago.
        private static func age(_ runimg: Runimg, _ name: String, days: Int) throws {
            let records = try records(runimg, name)
            // An image that was committed is as old as its config's file.
            let config = "\(runimg.dataRoot)/image/overlay2/imagedb/content/sha256/\(records.suffix(64))"
            for file in ["\(records)/manifests", "\(records)/used", config] where File.exists(file) {
                try Tool.check("touch", ["-d", "\(days) days ago", file])
            }
        }

        private static func lastUsed(_ runimg: Runimg, _ name: String) throws -> String {
            try runimg.check("images", "--format", "{{.LastUsed}}", name).lines[0]
        }

        @Test func runsStartsAndRemovalsCount() throws {
            let runimg = try Self.bench()
            #expect(try Self.lastUsed(runimg, "first:1").hasSuffix("ago"))
            for line in [
                ["create", "--name", "box", "base:1", "true"], ["start", "-a", "box"], ["rm", "box"],
                ["run", "--rm", "base:1", "true"], ["pull", "-q", Leaks.image],
                ["unpack", "base:1", runimg.scratch("tree")],
            ] {
                try Self.age(runimg, "base:1", days: 20)
                #expect(try Self.lastUsed(runimg, "base:1") == "2 weeks ago")
                #expect(try runimg.run(line).status == 0)
                #expect(try Self.lastUsed(runimg, "base:1").contains("second"), "\(line)")
            }
            try Self.age(runimg, "base:1", days: 20)
            let shown = try runimg.check("inspect", "-f", "{{.LastUsed}}", "base:1").lines[0]
            let expected = try Tool.check("date", ["-u", "-d", "20 days ago", "+%Y-%m-%dT"]).lines[0]
            #expect(shown.hasPrefix(expected), "\(shown)")
        }

        @Test("a use that can't be noted keeps nobody from it", .enabled(if: Conditions.has("strace"), "needs strace"))
        func notesMayFail() throws {
            let runimg = try Self.bench()
            let records = try Self.records(runimg, "base:1")
            try Directory.removeTree(records)
            try runimg.check("run", "--rm", "base:1", "true")
            #expect(try File.status("\(records)/used").size == 0)
            try Self.age(runimg, "base:1", days: 20)
            let fault = ["strace", "-f", "-o", "/dev/null", "-e", "inject=utimensat:error=EROFS"]
            #expect(try runimg.run(["run", "--rm", "base:1", "echo", "runs"], under: fault).lines == ["runs"])
            #expect(try Self.lastUsed(runimg, "base:1") == "2 weeks ago")
        }

        @Test(.enabled(if: Conditions.has("strace"), "needs strace")) func aWarmRunPaysTwoCalls() throws {
            let runimg = try Self.bench()
            let trace = runimg.scratch("trace")
            try Tool.check("strace", ["-f", "-o", trace] + runimg.command(["run", "--rm", "base:1", "true"]))
            let lines = String(decoding: try File.readAll(trace, limit: 1 << 24), as: UTF8.self).split(separator: "\n")
            let calls = lines.filter { $0.contains("/used\"") }
            #expect(calls.count == 2 && calls.allSatisfy { $0.contains("utimensat") }, "\(calls)")
        }

        @Test func whatNobodyUsesGoes() throws {
            let runimg = try Self.bench()
            try Self.age(runimg, "base:1", days: 30)
            try Self.age(runimg, "first:1", days: 8)
            try runimg.check("create", "--name", "box", "first:1", "true")
            try Self.age(runimg, "first:1", days: 8)
            // One has a container, the other one is needed as a layer only.
            let preview = try runimg.check("image", "prune", "--unused-for", "7d", "--dry-run").lines
            #expect(preview.contains("untagged: base:1") && !preview.contains { $0.contains("first") }, "\(preview)")
            #expect(preview.last == "Total space that would be reclaimed: 0B", "\(preview)")
            #expect(try Self.names(runimg) == ["base:1", "first:1", "second:1"])
            let pruned = try runimg.check("image", "prune", "--unused-for", "7d", "-f").lines
            #expect(pruned.dropFirst().dropLast() == preview.dropFirst().dropLast())
            #expect(try Self.names(runimg) == ["first:1", "second:1"])
            #expect(try runimg.check("start", "-a", "box").status == 0)
            try runimg.check("rm", "box")
            // It was in use until now.
            #expect(try runimg.check("image", "prune", "--unused-for", "1h", "-f").lines.count == 1)
            try Self.age(runimg, "first:1", days: 8)
            let last = try runimg.check("image", "prune", "--unused-for", "1w", "-f").lines
            #expect(last.last == "Total reclaimed space: 5kB", "\(last)")
            #expect(try Self.names(runimg) == ["second:1"])
            #expect(try runimg.check("run", "--rm", "second:1", "wc", "-c", "/file").lines == ["300 /file"])
        }

        @Test func theLeastRecentlyUsedGoUntilItFits() throws {
            let runimg = try Self.bench()
            let total =
                try #require(
                    Int(try runimg.check("inspect", "-f", "{{.Size}}", "base:1").lines[0])) + 5300
            try Self.age(runimg, "base:1", days: 5)
            try Self.age(runimg, "first:1", days: 3)
            try Self.age(runimg, "second:1", days: 4)
            // All of it fits.
            #expect(try runimg.check("image", "prune", "-f", "--keep-bytes", "\(total)").lines.count == 1)
            let keep = "\(total - 200)"
            // The base frees nothing by itself, the second one enough.
            let preview = try runimg.check("image", "prune", "--keep-bytes", keep, "--dry-run").lines
            let pruned = try runimg.check("image", "prune", "--keep-bytes", keep, "-f").lines
            #expect(pruned.dropFirst().dropLast() == preview.dropFirst().dropLast())
            #expect(preview.last == "Total space that would be reclaimed: 300B")
            #expect(pruned.last == "Total reclaimed space: 300B")
            #expect(try Self.names(runimg) == ["first:1"])
            // What is in use stays, and what was used since.
            #expect(
                try runimg.check("image", "prune", "-f", "--keep-bytes", "0", "--unused-for", "4d").lines.count == 1)
            try runimg.check("create", "--name", "box", "first:1", "true")
            #expect(try runimg.check("image", "prune", "-f", "--keep-bytes", "0").lines.count == 1)
            try runimg.check("rm", "box")
            try runimg.check("image", "prune", "-f", "--keep-bytes", "0")
            #expect(try Self.names(runimg).isEmpty)
        }
    }
}

extension RootlessImageTests {
    @Test func usesCountWithoutRoot() throws {
        try RootlessTests.isolated { runimg in
            try runimg.check("pull", "-q", RootlessTests.image)
            let image = try #require(try runimg.check("images", "-q", "--no-trunc").lines.first)
            func lastUsed() throws -> String { try runimg.check("images", "--format", "{{.LastUsed}}").lines[0] }
            let records = "\(runimg.dataRoot)/image/overlay2/imagedb/"
            let id = String(image.dropFirst("sha256:".count))
            for _ in 0..<2 {
                for file in ["content/sha256/\(id)", "metadata/sha256/\(id)/manifests", "metadata/sha256/\(id)/used"]
                where File.exists(records + file) {
                    try Tool.check("touch", ["-d", "20 days ago", records + file])
                }
                #expect(try lastUsed() == "2 weeks ago")
                try runimg.check("run", "--rm", "--network", "none", image, "true")
                #expect(try lastUsed().contains("second"))
            }
            let preview = try runimg.check("image", "prune", "--unused-for", "0s", "--dry-run").lines
            #expect(preview.contains("deleted: \(image)"), "\(preview)")
            try runimg.check("image", "prune", "--keep-bytes", "0", "-f")
            #expect(try runimg.check("images", "-q").stdout == "")
        }
    }
}
