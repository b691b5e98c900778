internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// The files of a container that goes by itself are deleted by its monitor, for which nobody waits.
    @Suite(
        .enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"),
        .enabled(if: (try? FileSystemRoom("/tmp").isLow) == false, "needs a disk with room"),
        .timeLimit(.minutes(Wait.minutes(10))))
    struct DeletionByMonitor {
        /// Of all that a run starts, only a monitor that deletes makes this call.
        private static let call = "lseek"

        private static func engine() throws -> (Runimg, image: String) {
            let runimg = try Runimg()
            try runimg.check("pull", "-q", Leaks.image)
            return (runimg, try #require(try runimg.check("images", "-q").lines.first))
        }

        private static func garbage(_ runimg: Runimg) throws -> [String] {
            try Directory.entries("\(runimg.dataRoot)/tmp").map(\.name).filter { $0 != "blobs" }
        }

        private static func expectNoContainer(_ runimg: Runimg) throws {
            #expect(try runimg.check("ps", "-aq").lines == [])
            #expect(try Directory.entries("\(runimg.dataRoot)/containers/names").isEmpty)
            let ids = try Directory.entries("\(runimg.dataRoot)/containers").map(\.name).filter { $0.utf8.count == 64 }
            #expect(ids == [])
            // What is left is the image's.
            let layers = try Directory.entries("\(runimg.dataRoot)/image/overlay2/layerdb/sha256").count
            #expect(try Directory.entries("\(runimg.dataRoot)/overlay2").count == layers + 1)
        }

        @Test("the end with --rm returns when the container is gone, before its files are")
        func isNotWaitedFor() throws {
            let (runimg, image) = try Self.engine()
            let script = """
                i=0; while [ $i -lt 1000 ]; do : > /f$i; i=$((i + 1)); done; until [ -e /go ]; do sleep 0.05; done
                """
            var child = try runimg.start(
                "run", "--rm", "--name", "box", "--network", "none", image, "sh", "-c", script)
            #expect(Wait.until(seconds: 20) { (try? runimg("exec", "box", "test", "-e", "/f999").status) == 0 })
            let id = try #require(try runimg.check("ps", "-q", "--no-trunc").lines.first)
            let monitor = try #require(
                try Tool.check("pgrep", ["-f", "runimg-monitor \(id)"]).lines.compactMap { Int32($0) }.first)
            var tracer = try ChildProcess(
                try #require(Tool.find("strace")),
                ["-qq", "-p", "\(monitor)", "-o", "/dev/null", "-e", "inject=\(Self.call):delay_enter=60000000"],
                environment: Tool.baseEnvironment)
            #expect(
                Wait.until(seconds: 20) {
                    let status = (try? File.readAll("/proc/\(monitor)/status", limit: 1 << 16)) ?? []
                    return String(decoding: status, as: UTF8.self).contains("TracerPid:\t\(tracer.pid)\n")
                })
            try runimg.check("exec", "box", "touch", "/go")
            #expect(try child.wait(seconds: Wait.bound(20)) == .exited(0))
            #expect(try Self.garbage(runimg) == ["removed-\(id)"])
            try Self.expectNoContainer(runimg)
            // Its name is free. Others neither wait for it nor take it for theirs.
            try runimg.check("run", "--rm", "--name", "box", "--network", "none", image, "true")
            try runimg.check("images")
            #expect(try Self.garbage(runimg).contains("removed-\(id)"))
            #expect(kill(monitor, 0) == 0)
            try tracer.kill()
            #expect(Wait.until(seconds: 20) { (try? Self.garbage(runimg)) == [] })
            #expect(Wait.forEnd(of: monitor))
        }

        @Test("what a monitor that was killed has not deleted, the next command does", arguments: ["images", "run"])
        func aKilledOne(_ next: String) throws {
            let (runimg, image) = try Self.engine()
            let kill = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=\(Self.call):signal=SIGKILL"]
            let output = try runimg.run(
                ["run", "--rm", "--network", "none", image, "sh", "-c", "echo out > /x; exit 3"], under: kill)
            #expect(output.status == 3, "\(output)")
            #expect(try Self.garbage(runimg).count == 1)
            try Self.expectNoContainer(runimg)
            let line = next == "run" ? ["run", "--rm", "--network", "none", image, "true"] : [next]
            #expect(try runimg.run(line).status == 0)
            #expect(Wait.until(seconds: 20) { (try? Self.garbage(runimg)) == [] })
        }

        @Test("a run that is killed between the steps of its container's removal leaves nothing after the next command")
        func betweenTheSteps() throws {
            let (runimg, image) = try Self.engine()
            try CrashEnumerator("/^rename", samples: 4).run(
                prepare: { runimg },
                command: { (runimg: Runimg, prefix: [String]) in
                    try runimg.run(["run", "--rm", "--network", "none", image, "true"], under: prefix).status == 0
                },
                check: { (runimg: Runimg, moment, _) in
                    try runimg.settle()
                    #expect(Wait.until(seconds: 20) { (try? Self.garbage(runimg)) == [] }, "\(moment)")
                    try Self.expectNoContainer(runimg)
                })
        }

        @Test("where the monitor can't be told, the command deletes them itself")
        func byTheCommandItself() throws {
            let (runimg, image) = try Self.engine()
            let line = ["run", "--rm", "--network", "none", image, "true"]
            // The last that the command sends is word of the end.
            var sent = 0
            for number in 1..<100 {
                let fault = try ErrnoInjection("sendmsg", "EPIPE", at: number)
                let output = try runimg.run(line, under: fault.prefix)
                try runimg.settle()
                if output.status == 0, fault.met.contains(where: { $0.contains("sendmsg") }) { sent += 1 }
                #expect(Wait.until(seconds: 20) { (try? Self.garbage(runimg)) == [] }, "\(fault) \(output)")
                try Self.expectNoContainer(runimg)
                if fault.met.isEmpty { break }
            }
            #expect(sent > 0)
        }
    }
}
