internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// A data root on overlayfs itself, as all of a container's files are: no device 0:0 can be made there, by which layers
    /// say elsewhere what is deleted.
    @Suite(.enabled(if: MountAPI.overlayAppendsLayers, "needs overlayfs of Linux 6.7")) struct NestedStore {
        private static let source = "oci:\(Fixtures.layout("layers")):gzip"

        private static let script = """
            set -e; rm /top /hard/lower /becomes-file; rm -r /gone-directory /opaque; mkdir /opaque; echo 1 > /opaque/new
            mkdir /becomes-file; mv /again /moved; rm -r /becomes-directory; : > /becomes-directory; mkdir -p /new/er
            : > /new/er/empty; echo more >> /comes-back; rm -r /hard/far; rmdir /new/er 2> /new/error || :
            """
        private static let list = "find / -xdev ! -path '/dev*' ! -path '/etc/*' ! -path '/tmp*' | sort"

        /// What one data root shows of one image, of a container that deletes, and of the image that it becomes.
        private struct Outcome: Equatable {
            var diff: [String] = []
            var again: [String] = []
            var inContainer: [String] = []
            var inImage: [String] = []
            var pulled: TreeListing
            var committed: TreeListing
        }

        private func outcome(
            _ runimg: Runimg, _ data: String, driver: [String], source: String = source, script: String = script
        ) throws -> Outcome {
            let global = ["--data-root", data] + driver
            func check(_ line: String..., at location: SourceLocation = #_sourceLocation) throws -> [String] {
                let output = try runimg.run(global + line, timeout: 120)
                try #require(output.status == 0, "\(output)", sourceLocation: location)
                return output.lines
            }
            _ = try check("pull", "-q", source)
            let image = try #require(try check("images", "-q").first)
            _ = try check("run", "--network", "none", "--name", "made", image, "sh", "-c", script)
            let diff = try check("diff", "made")
            _ = try check("commit", "made", "committed")
            let home = runimg.user == nil ? runimg.scratch.path : runimg.scratch("home")
            for name in [image, "committed"] { _ = try check("unpack", name, "\(home)/tree-\(name)") }
            // Neither time nor the root, which no layer of the fixture describes.
            func tree(_ name: String) throws -> TreeListing {
                try TreeListing("\(home)/tree-\(name)", .contents).withoutTimes.without(".")
            }
            let shown = try check("run", "--rm", "--network", "none", "committed", "sh", "-c", Self.list)
            let outcome = Outcome(
                diff: diff, again: try check("diff", "made"),
                inContainer: try check("run", "--rm", "--network", "none", image, "sh", "-c", Self.list),
                inImage: shown, pulled: try tree(image), committed: try tree("committed"))
            _ = try check("rm", "made")
            return outcome
        }

        private func compare(_ found: Outcome, _ wanted: Outcome) {
            #expect(found.diff == wanted.diff && found.again == wanted.diff)
            #expect(found.diff.contains("D /top"), "\(found.diff)")
            #expect(found.inContainer == wanted.inContainer && found.inImage == wanted.inImage)
            #expect(!found.inContainer.contains("/gone") && found.inContainer.contains("/opaque"))
            #expect(!found.inImage.contains("/top") && found.inImage.contains("/new/er/empty"))
            #expect(found.pulled.differences(from: wanted.pulled) == [] && found.pulled.paths.count > 20)
            #expect(found.committed.differences(from: wanted.committed) == [])
        }

        @Test(arguments: [["-s", "copyup"], []]) func deletesWhatOthersDelete(driver: [String]) throws {
            let runimg = try Runimg()
            let wanted = try outcome(runimg, runimg.dataRoot, driver: driver)
            try OverlayDisk.with { disk in
                let nested = try Runimg()
                compare(try outcome(nested, "\(disk)/data", driver: driver), wanted)
                let marked = try Tool.check(
                    "find", ["\(disk)/data/overlay2", "-name", "gone", "-type", "f", "-size", "0"]
                ).lines
                #expect(marked.count == 1)
                #expect(try Tool.check("find", ["\(disk)/data", "-type", "c", "-name", "gone"]).lines == [])
            }
        }

        @Test(.enabled(if: OrdinaryUser.isPossible, "\(OrdinaryUser.need)")) func alsoForAUser() throws {
            let user = try #require(OrdinaryUser.ranged)
            let tars = [
                TarForge.make { tar in
                    for name in ["top", "gone", "opaque/old", "d/a", "d/b", "d/sub/c"] { tar.file(name, name) }
                },
                TarForge.make { tar in
                    for name in [".wh.gone", "opaque/.wh..wh..opq", "opaque/.wh.old", "d/.wh.a"] { tar.file(name) }
                },
            ]
            let runimg = try Runimg(user: user)
            let layout = try OCILayout(runimg.scratch("layout"))
            try layout.tag(try ImageForge.onFixture(layout, tars: tars), "latest")
            let source = "oci:\(layout.path):latest"
            let script = """
                set -e; rm /top /d/b; rm -r /opaque /d/sub; mkdir /opaque; mkdir -p /new/er; : > /new/er/empty
                mv /home /moved; : > /d/sub
                """
            let wanted = try outcome(
                runimg, runimg.dataRoot, driver: ["-s", "copyup"], source: source, script: script)
            try OverlayDisk.with { disk in
                let nested = try Runimg(user: user)
                try Directory.make("\(disk)/data", mode: 0o700)
                try Sys.check { chown("\(disk)/data", user.uid, user.uid) }
                let found = try outcome(
                    nested, "\(disk)/data", driver: ["-s", "copyup"], source: source, script: script)
                compare(found, wanted)
            }
        }

        /// What doesn't know the whiteouts there is not used, and says why.
        @Test(.enabled(if: Conditions.hasFuseOverlayfs, "needs fuse-overlayfs and /dev/fuse"))
        func fuseIsRefused() throws {
            try OverlayDisk.with { disk in
                let runimg = try Runimg()
                let global = ["--data-root", "\(disk)/data"]
                let reason = "fuse-overlayfs knows deleted files by a device 0:0, which overlayfs does not make"
                #expect(try runimg.run(global + ["pull", "-q", Self.source]).status == 0)
                let image = try #require(try runimg.run(global + ["images", "-q"]).lines.first)
                let refused = try runimg.run(
                    global + ["-s", "fuse-overlayfs", "run", "--rm", "--network", "none", image, "true"])
                #expect(refused.status == 125 && refused.stderr.contains("does not work here: \(reason)"), "\(refused)")
                let text = try runimg.run(global + ["info"]).stdout
                #expect(text.contains(" Storage Driver: copyup\n"), "\(text)")
                #expect(text.contains("mounts/probe is on overlayfs itself"), "\(text)")
                #expect(text.contains("; \(reason)\n"), "\(text)")
            }
        }
    }
}
