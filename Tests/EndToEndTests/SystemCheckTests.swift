internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `system check`: what is damaged in the store is named, and mended where that can be.
    @Suite(.enabled(if: Conditions.hasRegistry, "needs docker-registry and skopeo")) struct SystemCheck {
        /// A store with one image that was pulled, and the registry that has it.
        struct Bench {
            let registry: RealRegistry
            let runimg: Runimg
            let name: String
            var root: String { runimg.dataRoot }

            init() throws {
                registry = try RealRegistry()
                try registry.push("oci:\(Fixtures.layout("layers")):gzip", as: "team/app:1")
                runimg = try Runimg()
                name = "\(registry.host)/team/app:1"
                try runimg.check("pull", "-q", name)
            }

            /// All that an image is made of, with modes, owners and attributes; not what each making names anew.
            func contents() throws -> [String: TreeListing.Entry] {
                try TreeListing(root, [.digests, .xattrs]).without("locks").without("tmp").entries
            }

            /// The layer's directory that holds `path`.
            func layer(with path: String) throws -> String {
                for name in try Directory.entries("\(root)/overlay2").map(\.name) where name != "l" {
                    if File.exists("\(root)/overlay2/\(name)/diff/\(path)") { return "\(root)/overlay2/\(name)/diff" }
                }
                throw Errno.noEntry
            }

            func record(_ suffix: String) throws -> String {
                let entries = try TreeListing(root).entries.filter { $0.key.hasSuffix(suffix) }
                return "\(root)/\(try #require(entries.max { ($0.value.size ?? 0) < ($1.value.size ?? 0) }?.key))"
            }
        }

        private static func flip(_ path: String, at offset: Int64 = 20) throws {
            let times = try File.status(path)
            let file = try File.open(path, O_RDWR)
            let byte = try File.bytes(file.raw, at: offset, count: 1)
            try check { pwrite(file.raw, [byte[0] ^ 1], 1, off_t(offset)) }
            // As a disk does it: nobody wrote.
            var pair = [timespec(), timespec()]
            for index in 0..<2 {
                pair[index].tv_sec = Int(times.modified.seconds)
                pair[index].tv_nsec = Int(times.modified.nanoseconds)
            }
            try check { futimens(file.raw, pair) }
        }

        struct Damage: Sendable, CustomStringConvertible {
            let description: String
            let said: String
            let body: @Sendable (Bench) throws -> Void
        }

        private static func damage(
            _ name: String, _ said: String, _ body: @escaping @Sendable (Bench) throws -> Void
        ) -> Damage {
            Damage(description: name, said: said, body: body)
        }

        static let damages: [Damage] = [
            damage("a flipped bit", "bin/busybox: has other contents") {
                try flip("\($0.layer(with: "bin/busybox"))/bin/busybox", at: 5000)
            },
            damage("a file cut short", "bin/busybox: has 10 bytes, not") {
                let path = "\(try $0.layer(with: "bin/busybox"))/bin/busybox"
                try check { truncate(path, 10) }
            },
            damage("a file gone", "bin/busybox: is missing") {
                try File.unlink("\($0.layer(with: "bin/busybox"))/bin/busybox")
            },
            damage("a file more", "bin/evil: is not in the image") {
                let path = "\(try $0.layer(with: "bin/busybox"))/bin/evil"
                let file = try File.open(path, O_WRONLY | O_CREAT, mode: 0o755)
                try file.close()
            },
            damage("another mode", "bin/busybox: has another mode") {
                let path = "\(try $0.layer(with: "bin/busybox"))/bin/busybox"
                try check { chmod(path, 0o4755) }
            },
            damage("another owner", "bin/busybox: has another owner") {
                let path = "\(try $0.layer(with: "bin/busybox"))/bin/busybox"
                try check { chown(path, 12, 34) }
            },
            damage("a flipped bit in a blob", "its blob: ") { try flip($0.record("/blob"), at: 3000) },
            damage("a blob gone", "its blob: ") { try File.unlink($0.record("/blob")) },
            damage("a blob's descriptor gone", "its blob was not kept") { try File.unlink($0.record("/blob.json")) },
            damage("a flipped bit in a manifest", "is damaged") {
                let path = try $0.record("/manifests")
                let line = String(decoding: try File.readAll(path), as: UTF8.self).prefix { $0 != "\n" }
                let hex = line.split(separator: ":").last ?? ""
                try flip("\($0.root)/image/overlay2/manifests/sha256/\(hex)")
            },
            damage("a flipped bit in a config", "its digest is not") {
                let id = try $0.runimg.check("images", "-q", "--no-trunc").lines[0].split(separator: ":")[1]
                try flip("\($0.root)/image/overlay2/imagedb/content/sha256/\(id)")
            },
            damage("a config gone", "there is no image") {
                let id = try $0.runimg.check("images", "-q", "--no-trunc").lines[0].split(separator: ":")[1]
                try File.unlink("\($0.root)/image/overlay2/imagedb/content/sha256/\(id)")
            },
        ]

        @Test("F31: each damage is named and mended", arguments: damages)
        func namedAndMended(_ damage: Damage) throws {
            let bench = try Bench()
            let clean = try bench.runimg.check("system", "check")
            #expect(clean.lines.count == 1 && clean.stdout.hasSuffix(": no damage\n"), "\(clean)")
            let before = try bench.contents()
            try damage.body(bench)
            let found = try bench.runimg.run(["system", "check"])
            #expect(found.status == 1 && found.stdout.contains(damage.said), "\(found)")

            let repaired = try bench.runimg.run(["system", "check", "--repair"])
            #expect(repaired.status == 0 && repaired.stdout.contains("; repaired"), "\(repaired)")
            let again = try bench.runimg.check("system", "check")
            #expect(again.stdout.hasSuffix(": no damage\n"), "\(again)")
            let after = try bench.contents()
            #expect(Set(after.keys) == Set(before.keys))
            for (path, entry) in before where path.contains("/diff/") || path.hasSuffix("/blob") {
                #expect(after[path] == entry, "\(path)")
            }
            #expect(try bench.runimg.check("run", "--rm", bench.name, "echo", "works").lines == ["works"])
        }

        /// Fetches the damaged layer only.
        @Test func onlyWhatIsDamagedIsFetched() throws {
            let bench = try Bench()
            let before = try bench.registry.blobFetches()
            try Self.flip("\(bench.layer(with: "bin/busybox"))/bin/busybox", at: 5000)
            try bench.runimg.check("system", "check", "--repair")
            #expect(try bench.registry.blobFetches() == before)
            try File.unlink(bench.record("/blob"))
            try bench.runimg.check("system", "check", "--repair")
            let after = try bench.registry.blobFetches()
            #expect(after.values.reduce(0, +) == before.values.reduce(0, +) + 1)
        }

        @Test func aContainerThatRunsKeepsItsFiles() throws {
            let bench = try Bench()
            try Self.flip("\(bench.layer(with: "bin/busybox"))/bin/busybox", at: 1_000_000)
            try bench.runimg.check("run", "-d", "--name", "runs", bench.name, "sleep", "1000")
            try bench.runimg.check("system", "check", "--repair")
            #expect(try bench.runimg.check("exec", "runs", "echo", "still").lines == ["still"])
            let replaced = try TreeListing(bench.root).entries.keys.filter { $0.contains("replaced-") }
            #expect(!replaced.isEmpty)
            try bench.runimg.check("rm", "-f", "runs")
            try bench.runimg.check("system", "check", "--repair")
            #expect(try TreeListing(bench.root).entries.keys.allSatisfy { !$0.contains("replaced-") })
        }

        /// Without a registry the blob serves the files, and nothing serves the blob.
        @Test func whatCannotBeMendedIsSaid() throws {
            let runimg = try Runimg()
            try runimg.check("pull", "-q", Leaks.image)
            let blob = try #require(try runimg.storeListing().keys.first { $0.hasSuffix("/blob") })
            try Self.flip("\(runimg.dataRoot)/\(blob)", at: 3000)
            let output = try runimg.run(["system", "check", "--repair"])
            #expect(output.status == 1 && output.stdout.contains("the image came from no registry"), "\(output)")
        }

        @Test func whatBelongsToNobodyIsFoundAndRemoved() throws {
            let bench = try Bench()
            let id = try bench.runimg.check("images", "-q", "--no-trunc").lines[0].split(separator: ":")[1]
            let empty = try bench.runimg.check("rmi", bench.name)
            #expect(empty.status == 0)
            try bench.runimg.check("pull", "-q", bench.name)
            // As a kill in a removal would leave it.
            try File.unlink("\(bench.root)/image/overlay2/imagedb/content/sha256/\(id)")
            try File.unlink("\(bench.root)/image/overlay2/repositories.json")
            let found = try bench.runimg.run(["system", "check"])
            #expect(found.status == 1 && found.stdout.contains("belongs to no image and no container"), "\(found)")
            try bench.runimg.check("system", "check", "--repair")
            #expect(try bench.runimg.check("system", "check").stdout.contains("Checked 0 images"))
            #expect(try Directory.entries("\(bench.root)/image/overlay2/layerdb/sha256").isEmpty)
        }
    }
}
