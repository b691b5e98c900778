internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// What is in a volume: the user's, or all of an image's, never a mixture and never lost.
    @Suite struct Volumes {
        /// Two images that have 200 files each, of different names and contents, at /seed.
        private static func bench() throws -> (runimg: Runimg, image: String) {
            let runimg = try Runimg()
            try runimg.check("pull", "-q", Leaks.image)
            let image = try #require(try runimg.check("images", "-q").lines.first)
            for name in ["a", "b"] {
                let fill =
                    "mkdir -m 750 /seed; cd /seed; for i in $(seq 200); do echo \(name) > \(name)$i; done; chown 7:8 ."
                try runimg.check("run", "--name", "from-\(name)", image, "sh", "-c", fill)
                try runimg.check("commit", "from-\(name)", "seed:\(name)")
                try runimg.check("rm", "from-\(name)")
            }
            return (runimg, image)
        }

        private static let count = "cat /seed/* | sort | uniq -c | tr -s ' '; stat -c '%a %u %g' /seed"

        @Test("C3: a volume that has a file is left as it is") func aFullVolume() throws {
            let (runimg, image) = try Self.bench()
            let write = ["run", "--rm", "-v", "vol:/seed", image, "sh", "-c", "echo mine > /seed/a1; chmod 700 /seed"]
            #expect(try runimg.run(write).status == 0)
            for name in ["a", "b"] {
                let seen = try runimg.check("run", "--rm", "-v", "vol:/seed", "seed:\(name)", "sh", "-c", Self.count)
                #expect(seen.lines == [" 1 mine", "700 0 0"], "\(seen)")
            }
        }

        @Test("C3: containers that start at once on a new volume find all of one image's files and none of another's")
        func atOnce() throws {
            let (runimg, _) = try Self.bench()
            let script = #"""
                n=$1; count=$2; shift 2
                for i in 1 2; do
                    "$@" run --rm -v vol$n:/seed seed:a sh -c "$count" &
                    "$@" run --rm -v vol$n:/seed seed:b sh -c "$count" &
                done
                wait
                """#
            for round in 0..<6 {
                let output = try Tool.run("sh", ["-c", script, "sh", "\(round)", Self.count] + runimg.command([]))
                #expect(
                    [[" 200 a", "750 7 8"], [" 200 b", "750 7 8"]].contains(Set(output.lines).sorted()), "\(output)")
                #expect(output.lines.count == 8, "\(output)")
            }
        }

        @Test(
            "C3: a start that is killed while it fills a volume: the next one finds nothing or all",
            .enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"),
            arguments: ["/^mkdir", "openat", "/^rename", "/^rmdir|unlinkat", "syncfs", "flock", "fchown"])
        func killed(_ call: String) throws {
            let (runimg, _) = try Self.bench()
            let run = ["run", "--rm", "-v", "vol:/seed", "seed:a"]
            try CrashEnumerator(call, samples: call == "/^rename" ? 8 : 3).run(
                prepare: { try runimg.check("volume", "rm", "-f", "vol") },
                command: { _, prefix in try runimg.run(run + ["true"], under: prefix).status == 0 },
                check: { _, moment, _ in
                    let seen = try runimg.run(run + ["sh", "-c", Self.count])
                    #expect(seen.lines == [" 200 a", "750 7 8"], "\(moment): \(seen)")
                    try runimg.settle()
                    #expect(
                        try Directory.entries("\(runimg.dataRoot)/volumes/vol").map(\.name) == ["_data"], "\(moment)")
                })
        }

        @Test(
            "C3: the removal of a volume that races with a container's start: what the container wrote is there after")
        func removalRaces() throws {
            let (runimg, image) = try Self.bench()
            let script = #"""
                image=$1; shift
                for i in $(seq 12); do
                    "$@" volume create vol > /dev/null
                    "$@" run --name c$i -v vol:/x $image sh -c 'echo kept > /x/file' &
                    for k in 1 2 3; do "$@" volume rm vol > /dev/null 2>&1; done
                    wait
                    "$@" run --rm -v vol:/x $image cat /x/file
                    "$@" rm c$i > /dev/null; "$@" volume rm vol > /dev/null
                done
                """#
            let output = try Tool.run("sh", ["-c", script, "sh", image] + runimg.command([]))
            #expect(output.lines == Array(repeating: "kept", count: 12), "\(output)")
        }

        @Test(
            "C3: a removal that is killed leaves a whole volume or none",
            .enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"),
            arguments: ["/^rename", "/^unlink", "/^rmdir"])
        func killedRemoval(_ call: String) throws {
            let runimg = try Runimg()
            let data = "\(runimg.dataRoot)/volumes/vol/_data"
            try CrashEnumerator(call, samples: 3).run(
                prepare: {
                    try runimg.check("volume", "create", "--label", "a=b", "vol")
                    for i in 0..<5 { try File.replace("\(data)/\(i)", with: [1], durably: false) }
                },
                command: { _, prefix in try runimg.run(["volume", "rm", "vol"], under: prefix).status == 0 },
                check: { _, moment, _ in
                    let listed = try runimg.check("volume", "ls", "-q").lines
                    let files = (try? Directory.entries(data).count) ?? 0
                    #expect(listed == (files == 5 ? ["vol"] : []) && [0, 5].contains(files), "\(moment): \(files)")
                    try runimg.check("volume", "rm", "-f", "vol")
                    #expect(!File.exists("\(runimg.dataRoot)/volumes/vol"), "\(moment)")
                })
        }

        @Test("C3: a nameless volume that another container has stays when its own goes") func shared() throws {
            let (runimg, image) = try Self.bench()
            try runimg.check("run", "--name", "own", "-v", "/x", image, "sh", "-c", "echo kept > /x/file")
            try runimg.check("create", "--name", "user", "--volumes-from", "own", image, "cat", "/x/file")
            try runimg.check("rm", "-v", "own")
            #expect(try runimg.check("start", "-a", "user").lines == ["kept"])
            try runimg.check("rm", "-v", "user")
            #expect(try runimg.check("volume", "prune", "-f").stdout.contains("Deleted Volumes"))
        }
    }
}
