internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// The way out of an ordinary user's container: pasta and slirp4netns, as Debian has them.
    @Suite(
        .enabled(
            if: Conditions.canRun && OrdinaryUser.isPossible && LocalNetwork.isPossible
                && Conditions.has("pasta", "slirp4netns", "setfacl") && File.exists("/dev/net/tun"),
            "needs an ordinary user, pasta, slirp4netns and ACLs on /dev/net/tun"))
    struct UserNetworks {
        static let image = RootlessTests.image
        static let programs = ["pasta", "slirp4netns"]

        /// Commands of a host that has the network.
        struct Run {
            var runimg: Runimg
            var prefix: [String]

            func callAsFunction(_ arguments: [String], _ further: [String] = []) throws -> Tool.Output {
                try runimg.run(arguments, under: prefix + further)
            }
        }

        /// A user's program in a network with a machine beyond it.
        static func isolated(
            _ user: OrdinaryUser? = OrdinaryUser.ranged, routes: Bool = true,
            _ body: (Runimg, Run) throws -> Void
        ) throws {
            let user = try #require(user)
            try #require(user.mayUse("/dev/net/tun"))
            let network = try LocalNetwork(routes: routes)
            try RootlessTests.isolated(user) { runimg in
                try runimg.check("pull", "-q", image)
                try body(runimg, Run(runimg: runimg, prefix: network.host.prefix))
                try runimg.check("rm", "-f", "-v", "--all")
                #expect(Wait.until(seconds: 10) { helpers(runimg).isEmpty }, "\(helpers(runimg))")
            }
        }

        /// The programs that lead out of this user's containers: by the run directory in what they were told, or by the
        /// container's process that they watch.
        private static func helpers(_ runimg: Runimg, watching process: String? = nil) -> [Int32] {
            guard let user = runimg.user else { return [] }
            return user.processes.filter { pid in
                let line = String(decoding: (try? File.readAll("/proc/\(pid)/cmdline")) ?? [], as: UTF8.self)
                if line.contains("pasta") { return line.contains(runimg.runDirectory) }
                guard line.contains("slirp4netns"), let process else { return false }
                return ((try? Directory.entries("/proc/\(pid)/fdinfo")) ?? []).contains { entry in
                    let path = "/proc/\(pid)/fdinfo/\(entry.name)"
                    let text = String(decoding: (try? File.readAll(path)) ?? [], as: UTF8.self)
                    return text.split(separator: "\n").contains("Pid:\t\(process)")
                }
            }
        }

        static func sleeper(
            _ run: Run, _ flags: String..., name: String = "web"
        ) throws -> String {
            let output = try run(["run", "-d", "-q", "--name", name] + flags + [image, "sleep", "1000"])
            guard output.status == 0 else { throw Tool.Failure(output: output) }
            return try run(["inspect", "-f", "{{.State.Pid}}", name]).lines.first ?? ""
        }

        /// The fixture's static busybox has no wget. The input stays open for a while: this pasta takes a connection that
        /// is half closed for one that goes on.
        private static func fetch(_ address: String = LocalNetwork.farAddress, _ port: Int = 80) -> String {
            "{ printf 'GET / HTTP/1.0\\r\\n\\r\\n'; sleep 1; } | nc -w 5 \(address) \(port) | grep from"
        }

        @Test(arguments: programs) func leadsOutward(_ program: String) throws {
            try Self.isolated { runimg, run in
                let process = try Self.sleeper(run, "--network", program)
                #expect(try run(["exec", "web", "sh", "-c", Self.fetch()]).stdout == LocalNetwork.page)
                #expect(try run(["inspect", "-f", "{{.HostConfig.NetworkMode}}", "web"]).stdout == "\(program)\n")
                let address = program == "pasta" ? LocalNetwork.hostAddress : "10.0.2.100"
                #expect(try run(["exec", "web", "hostname", "-i"]).stdout == "\(address)\n")
                if LocalNetwork.resolver != nil {
                    let found = try run(["exec", "web", "nslookup", "-type=a", "any.example"])
                    #expect(found.stdout.contains(LocalNetwork.answer), "\(found)")
                }
                // The first program finds the network as later ones do.
                let first = try run(["run", "--rm", "--network", program, Self.image, "sh", "-c", Self.fetch()])
                #expect(first.stdout == LocalNetwork.page && first.status == 0, "\(first)")
                // Its guests have the same.
                let shared = ["run", "--rm", "--network", "container:web", Self.image, "sh", "-c", Self.fetch()]
                #expect(try run(shared).stdout == LocalNetwork.page)
                #expect(Self.helpers(runimg, watching: process).count == 1)
                #expect(try run(["stop", "-t", "0", "web"]).status == 0)
                #expect(Wait.until(seconds: 10) { Self.helpers(runimg, watching: process).isEmpty })
                #expect(try run(["start", "web"]).status == 0)
                #expect(try run(["exec", "web", "sh", "-c", Self.fetch()]).stdout == LocalNetwork.page)
            }
        }

        @Test(arguments: programs) func theHostsLoopbackStaysItsOwn(_ program: String) throws {
            try Self.isolated { _, run in
                _ = try Self.sleeper(run, "--network", program)
                let gateway = program == "pasta" ? LocalNetwork.farAddress : "10.0.2.2"
                for address in ["127.0.0.1", gateway] {
                    let script = Self.fetch(address, LocalNetwork.loopbackPort)
                    let tried = try run(["exec", "web", "sh", "-c", script])
                    #expect(tried.status == 1 && tried.stdout == "", "\(tried)")
                }
            }
        }

        /// The kernel tells slirp4netns; pasta leaves with the next command.
        @Test(arguments: programs) func endsWithAKilledMonitor(_ program: String) throws {
            try Self.isolated { runimg, run in
                let process = try Self.sleeper(run, "--network", program)
                let pid = try #require(Int32(process))
                let monitor = try #require(ProcessStatus.parent(pid))
                #expect(Self.helpers(runimg, watching: process).count == 1)
                kill(monitor, SIGKILL)
                #expect(Wait.until(seconds: 10) { !File.exists("/proc/\(pid)") })
                _ = try run(["ps"])
                #expect(Wait.until(seconds: 10) { Self.helpers(runimg, watching: process).isEmpty })
            }
        }

        /// pasta that gets no time until all is over.
        @Test(arguments: [false, true]) func endsHoweverLateItHears(killed: Bool) throws {
            try Self.isolated { runimg, run in
                let pid = try #require(Int32(try Self.sleeper(run, "--network", "pasta")))
                let helper = try #require(Self.helpers(runimg).first)
                kill(helper, SIGSTOP)
                if killed {
                    kill(try #require(ProcessStatus.parent(pid)), SIGKILL)
                    #expect(Wait.until(seconds: 10) { !File.exists("/proc/\(pid)") })
                }
                #expect(try run(["rm", "-f", "web"]).status == 0)
                #expect(Self.helpers(runimg) == [helper])
                kill(helper, SIGCONT)
                #expect(Wait.until(seconds: 10) { Self.helpers(runimg).isEmpty })
            }
        }

        @Test(arguments: programs) func comesAgainWithEachStart(_ program: String) throws {
            try Self.isolated { runimg, run in
                let line = ["run", "-d", "-q", "--name", "again", "--restart", "on-failure:1", "--network", program]
                let script = "\(Self.fetch()) >> /seen; exit 3"
                #expect(try run(line + [Self.image, "sh", "-c", script]).status == 0)
                #expect(try run(["wait", "again"]).stdout == "3\n")
                #expect(
                    Wait.until(seconds: 20) {
                        (try? run(["inspect", "-f", "{{.State.Status}} {{.RestartCount}}", "again"]).stdout)
                            == "exited 1\n"
                    })
                let seen = try run(["cp", "again:/seen", "-"]).stdout
                #expect(seen.split(separator: "\n").count { $0.contains("from far away") } == 2, "\(seen)")
                #expect(Wait.until(seconds: 10) { Self.helpers(runimg).isEmpty })
            }
        }

        @Test func isThereUnasked() throws {
            try Self.isolated { _, run in
                for flags in [[], ["--network", "bridge"], ["--network", "default"]] as [[String]] {
                    let output = try run(["run", "--rm", "-q"] + flags + [Self.image, "sh", "-c", Self.fetch()])
                    #expect(output.stdout == LocalNetwork.page && output.stderr == "", "\(output)")
                }
                #expect(try run(["info"]).stdout.contains("Network: host none pasta slirp4netns\n"))
                _ = try Self.sleeper(run)
                #expect(try run(["inspect", "-f", "{{.HostConfig.NetworkMode}}", "web"]).stdout == "pasta\n")
            }
            // pasta has no address to give.
            try Self.isolated(routes: false) { _, run in
                _ = try Self.sleeper(run)
                #expect(try run(["inspect", "-f", "{{.HostConfig.NetworkMode}}", "web"]).stdout == "slirp4netns\n")
                #expect(try run(["exec", "web", "sh", "-c", Self.fetch()]).stdout == LocalNetwork.page)
            }
        }

        @Test(arguments: programs) func servesWhoHasOneID(_ program: String) throws {
            try Self.isolated(OrdinaryUser.plain) { _, run in
                let output = try run(["run", "--rm", "-q", "--network", program, Self.image, "sh", "-c", Self.fetch()])
                #expect(output.stdout == LocalNetwork.page, "\(output)")
            }
        }

        /// The process that is connected is not the first that was made.
        @Test(arguments: programs) func goesWithAnothersPids(_ program: String) throws {
            try Self.isolated { runimg, run in
                _ = try Self.sleeper(run, "--network", "none", name: "pids")
                let line = ["run", "--rm", "-q", "--pid", "container:pids", "--network", program, Self.image]
                try RootlessTests.delegated(runimg) { cgroups in
                    // Longer than a program takes to notice an end.
                    let output = try run(line + ["sh", "-c", "sleep 1; \(Self.fetch())"], cgroups.inside)
                    #expect(output.stdout == LocalNetwork.page, "\(output)")
                    try runimg.check("rm", "-f", "pids")
                }
            }
        }

        @Test func refusalsSayWhy() throws {
            try Self.isolated(routes: false) { _, run in
                let pasta = try run(["run", "--rm", "--network", "pasta", Self.image, "true"])
                #expect(pasta.status == 125)
                #expect(pasta.stderr.contains("pasta could not connect the container's network: "), "\(pasta)")
                let options = try run(["run", "--network", "slirp4netns:mtu=1500", Self.image, "true"])
                #expect(options.status == 125 && options.stderr.contains("not supported yet (planned)"), "\(options)")
                #expect(try run(["ps", "-aq"]).stdout == "")
            }
            let root = try SharedEngine().runimg.run(["run", "--rm", "--network", "pasta", Self.image, "true"])
            #expect(root.status == 125 && root.stderr.contains("is for those who have no root"), "\(root)")
        }

        @Test func withoutTheDeviceThereIsNone() throws {
            let user = try #require(OrdinaryUser.ranged)
            try RootlessTests.isolated(user) { runimg in
                let bare = ["unshare", "-m", "sh", "-c", "mount -t tmpfs none /dev/net && exec \"$@\"", "sh"]
                try #require(try runimg.run(["pull", "-q", Self.image], under: bare).status == 0)
                let none = try runimg.run(["run", "--rm", "-q", Self.image, "ip", "route"], under: bare)
                #expect(none.stdout == "" && none.stderr == "" && none.status == 0, "\(none)")
                let bridge = try runimg.run(["run", "--rm", "--network", "bridge", Self.image, "true"], under: bare)
                let lack = "/dev/net/tun is not there (sudo modprobe tun)"
                #expect(
                    bridge.status == 0
                        && bridge.stderr.contains("no network leads outward here: \(lack); the container"),
                    "\(bridge)")
                #expect(try runimg.run(["info"], under: bare).stdout.contains("Network: host none\n"))
                for program in Self.programs {
                    let asked = try runimg.run(["run", "--network", program, Self.image, "true"], under: bare)
                    #expect(asked.status == 125)
                    #expect(
                        asked.stderr.contains("network \(program) can't be had here: \(lack)"), "\(asked)")
                }
            }
        }
    }
}
