internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Images that were made to lead the engine astray (threats.md section 1.3 and 1.4), run by the whole program.
    @Suite struct HostileImages {
        /// Makes an image of the fixture and what `script` makes on top, and runs `command` from it. `$1` of the script is
        /// the canary's path.
        static func run(
            _ canary: Canary, _ script: String, _ command: [String] = ["true"], flags: [String] = [],
            _ configure: (inout ImageConfig) -> Void = { _ in }
        ) throws -> Tool.Output {
            let runimg = try Runimg()
            let layout = try OCILayout(runimg.scratch("layout"))
            let tar = try ImageForge.tar(script.replacing("$1", with: canary.path))
            try layout.tag(try ImageForge.onFixture(layout, tars: [tar], configure), "hostile")
            let output = try runimg.run(
                ["run", "--rm", "-q"] + flags + ["oci:\(layout.path):hostile"] + command, timeout: 20)
            #expect(!output.timedOut)
            for change in try canary.changes() { Issue.record("the host was changed: \(change)") }
            return output
        }

        @Test(
            "R14, R21: generated files go nowhere else, and no layer changes",
            arguments: ["resolv.conf", "hosts", "hostname"],
            ["link", "dangling", "relative", "directory", "fifo", "hardlink"])
        func generatedFilesGoNowhereElse(_ name: String, _ kind: String) throws {
            let canary = try Canary()
            let made =
                switch kind {
                case "link": "ln -s $1/file etc/\(name)"
                case "dangling": "ln -s $1/new-file etc/\(name)"
                case "relative": "ln -s ../../../../../../../..$1/file etc/\(name)"
                case "directory": "mkdir etc/\(name)"
                case "fifo": "mkfifo etc/\(name)"
                default: "echo lower > etc/other; ln etc/other etc/\(name)"
                }
            let runimg = try Runimg()
            let layout = try OCILayout(runimg.scratch("layout"))
            let tar = try ImageForge.tar("mkdir etc; \(made)".replacing("$1", with: canary.path))
            try layout.tag(try ImageForge.onFixture(layout, tars: [tar]), "hostile")
            let image = "oci:\(layout.path):hostile"
            try runimg.check("pull", "-q", image)
            let before = try TreeListing("\(runimg.dataRoot)/overlay2", .contents)
            // Either the container starts with files of its own, or it is refused: no third thing.
            let output = try runimg.run(
                ["run", "--rm", "-q", image, "sh", "-c", "echo own > /etc/\(name) && cat /etc/\(name)"], timeout: 20)
            #expect(output.status == 125 || (output.status == 0 && output.stdout == "own\n"), "\(output)")
            for change in try canary.changes() { Issue.record("the host was changed: \(change)") }
            for line in try TreeListing("\(runimg.dataRoot)/overlay2", .contents).differences(from: before) {
                Issue.record("the store was changed: \(line)")
            }
        }

        @Test("R12: a working directory through a link is made inside") func aWorkingDirectoryThroughALink() throws {
            let canary = try Canary()
            let output = try Self.run(canary, "ln -s $1 out", ["pwd"]) { $0.config?.workingDir = "/out/a/b" }
            #expect(output.status != 0 || output.stdout.contains(canary.path), "\(output)")
        }

        @Test(
            "R2: a working directory of the image that is the host's",
            arguments: (3...30).map { "/proc/self/fd/\($0)" } + ["/proc/1/cwd", "/link", "../../../.."])
        func aWorkingDirectoryThatIsTheHosts(_ path: String) throws {
            // CVE-2024-21626: a descriptor of the host's that is still open.
            let canary = try Canary()
            let script = "ln -s /proc/self/fd/7 link"
            let output = try Self.run(canary, script, ["sh", "-c", "ls -d work tmp/runimg-test-* 2>/dev/null; pwd"]) {
                $0.config?.workingDir = path
            }
            #expect(output.status == 0 ? output.stdout == "/\n" || output.stdout.hasPrefix("/proc") : true, "\(output)")
            #expect(!output.stdout.contains("runimg-test") && !output.stdout.contains("work"))
        }

        @Test(
            "R13: volumes of the image that lead out of it are filled from inside, or not at all",
            arguments: [
                "/out", "/out/directory", "/../../../etc", "/relative", "/toetc", "/fifo", "/etc/passwd/x", "/traps",
                "/proc/self/root", "/proc",
            ])
        func volumesThatLeadOut(_ volume: String) throws {
            let canary = try Canary()
            let script = """
                ln -s $1 out; ln -s ../../../../../../..$1 relative; ln -s /etc toetc; mkfifo fifo
                mkdir -p etc traps; echo from-image > etc/marker
                mkfifo traps/fifo; ln -s $1/file traps/link; ln -s /dev/zero traps/zero
                """
            let output = try Self.run(canary, script, ["sh", "-c", "ls -A \(volume)/ || true"]) {
                $0.config?.volumes = [volume: .init()]
            }
            #expect(!output.stdout.contains("setuid") && !output.stdout.contains("inside"), "\(output)")
            // The host's own files of that name.
            #expect(!output.stdout.contains("shadow") && !output.stdout.contains("fstab"), "\(output)")
            if volume == "/toetc" || volume == "/../../../etc" {
                #expect(output.stdout.contains("marker"), "\(output)")
            }
            if volume == "/traps" { #expect(output.lines.sorted() == ["fifo", "link", "zero"], "\(output)") }
        }

        @Test("R1: a shell that is /proc/self/exe does not get at the programs of the host")
        func theShellIsTheRuntime() throws {
            let canary = try Canary()
            let before = try Tool.check("sha256sum", [Runimg.path, Runimg.workerPath]).stdout
            let runimg = try Runimg()
            let layout = try OCILayout(runimg.scratch("layout"))
            let tar = try ImageForge.tar("mkdir bin; ln -s /proc/self/exe bin/sh; cp \(Runimg.path) bin/runimg")
            try layout.tag(try ImageForge.onFixture(layout, tars: [tar]), "hostile")
            try runimg.check("pull", "-q", "oci:\(layout.path):hostile")
            let image = try #require(try runimg.check("images", "-q", "--no-trunc").lines.first)
            let commands = [
                ["/bin/sh", "-c", "true"], ["/proc/self/exe", "version"], ["sh", "i", "/bin", "sh"],
                ["/probe", "writeexe", "/proc/1/exe"], ["sh", "p", "/bin", "/probe", "writeexe", "/proc/1/exe"],
            ]
            for round in 0..<50 {
                let command = commands[round % (round < 10 ? 5 : 3)]
                let flags = round % 2 == 0 ? ["--init"] : []
                let output = try runimg.run(["run", "--rm"] + flags + [image] + command, timeout: 20)
                #expect(!output.stdout.contains("ok") && !output.stdout.contains("Version"), "\(output)")
                if output.stdout.hasPrefix("write=") {
                    #expect(["write=ETXTBSY\n", "write=EPERM\n", "write=EROFS\n"].contains(output.stdout), "\(output)")
                }
            }
            #expect(try Tool.check("sha256sum", [Runimg.path, Runimg.workerPath]).stdout == before)
            for change in try canary.changes() { Issue.record("the host was changed: \(change)") }
        }

        @Test(
            "R5, R10: /proc, /sys and /dev of the image are links", arguments: ["proc", "sys", "dev"], ["$1", "/bad"])
        func systemDirectoriesAreLinks(_ name: String, _ target: String) throws {
            let canary = try Canary()
            let output = try Self.run(
                canary, "mkdir bad; ln -s \(target) \(name)",
                ["sh", "-c", "test -c /dev/null && test -c /dev/ptmx && echo own"])
            if name == "dev" {
                #expect(output.status == 0 && output.stdout == "own\n", "\(output)")
            } else {
                #expect(output.status == 125, "\(output)")
                #expect(output.stderr.contains("the image has a symbolic link in its place, which is refused"))
            }
        }

        @Test("X8: programs of the image run inside only") func programsOfTheImageRunInsideOnly() throws {
            // threats.md U15 too: whatever the engine needs, it does not take from the image.
            let canary = try Canary()
            let script = """
                mkdir -p bin sbin usr/bin lib; for n in tar gzip zstd xz unpigz mount nsenter sh-init tini; do
                printf '#!/bin/sh\\ntouch %s/new\\n' "$1" > usr/bin/$n; chmod 755 usr/bin/$n; cp usr/bin/$n sbin/$n; done
                """
            #expect(try Self.run(canary, script, ["true"], flags: ["--init"]).status == 0)
        }
    }
}
