internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// What the C library would load or open on the way to a name, put into an image.
    @Suite(.enabled(if: Conditions.has("strace"), "needs strace")) struct HostileLibraries {
        /// Every file that a lookup of a user or a change of character sets touches.
        private static let script = """
            mkdir -p etc lib lib64 lib/x86_64-linux-gnu usr/lib/x86_64-linux-gnu/gconv usr/lib/gconv
            echo 'alice:x:1234:1234::/:/bin/sh' > etc/passwd; echo 'staff:x:50:alice' > etc/group
            printf 'passwd: evil files\\ngroup: evil files\\nhosts: evil\\n' > etc/nsswitch.conf
            echo /lib/libnss_evil.so.2 > etc/ld.so.preload; echo /lib > etc/ld.so.conf; : > etc/ld.so.cache
            for d in lib lib64 lib/x86_64-linux-gnu usr/lib/x86_64-linux-gnu usr/lib; do
              for n in evil files compat dns systemd; do cp /bin/true $d/libnss_$n.so.2; done
              cp /bin/true $d/libgcc_s.so.1; cp /bin/true $d/libseccomp.so.2
            done
            for d in usr/lib/gconv usr/lib/x86_64-linux-gnu/gconv; do
              echo 'module INTERNAL EVIL// evil 1' > $d/gconv-modules; cp /bin/true $d/evil.so; cp $d/gconv-modules $d/gconv-modules.cache
            done
            """

        /// The calls of the trace that open or execute something, with the process that made them.
        private static func calls(_ trace: String) throws -> [(process: Substring, text: Substring)] {
            String(decoding: try File.readAll(trace), as: UTF8.self).split(separator: "\n").compactMap { line in
                guard let space = line.firstIndex(of: " ") else { return nil }
                return (line[..<space], line[space...].drop { $0 == " " })
            }
        }

        @Test(
            "U16: no library and no configuration of the image is loaded for it",
            arguments: [["-u", "alice:staff"], ["-u", "alice", "-w", "/made/here"], ["-u", "alice", "--init"]])
        func librariesOfTheImage(_ flags: [String]) throws {
            let canary = try Canary()
            let runimg = try Runimg()
            let layout = try OCILayout(runimg.scratch("layout"))
            let tar = try ImageForge.tar(HostileLibraries.script)
            try layout.tag(try ImageForge.onFixture(layout, tars: [tar]), "hostile")
            try runimg.check("pull", "-q", "oci:\(layout.path):hostile")
            let image = try #require(try runimg.check("images", "-q", "--no-trunc").lines.first)
            let trace = runimg.scratch("trace")
            let output = try Tool.run(
                "strace",
                ["-f", "-qq", "-o", trace, "-e", "trace=open,openat,openat2,execve,execveat,pivot_root,chroot"] + [
                    Runimg.path, "--data-root", runimg.dataRoot, "--config-file", runimg.configFile, "run", "--rm",
                ] + flags + [image, "/probe"], timeout: 60)
            #expect(output.status == 0, "\(output)")
            #expect(Probe(output.stdout)["uid"]?.hasPrefix("1234") == true, "\(output)")

            let calls = try HostileLibraries.calls(trace)
            // The trace is one: it shows the start, the change of root and the container's own program.
            #expect(calls.contains { $0.text.contains("pivot_root(") }, "no change of root")
            #expect(calls.contains { $0.text.contains("passwd\"") }, "no lookup")
            for mark in ["libnss", "nsswitch", "gconv", "evil", "ld.so.preload"] {
                // Before it changes its root, a debug build is loaded by the host's own linker.
                let touched = calls.filter { $0.text.contains(mark) && !$0.text.contains("\"/etc/ld.so.preload\"") }
                #expect(touched.isEmpty, "\(mark): \(touched.map(\.text))")
            }
            // Whoever has changed its root loads nothing at all.
            var inside: Set<Substring> = []
            for call in calls {
                if call.text.hasPrefix("pivot_root(") || call.text.hasPrefix("chroot(") { inside.insert(call.process) }
                if inside.contains(call.process) {
                    #expect(!call.text.contains(".so"), "\(call.text)")
                    #expect(!call.text.contains("ld.so.preload"), "\(call.text)")
                }
            }
            #expect(try canary.changes() == [])
        }

        @Test(
            "U15, U16: a pull loads nothing of the image's, and starts the worker only",
            .enabled(if: Conditions.has("strace"), "needs strace"))
        func aPullLoadsNothing() throws {
            let canary = try Canary()
            let runimg = try Runimg()
            let layout = try OCILayout(runimg.scratch("layout"))
            let script =
                HostileLibraries.script + """

                    mkdir -p bin usr/bin; for n in xz unpigz gzip zstd tar; do
                    printf '#!/bin/sh\\ntouch %s/new\\n' "\(canary.path)" > usr/bin/$n; chmod 755 usr/bin/$n; done
                    """
            try layout.tag(try ImageForge.onFixture(layout, tars: [try ImageForge.tar(script)]), "hostile")
            let trace = runimg.scratch("trace")
            let output = try Tool.run(
                "strace",
                ["-f", "-qq", "-o", trace, "-e", "trace=open,openat,openat2,execve,execveat,chroot,pivot_root"] + [
                    Runimg.path, "--data-root", runimg.dataRoot, "--config-file", runimg.configFile, "pull", "-q",
                    "oci:\(layout.path):hostile",
                ], timeout: 60)
            #expect(output.status == 0, "\(output)")
            let calls = try HostileLibraries.calls(trace)
            let started = calls.filter { $0.text.hasPrefix("exec") }
            #expect(started.count == 2, "\(started.map(\.text))")
            #expect(started.last?.text.contains("runimg-image") == true)
            let opened = calls.filter { $0.text.contains(runimg.dataRoot) && $0.text.contains(".so") }
            #expect(opened.isEmpty, "\(opened.map(\.text))")
            #expect(try canary.changes() == [])
        }
    }

    /// Devices that an image brings along.
    @Suite struct ImageDevices {
        @Test("U8: device nodes of an image are there, but do not open")
        func nodesDoNotOpen() throws {
            let canary = try Canary()
            let tar = TarForge.make { tar in
                for (name, type, major, minor) in [
                    ("disk", "4", 8, 0), ("memory", "3", 1, 1), ("kmsg", "3", 1, 11), ("loop", "4", 7, 0),
                    ("virtual", "4", 254, 0),
                ] as [(String, Character, Int64, Int64)] {
                    tar.header(
                        TarForge.Header(name, type: type).with {
                            $0.major = major; $0.minor = minor; $0.mode = 0o666
                        })
                }
            }
            let runimg = try Runimg()
            let layout = try OCILayout(runimg.scratch("layout"))
            try layout.tag(try ImageForge.onFixture(layout, tars: [tar]), "devices")
            let script = """
                for n in disk memory kmsg loop virtual; do
                  test -b /$n || test -c /$n || echo $n is missing
                  dd if=/$n of=/dev/null bs=1 count=1 2>&1 | grep -q 'not permitted\\|Permission denied' || echo $n opens
                  dd if=/dev/null of=/$n conv=notrunc 2>&1 | grep -q 'not permitted\\|Permission denied' || echo $n is written
                done; echo done
                """
            for flags in [[], ["--cap-add", "ALL"]] as [[String]] {
                let output = try runimg.run(
                    ["run", "--rm", "-q"] + flags + ["oci:\(layout.path):devices", "sh", "-c", script], timeout: 60)
                #expect(output.status == 0 && output.stdout == "done\n", "\(output)")
            }
            // It is the list of devices that refuses: without one the same node opens.
            let open = try runimg.run(
                [
                    "run", "--rm", "-q", "--privileged", "oci:\(layout.path):devices", "sh", "-c",
                    "dd if=/kmsg of=/dev/null bs=8192 count=1 2>&1 | grep -c 'not permitted'",
                ], timeout: 60)
            #expect(open.stdout == "0\n", "\(open)")
            #expect(try canary.changes() == [])
        }
    }
}
