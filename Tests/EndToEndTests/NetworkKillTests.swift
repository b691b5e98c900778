internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd.Networks {
    /// Commands that are killed while they change the host's networks.
    @Suite(.enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"))
    struct Killed {
        /// Calls by which the kernel, the run directory or another process is changed.
        private static let calls = ["sendto,sendmsg", "symlinkat", "unshare,setns", "openat", "clone3"]

        /// Kills `command` at the call's `number`-th time in any of its threads; false once it is not called so often.
        private func kill(_ bench: NetworkBench, _ call: String, _ number: Int, _ command: [String]) throws -> Bool {
            let trace = [
                // What it leaves running, each by an exec, is not followed: strace would wait for its end.
                "strace", "-f", "-b", "execve", "-qq", "-o", "/dev/null", "-e",
                "inject=\(call):signal=KILL:when=\(number)",
            ]
            return try bench.runimg.run(command, under: bench.host.prefix + trace, timeout: 60).status != 0
        }

        @Test("F17: a start that is killed at any call leaves no link, lease or rule", arguments: calls)
        func aStart(_ call: String) throws {
            let bench = try NetworkBench()
            try bench.check("network", "create", "front")
            try bench.check("run", "--rm", "-q", "--network", "front", NetworkBench.image, "true")
            let fresh = try bench.ruleset()
            let rounds = SyscallFaults.rounds(8, soak: 400)
            // openat has many times before the first that matters.
            let stride = call == "openat" ? 17 : 1
            for round in 1...rounds {
                let command = [
                    "run", "-d", "-q", "--network", "front", "-p", "8080:80", NetworkBench.image, "sleep", "1000",
                ]
                let wasKilled = try kill(bench, call, round * stride, command)
                // Whatever is there of it: by its record it can be removed.
                try bench.check("ps", "-aq")
                try bench.check("rm", "-f", "-v", "--all")
                let left = try bench.lasting()
                #expect(left.isEmpty, "\(call) \(round): \(left)")
                // The port is free, and all can be had again.
                try bench.check(
                    "run", "--rm", "-q", "--network", "front", "-p", "8080:80", NetworkBench.image, "true")
                #expect(Wait.until(seconds: 10) { (try? bench.ruleset()) == fresh }, "\(call) \(round)")
                if !wasKilled { break }
            }
            try bench.settle()
        }

        @Test("F17: a removal that is killed at any call is made good by the next command", arguments: calls)
        func anEnd(_ call: String) throws {
            let bench = try NetworkBench()
            try bench.check("run", "--rm", "-q", NetworkBench.image, "true")
            for round in 1...SyscallFaults.rounds(4, soak: 400) {
                try bench.sleeper("web", "-p", "8080:80")
                let wasKilled = try kill(bench, call, round, ["rm", "-f", "web"])
                try bench.check("rm", "-f", "-v", "--all")
                let left = try bench.lasting()
                #expect(left.isEmpty, "\(call) \(round): \(left)")
                if !wasKilled { break }
            }
            try bench.settle()
        }

        @Test("F17: what a killed monitor held is cleared away by the next command")
        func aMonitor() throws {
            let bench = try NetworkBench()
            let web = try bench.sleeper("web", "-p", "8080:80")
            let status = String(decoding: try File.readAll("/proc/\(web.pid)/status"), as: UTF8.self)
            let parent = status.split(separator: "\n").first { $0.hasPrefix("PPid:") }
            let monitor = try #require(parent?.split(separator: "\t").last.flatMap { Int32($0) })
            #expect(Glibc.kill(monitor, SIGKILL) == 0)
            // Until its end is complete it holds its lock, and to all others it lives.
            #expect(Wait.forEnd(of: monitor))
            try bench.check("ps")
            let left = try bench.lasting()
            #expect(left.isEmpty, "\(left)")
            try bench.check("run", "--rm", "-q", "-p", "8080:80", NetworkBench.image, "true")
            try bench.settle()
        }

        @Test("F17: what is noted of a host's namespace goes with it")
        func aNamespaceThatIsGone() throws {
            var path = ""
            do {
                let bench = try NetworkBench()
                try bench.check("run", "--rm", "-q", NetworkBench.image, "true")
                path = "/run/runimg/networks/\(try bench.identity())"
                try bench.check("network", "prune", "-f")
                // Its own is not touched while it lives.
                #expect(File.exists("\(path)/generation"))
                try bench.settle()
            }
            let other = try Runimg()
            let isGone = try Wait.until(seconds: 20) {
                try other.check("network", "prune", "-f")
                return !File.exists(path)
            }
            #expect(isGone, "\(path)")
        }
    }
}
