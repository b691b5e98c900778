internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Many containers, many commands, and readers among them.
    @Suite struct Scale {
        @Test(
            "F26: many containers, made, started, stopped and removed, leave nothing behind",
            arguments: SyscallFaults.isSoak ? [500, 1200] : [40])
        func many(_ count: Int) throws {
            let runimg = try Leaks.settled()
            let image = try #require(try runimg.check("images", "-q").lines.first)
            try runimg.check("volume", "create", "shared")
            let before = try LeakSnapshot(dataRoot: runimg.dataRoot)
            // Half run on, a quarter ends by itself, a quarter is made only and started later; some have volumes.
            let script = #"""
                count=$1; image=$2; shift 2
                for i in $(seq $count); do
                    case $((i % 4)) in
                        0) "$@" create -v shared:/v $image sleep 1000 ;;
                        1) "$@" run -d -v /anonymous $image true ;;
                        *) "$@" run -d $image sleep 1000 ;;
                    esac > /dev/null || exit 1
                done
                """#
            let made = try Tool.run(
                "sh", ["-c", script, "sh", "\(count)", image] + runimg.command([]), timeout: Double(60 + count))
            #expect(made.status == 0, "\(made)")
            let names = try runimg.check("ps", "-a", "--format", "{{.Names}}").lines
            #expect(names.count == count && Set(names).count == count)
            let created = try runimg.check("ps", "-aq", "--filter", "status=created").lines
            #expect(created.count == count / 4)
            #expect(try runimg.run(["start"] + created, timeout: Double(60 + count)).status == 0)
            let running = try runimg.check("ps", "-q", "--no-trunc").lines
            #expect(running.count == count * 3 / 4)
            try expectEqualMonitors(runimg, running)
            #expect(try runimg.run(["stop", "-t", "0"] + running.prefix(5)).status == 0)
            let removed = try runimg.run(["rm", "-f", "-v", "--all"], timeout: Double(60 + count))
            #expect(removed.status == 0 && removed.lines.count == count, "\(removed)")
            try EndToEnd.expectClean(before)
        }

        /// No monitor holds more than another: nothing is inherited from what else there is.
        private func expectEqualMonitors(_ runimg: Runimg, _ ids: [String]) throws {
            let counts = try ids.map { id in
                let monitor = try #require(Lifecycle.monitor(of: id))
                return try Directory.entries("/proc/\(monitor)/fd").count
            }
            #expect(Set(counts).count == 1, "descriptors: \(counts)")
        }

        @Test("F29: readers beside commands that write are never blocked and never see half of anything")
        func readers() throws {
            let runimg = try Leaks.settled()
            let image = try #require(try runimg.check("images", "-q").lines.first)
            try runimg.check("run", "--name", "fixed", image, "echo", "here")
            let script = #"""
                image=$1; shift
                for k in 1 2 3; do
                    for i in 1 2 3 4 5 6; do
                        "$@" create --name c$k$i --label big=$(head -c 20000 /dev/zero | tr '\0' x) $image sleep 1000
                        "$@" rename c$k$i d$k$i
                        "$@" start d$k$i
                        "$@" run --rm $image true
                        "$@" restart -t 0 d$k$i
                        "$@" rm -f d$k$i
                    done > /dev/null &
                done
                wait
                """#
            let arguments = ["-c", script, "sh", image] + runimg.command([])
            var writer = try ChildProcess("/bin/sh", arguments, environment: Tool.baseEnvironment)
            var rounds = 0
            while try writer.wait(seconds: 0) == nil {
                rounds += 1
                let listed = try runimg.run(["ps", "-a", "--no-trunc", "--format", "json"])
                #expect(listed.status == 0 && listed.stderr.isEmpty, "\(listed)")
                for line in listed.lines { _ = try JSONValue(parsing: Array(line.utf8)) }
                #expect(listed.lines.contains { $0.contains("\"fixed\"") }, "\(listed)")
                let names = try runimg.run(["ps", "-aq"])
                let inspected = try runimg.run(["inspect"] + names.lines)
                #expect(try JSONValue(parsing: inspected.stdoutBytes).array != nil)
                for line in inspected.stderr.split(separator: "\n") {
                    #expect(line.contains("No such object"), "\(line)")
                }
                let images = try runimg.run(["images", "--format", "json"])
                #expect(images.status == 0 && images.stderr.isEmpty && images.lines.count == 1, "\(images)")
                #expect(try runimg.run(["logs", "fixed"]).lines == ["here"])
                let volumes = try runimg.run(["volume", "ls"])
                #expect(volumes.status == 0 && volumes.stderr.isEmpty, "\(volumes)")
            }
            #expect(rounds > 3)
            #expect(try writer.wait(seconds: 1) == .exited(0))
        }

        @Test("F17: fifty commands at once on one container: each does its work or says what was in its way")
        func fiftyAtOnce() throws {
            try Lifecycle.isolated { runimg in
                let image = try #require(try runimg.check("images", "-q").lines.first)
                for _ in 0..<2 {
                    try runimg.check("create", "--name", "raced", image, "sleep", "1000")
                    let id = try #require(try runimg.check("ps", "-aq", "--no-trunc").lines.first)
                    let script = #"""
                        id=$1; shift
                        for i in $(seq 10); do
                            "$@" start $id & "$@" stop -t 0 $id & "$@" rename $id name$i & "$@" kill $id &
                            if [ $i = 6 ]; then "$@" rm -f $id & else "$@" rm $id & fi
                        done
                        wait
                        """#
                    let output = try Tool.run("sh", ["-c", script, "sh", id] + runimg.command([]), timeout: 120)
                    let known = [
                        "No such container", "is not running", "container is running", "another command",
                        "started meanwhile", "is already in use by container", "same name as",
                        "failed to start containers",
                    ]
                    for line in output.stderr.split(separator: "\n") {
                        #expect(known.contains { line.contains($0) }, "\(line)")
                    }
                    // One rm -f came to its end: nothing is left, of the names neither.
                    #expect(try runimg.check("ps", "-aq").lines == [], "\(output)")
                    #expect(try Directory.entries("\(runimg.dataRoot)/containers/names").isEmpty)
                    #expect(!File.exists("\(runimg.dataRoot)/overlay2/\(id)") && Lifecycle.monitor(of: id) == nil)
                }
            }
        }
    }
}
