internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// A seccomp profile is the container's from the time it is made.
    @Suite struct KeptProfiles {
        private static func profile(denying name: String) -> String {
            #"{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["\#(name)","\#(name)at"],"action":"SCMP_ACT_ERRNO","errnoRet":1}]}"#
        }

        @Test(arguments: [nil, "mkfifo", "not JSON"]) func itStays(_ later: String?) throws {
            try Lifecycle.isolated { runimg in
                let file = runimg.scratch("profile.json")
                try File.replace(file, with: Array(Self.profile(denying: "mkdir").utf8))
                let script = "mkdir /a 2>/tmp/said || echo refused; exec sleep 1000"
                let id = try Lifecycle.detached(
                    runimg, "--security-opt", "seccomp=\(file)", Lifecycle.image, "sh", "-c", script)
                #expect(Lifecycle.awaitLog(runimg, id, "refused"))
                if let later {
                    try File.replace(
                        file, with: Array((later == "not JSON" ? later : Self.profile(denying: later)).utf8))
                } else {
                    try File.unlink(file)
                }
                try runimg.check("restart", "-t", "0", id)
                #expect(
                    Wait.until(seconds: 20) { Lifecycle.log(runimg, id).split(separator: "\n").count == 2 },
                    "\(Lifecycle.log(runimg, id))")
                #expect(try runimg.run(["exec", id, "mkdir", "/b"]).status == 1)
                #expect(try runimg.check("exec", id, "mkfifo", "/c").status == 0)
            }
        }

        @Test func oneThatIsNotThereIsSaidAtOnce() throws {
            try Lifecycle.isolated { runimg in
                let output = try runimg.run(["create", "--security-opt", "seccomp=/nosuch", Lifecycle.image, "true"])
                #expect(output.status != 0 && output.stderr.contains("/nosuch"), "\(output)")
                #expect(try runimg.check("ps", "-aq").lines.isEmpty)
            }
        }
    }
}
