internal import Glibc
internal import Sys
internal import TestSupport
import Testing

private enum DebiansPlugins {
    static let directory = "/usr/lib/cni"
    static var isPossible: Bool { File.exists("\(directory)/portmap") && Conditions.has("iptables") }
}

extension EndToEnd.Networks {
    /// `--network cni:NAME` with the plugins that everybody has, and with some that misbehave.
    @Suite(.enabled(if: DebiansPlugins.isPossible, "needs CNI's plugins in \(DebiansPlugins.directory) and iptables"))
    struct CNINetworks {
        /// A network `front`: a bridge, addresses of host-local, and ports.
        private struct Bench {
            let scratch: Scratch
            let network: NetworkBench

            init(last plugin: String = "portmap") throws {
                scratch = try Scratch()
                try scratch.directory("bin")
                for name in ["bridge", "host-local", "portmap"] {
                    #expect(symlink("\(DebiansPlugins.directory)/\(name)", scratch("bin/\(name)")) == 0)
                }
                network = try NetworkBench(
                    configuration: """
                        {"cni-conf-dir": "\(scratch("net"))", "cni-bin-dir": "\(scratch("bin"))"}
                        """)
                try scratch.file(
                    "net/10-front.conflist",
                    """
                    {"cniVersion": "1.0.0", "name": "front", "plugins": [
                      {"type": "bridge", "bridge": "front0", "isGateway": true, "ipMasq": true,
                       "capabilities": {"ips": true, "mac": true},
                       "ipam": {"type": "host-local", "dataDir": "\(scratch("leases"))", "routes": [{"dst": "0.0.0.0/0"}],
                                "ranges": [[{"subnet": "10.88.7.0/24"}]]}, "dns": {"nameservers": ["192.0.2.53"]}},
                      {"type": "\(plugin)", "snat": true, "capabilities": {"portMappings": true}}]}
                    """)
            }

            func plugin(_ name: String, _ script: String) throws {
                try scratch.file("bin/\(name)", "#!/bin/sh\n\(script)\n", mode: 0o755)
            }

            /// Addresses that are taken, links, and rules about any container.
            func left() throws -> [String] {
                let leases = ((try? Directory.entries(scratch("leases/front"))) ?? []).map(\.name)
                let rules = try network.host.run("iptables", "-t", "nat", "-S").split(separator: "\n").map(String.init)
                let mounts = Scratch.mounts(below: "/run/runimg").filter { mount in
                    ids.contains { mount.contains($0) }
                }
                return leases.filter { $0.hasPrefix("10.") } + mounts + (try network.leftovers())
                    + rules.filter { $0.contains(" id: ") || $0.hasPrefix("-N CNI-DN-") }
            }

            private var ids: [String] {
                ((try? Directory.entries("\(network.runimg.dataRoot)/containers")) ?? []).map(\.name)
                    .filter { $0.utf8.count == 64 }
            }

            func settle(location: SourceLocation = #_sourceLocation) throws {
                try network.settle(location: location)
                let left = try left()
                if !left.isEmpty { Issue.record("left behind: \(left)", sourceLocation: location) }
            }
        }

        @Test func aContainerIsOnItAndGoesOutward() throws {
            let bench = try Bench()
            let (lan, network) = (bench.network.lan, bench.network)
            try lan.serve(lan.hosts[1].prefix, port: 80)
            let web = try network.sleeper("web", "--network", "cni:front", "--hostname", "box")
            #expect(try network.address(of: "web", on: "cni:front") == "10.88.7.2")
            #expect(try web.ask(lan.address(1)) == lan.address(0))
            let files = try network.check("exec", "web", "cat", "/etc/hosts", "/etc/resolv.conf")
            #expect(files.contains("10.88.7.2\tbox") && files.contains("nameserver 192.0.2.53"), "\(files)")
            #expect(try web.ip("-o", "addr").contains("127.0.0.1/8"))
            // Another time it is all the same.
            try network.check("restart", "-t", "0", "web")
            #expect(try network.check("exec", "web", "ip", "-o", "addr").contains("inet 10.88.7."))
            try network.check("stop", "-t", "0", "web")
            #expect(try bench.left() == [])
            try bench.settle()
        }

        @Test func publishedPortsAreThePluginsToLead() throws {
            let bench = try Bench()
            let (lan, network) = (bench.network.lan, bench.network)
            _ = try network.server("web", "--network", "cni:front", "-p", "8081:80")
            #expect(try lan.ask(lan.address(0), 8081, from: 1) == lan.address(1))
            #expect(try network.check("port", "web").contains("80/tcp -> 0.0.0.0:8081"))
            let second = try network.run(
                "run", "--rm", "-q", "--network", "cni:front", "-p", "8081:80", NetworkBench.image, "true")
            #expect(second.status == 125 && second.stderr.contains("port is already allocated (by container web)"))
            try bench.settle()
        }

        @Test func whatIsAskedIsHadOrRefused() throws {
            let bench = try Bench()
            let network = bench.network
            let shown = try network.check(
                "run", "--rm", "-q", "--network", "cni:front", "--ip", "10.88.7.77", "--mac-address",
                "02:00:00:00:00:07",
                NetworkBench.image, "ip", "addr", "show", "eth0")
            #expect(shown.contains("10.88.7.77/24") && shown.contains("02:00:00:00:00:07"), "\(shown)")
            let refused = try network.run(
                "run", "--rm", "-q", "--network", "cni:front", "--network-alias", "x", NetworkBench.image, "true")
            #expect(refused.stderr.contains("none of its plugins has the capability aliases"), "\(refused)")
            let absent = try network.run("run", "--rm", "-q", "--network", "cni:back", NetworkBench.image, "true")
            try network.check("create", "-q", "--name", "later", "--network", "cni:front", NetworkBench.image, "true")
            #expect(rename(bench.scratch("net/10-front.conflist"), bench.scratch("away")) == 0)
            let gone = try network.run("start", "later")
            #expect(gone.status != 0 && gone.stderr.contains("network cni:front not found in"), "\(gone)")
            let connected = try network.run("network", "connect", "cni:front", "later")
            #expect(connected.stderr.contains("by --network cni:front"), "\(connected)")
            #expect(
                absent.status == 125 && absent.stderr.contains("network cni:back not found in \(bench.scratch("net"))"))
            try bench.settle()
        }

        @Test func severalGiveAnInterfaceEach() throws {
            let bench = try Bench()
            let text = String(decoding: try File.readAll(bench.scratch("net/10-front.conflist")), as: UTF8.self)
            let other = text.replacing("\"front\"", with: "\"back\"").replacing("front0", with: "back0")
                .replacing("10.88.7.", with: "10.88.8.").replacing(#""routes": [{"dst": "0.0.0.0/0"}],"#, with: "")
            try bench.scratch.file("net/20-back.conflist", other)
            let shown = try bench.network.check(
                "run", "--rm", "-q", "--network", "cni:front", "--network", "cni:back", NetworkBench.image, "ip", "-o",
                "addr")
            #expect(
                shown.contains("eth0    inet 10.88.7.2/24") && shown.contains("eth1    inet 10.88.8.2/24"), "\(shown)")
            try bench.settle()
        }

        @Test func listsShowItAndNobodyRemovesIt() throws {
            let bench = try Bench()
            let network = bench.network
            #expect(try network.check("network", "ls", "--format", "{{.Name}} {{.Driver}}").contains("cni:front cni"))
            let removal = try network.run("network", "rm", "cni:front")
            #expect(removal.status != 0 && removal.stderr.contains("cannot be removed here"), "\(removal)")
            try network.check("network", "prune", "-f")
            #expect(File.exists(bench.scratch("net/10-front.conflist")))
            try network.sleeper("web", "--network", "cni:front")
            #expect(try network.check("network", "inspect", "cni:front").contains("10.88.7.2/24"))
            try bench.settle()
        }

        @Test(arguments: [
            (#"[ $CNI_COMMAND = ADD ] || exit 0; echo '{"code": 11, "msg": "no room"}'; exit 1"#, "no room (code 11)"),
            ("echo hello", "it printed no result: hello"),
        ])
        func aFailureIsSaidAndNothingStays(_ script: String, _ words: String) throws {
            let bench = try Bench(last: "broken")
            try bench.plugin("broken", script)
            let output = try bench.network.run(
                "run", "-q", "--name", "web", "--network", "cni:front", NetworkBench.image, "true")
            #expect(output.status == 125, "\(output)")
            #expect(
                output.stderr.contains("network cni:front: plugin broken failed at ADD: \(words)"), "\(output.stderr)")
            #expect(try bench.left() == [])
            try bench.settle()
        }

        /// The plugin kills the command that asked it and goes on for a while: what it makes then is taken back, too.
        @Test("F17: a start that is killed while a plugin works leaves nothing of its network")
        func aKilledStartIsTakenBack() throws {
            let bench = try Bench(last: "slow")
            let log = bench.scratch("log")
            try bench.plugin(
                "slow",
                """
                if [ $CNI_COMMAND = ADD ]; then kill -9 $PPID; sleep 1; echo made >> \(log); echo '{}'
                else echo back $CNI_NETNS >> \(log); fi
                """)
            let output = try bench.network.run(
                "run", "--rm", "-q", "--network", "cni:front", NetworkBench.image, "true")
            #expect(output.status != 0)
            try bench.network.check("ps")
            let said = String(decoding: try File.readAll(log), as: UTF8.self).split(separator: "\n")
            #expect(said.count == 2 && said.first == "made", "\(said)")
            #expect(said.last?.hasPrefix("back /run/runimg/") == true, "\(said)")
            #expect(try bench.left() == [])
            try bench.settle()
        }

        @Test func anEndWithoutACommandTakesItBack() throws {
            let bench = try Bench()
            try bench.network.check(
                "run", "-d", "-q", "--name", "web", "--restart", "on-failure:2", "--network", "cni:front",
                NetworkBench.image, "sh", "-c", "ip -o addr show eth0; exit 1")
            #expect(try bench.network.check("wait", "web") == "1")
            let isOver = try Wait.until(seconds: 30) {
                try bench.network.check("inspect", "-f", "{{.State.Status}} {{.RestartCount}}", "web") == "exited 2"
            }
            #expect(isOver)
            #expect(
                try bench.network.check("logs", "web").split(separator: "\n").filter { $0.contains("10.88.7.") }.count
                    == 3)
            #expect(try Wait.until(seconds: 20) { try bench.left() == [] })
            try bench.settle()
        }

        /// Calls that mount and start other processes; made by plugins, too.
        private static let calls = ["mount", "umount2", "clone3,vfork,clone"]

        @Test(
            "F17: a start on CNI's networks that is killed as it mounts or starts a process leaves nothing",
            .enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"), arguments: calls)
        func aStartIsKilled(_ call: String) throws {
            let bench = try Bench()
            // By its ID no worker is asked.
            let image = try bench.network.check("images", "-q", "--no-trunc")
            let command = ["run", "--rm", "-q", "--network", "cni:front", "-p", "8081:80", image, "true"]
            for round in 1...4 {
                let trace = [
                    "strace", "-f", "-qq", "-o", "/dev/null", "-e", "inject=\(call):signal=KILL:when=\(round)",
                ]
                let output = try bench.network.runimg.run(
                    command, under: bench.network.host.prefix + trace, timeout: 60)
                try bench.network.check("ps", "-aq")
                try bench.network.check("rm", "-f", "-v", "--all")
                let left = try Wait.until(seconds: 20) { try bench.left() == [] } ? [] : bench.left()
                #expect(left.isEmpty, "\(call) \(round): \(left)")
                if output.status == 0 { break }
            }
            try bench.network.check(
                "run", "--rm", "-q", "--network", "cni:front", "-p", "8081:80", NetworkBench.image, "true")
            try bench.settle()
        }

        @Test("F17: the networks of a killed monitor's container are taken back by the next command")
        func aKilledMonitorsAreTakenBack() throws {
            let bench = try Bench()
            let web = try bench.network.sleeper("web", "--network", "cni:front", "-p", "8081:80")
            let status = String(decoding: try File.readAll("/proc/\(web.pid)/status"), as: UTF8.self)
            let parent = status.split(separator: "\n").first { $0.hasPrefix("PPid:") }
            let monitor = try #require(parent?.split(separator: "\t").last.flatMap { Int32($0) })
            #expect(Glibc.kill(monitor, SIGKILL) == 0)
            // It may take a while to die.
            let isClean = try Wait.until(seconds: 20) {
                try bench.network.check("ps")
                return try bench.left() == []
            }
            #expect(isClean)
            try bench.settle()
        }
    }
}
