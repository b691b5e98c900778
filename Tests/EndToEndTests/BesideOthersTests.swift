internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd.Networks {
    /// Other programs that change the network of the host.
    @Suite struct BesideOthers {
        /// Outward, from outside, and from container to container.
        private func expectWhole(_ bench: NetworkBench, _ when: String) throws {
            let web = NetworkBench.Container(
                name: "web", pid: try bench.check("inspect", "-f", "{{.State.Pid}}", "web"))
            #expect(try web.ask(bench.lan.address(1), 81) == bench.lan.address(0), "\(when)")
            #expect(try bench.lan.ask(bench.lan.address(0), 8080, from: 1) == bench.lan.address(1), "\(when)")
            let other = try bench.sleeper("other")
            #expect(try other.ask(bench.address(of: "web")) != nil, "\(when)")
            try bench.check("rm", "-f", "other")
        }

        @Test(
            "a daemon of docker's, started before or after, leaves our containers their network, and we leave it its own",
            .enabled(if: DockerDaemon.isPossible, "needs docker's daemon, unpacked by make servers"),
            arguments: [true, false])
        func docker(_ isFirst: Bool) throws {
            let bench = try NetworkBench()
            var docker = isFirst ? try DockerDaemon(network: bench.host) : nil
            try bench.lan.serve(bench.lan.hosts[1].prefix, port: 81)
            _ = try bench.server("web", "-p", "8080:80")
            if docker == nil {
                docker = try DockerDaemon(network: bench.host)
                // It has set the policy of FORWARD; the next start of ours sees that.
                try bench.check("run", "--rm", "-q", NetworkBench.image, "true")
            }
            let rules = try bench.host.run("iptables", "-S", "FORWARD")
            #expect(rules.contains("docker0"), "\(rules)")
            try expectWhole(bench, "beside docker")
            // What it has is as it was, but for the two rules at the head of its chain.
            let ours = rules.split(separator: "\n").filter { $0.contains("runimg0") }
            #expect(ours.count == 2, "\(rules)")
            docker = nil
            try expectWhole(bench, "after docker")
            try bench.settle()
        }

        @Test("a FORWARD chain that drops lets our containers through", arguments: ["iptables-nft", "iptables-legacy"])
        func aPolicyThatDrops(_ program: String) throws {
            try #require(Conditions.has(program))
            let bench = try NetworkBench()
            try bench.host.run(program, "-P", "FORWARD", "DROP")
            try bench.lan.serve(bench.lan.hosts[1].prefix, port: 81)
            _ = try bench.server("web", "-p", "8080:80")
            try expectWhole(bench, program)
            try bench.settle()
        }

        /// As firewalld 1 makes it, whose last rule refuses what no zone has let through.
        @Test func aChainOfFirewalldLetsOurContainersThrough() throws {
            let bench = try NetworkBench()
            try bench.host.run("nft", "add table inet firewalld")
            let hook = "{ type filter hook forward priority 10; policy accept; }"
            try bench.host.run("nft", "add chain inet firewalld filter_FORWARD \(hook)")
            try bench.host.run("nft", "add rule inet firewalld filter_FORWARD ct state established,related accept")
            try bench.host.run("nft", "add rule inet firewalld filter_FORWARD reject with icmpx type admin-prohibited")
            try bench.lan.serve(bench.lan.hosts[1].prefix, port: 81)
            _ = try bench.server("web", "-p", "8080:80")
            try expectWhole(bench, "firewalld")
            // A reload makes the table anew; the next start sees that.
            try bench.host.run("nft", "flush chain inet firewalld filter_FORWARD")
            try bench.host.run("nft", "add rule inet firewalld filter_FORWARD ct state established,related accept")
            try bench.host.run("nft", "add rule inet firewalld filter_FORWARD reject with icmpx type admin-prohibited")
            try bench.check("run", "--rm", "-q", NetworkBench.image, "true")
            try expectWhole(bench, "after a reload")
            try bench.settle()
        }

        @Test("F18: after a reboot no address is taken, and a container starts again on its network")
        func addressesAreFreeAfterAReboot() throws {
            let bench = try NetworkBench()
            try bench.check("network", "create", "--subnet", "10.55.0.0/24", "front")
            let web = try bench.sleeper("web", "--network", "front", "-p", "8080:80")
            let id = try bench.check("inspect", "-f", "{{.Id}}", "web")
            let status = String(decoding: try File.readAll("/proc/\(web.pid)/status"), as: UTF8.self)
            let parent = status.split(separator: "\n").first { $0.hasPrefix("PPid:") }
            let monitor = try #require(parent?.split(separator: "\t").last.flatMap { Int32($0) })
            #expect(kill(monitor, SIGKILL) == 0)
            #expect(Wait.until(seconds: 10) { !File.exists("/proc/\(web.pid)") })
            // All that a boot takes away.
            try Directory.removeTree("/run/runimg/\(id)")
            try Directory.removeTree("/run/runimg/networks/\(try bench.identity())")
            for link in try bench.host.run("ip", "-o", "link").split(separator: "\n") where link.contains(": br-") {
                let name = link.split(separator: ":")[1].drop { $0 == " " }
                try bench.host.run("ip", "link", "del", String(name))
            }
            try bench.host.run("nft", "flush", "ruleset")
            #expect(try bench.check("inspect", "-f", "{{.State.Status}}", "web") == "exited")
            try bench.check("start", "web")
            #expect(try bench.address(of: "web", on: "front") == "10.55.0.2")
            #expect(try bench.check("port", "web").hasPrefix("80/tcp -> 0.0.0.0:8080"))
            try bench.settle()
        }
    }
}
