internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd.Networks {
    /// The default network.
    @Suite struct Bridge {
        @Test func leadsOutwardByTheHostsAddress() throws {
            let bench = try NetworkBench()
            try bench.lan.serve(bench.lan.hosts[1].prefix, port: 80)
            let container = try bench.sleeper("web")
            #expect(try container.ask(bench.lan.address(1)) == bench.lan.address(0))
            try bench.settle()
        }

        @Test("N1: has what docker's users know, and nothing of version 6 where the network has none")
        func hasWhatDockersUsersKnow() throws {
            let bench = try NetworkBench()
            let shown = try bench.check(
                "run", "--rm", "-q", "--hostname", "box", NetworkBench.image, "sh", "-c",
                "ip -o addr show eth0; ip route; cat /etc/hosts; cat /sys/class/net/eth0/address; hostname -i")
            #expect(shown.contains("inet 172.17.0.2/16 brd 172.17.255.255 scope global eth0"), "\(shown)")
            #expect(shown.contains("default via 172.17.0.1 dev eth0"), "\(shown)")
            #expect(shown.contains("172.17.0.2\tbox"), "\(shown)")
            #expect(shown.contains("02:42:ac:11:00:02\n172.17.0.2"), "\(shown)")
            // Version 6 is off where the network has none.
            #expect(!shown.contains("inet6"), "\(shown)")
            try bench.settle()
        }

        @Test("a command that serves a container keeps nothing of its network, which would outlive the container")
        func theCommandKeepsNothing() throws {
            let bench = try NetworkBench()
            let line =
                bench.host.prefix
                + bench.runimg.command(["run", "--rm", "-q", "--name", "held", NetworkBench.image, "sleep", "1000"])
            let null = try File.open("/dev/null", O_WRONLY)
            var child = try ChildProcess(
                Tool.find(line[0]) ?? line[0], Array(line.dropFirst()),
                environment: Tool.baseEnvironment, input: .null, output: .descriptor(null.raw),
                errors: .descriptor(null.raw))
            let isUp = Wait.until(seconds: 30) {
                (try? bench.check("inspect", "-f", "{{.State.Running}}", "held")) == "true"
            }
            #expect(isUp)
            let open = try Directory.entries("/proc/\(child.pid)/fd").map {
                (try? File.readLink("/proc/\(child.pid)/fd/\($0.name)")) ?? ""
            }
            #expect(!open.isEmpty && !open.contains { $0.hasPrefix("net:") }, "\(open)")
            _ = try bench.check("rm", "-f", "held")
            _ = try child.wait(seconds: 30)
            try bench.settle()
        }

        @Test func hostAndContainersReachEachOther() throws {
            let bench = try NetworkBench()
            let one = try bench.server("one")
            let other = try bench.sleeper("other")
            let address = try bench.address(of: "one")
            #expect(try bench.lan.ask(address, 80, from: 0) == "172.17.0.1")
            #expect(try other.ask(address) == bench.address(of: "other"))
            try bench.lan.serve(bench.host.prefix, port: 8000)
            #expect(try one.ask("172.17.0.1", 8000) == address)
            try bench.settle()
        }

        @Test("N3: what is not published is not reached by routing to the container")
        func theUnpublishedIsNotReachedFromOutside() throws {
            let bench = try NetworkBench()
            _ = try bench.server("web", "-p", "127.0.0.1:8081:80")
            let address = try bench.address(of: "web")
            try bench.lan.hosts[1].run("ip", "route", "add", "172.17.0.0/16", "via", bench.lan.address(0))
            #expect(try bench.lan.ask(address, 80, from: 1) == nil)
            // What is published on the loopback is not either, by whatever address.
            #expect(try bench.lan.ask(bench.lan.address(0), 8081, from: 1) == nil)
            try bench.lan.hosts[1].run("ip", "route", "add", "127.0.0.9/32", "via", bench.lan.address(0))
            #expect(try bench.lan.ask("127.0.0.9", 8081, from: 1) == nil)
            #expect(try bench.lan.ask("127.0.0.1", 8081, from: 0) != nil)
            // It is the rules that keep it away.
            try bench.host.run("nft", "flush", "chain", "inet", "runimg", "forward")
            #expect(try bench.lan.ask(address, 80, from: 1) != nil)
            try bench.settle()
        }

        @Test func aTakenRangeIsPassedOver() throws {
            let bench = try NetworkBench()
            try bench.host.run("ip", "link", "add", "other0", "type", "bridge")
            try bench.host.run("ip", "addr", "add", "172.17.3.1/24", "dev", "other0")
            try bench.host.run("ip", "link", "set", "other0", "up")
            try bench.sleeper("web")
            #expect(try bench.address(of: "web") == "172.18.0.2")
            try bench.settle()
        }

        @Test func aDeletedBridgeIsMadeAgain() throws {
            let bench = try NetworkBench()
            try bench.sleeper("one")
            try bench.host.run("ip", "link", "del", "runimg0")
            let other = try bench.sleeper("other")
            #expect(try bench.address(of: "other") == "172.17.0.3")
            try bench.lan.serve(bench.host.prefix, port: 8000)
            #expect(try other.ask("172.17.0.1", 8000) == "172.17.0.3")
            try bench.settle()
        }

        @Test("N4: a flushed ruleset is mended by the next start, whatever runs")
        func aFlushedRulesetIsMended() throws {
            let bench = try NetworkBench()
            _ = try bench.server("web", "-p", "8080:80")
            try bench.sleeper("second")
            let fresh = try bench.ruleset()
            for damage in ["flush ruleset", "flush table inet runimg", "delete table bridge runimg"] {
                try bench.host.run("nft", damage)
                try bench.check("run", "--rm", "-q", NetworkBench.image, "true")
                let mended = Wait.until(seconds: 10) { (try? bench.ruleset()) == fresh }
                let now = try bench.ruleset()
                #expect(mended, "\(damage): \(now) was \(fresh)")
            }
            #expect(try bench.lan.ask(bench.lan.address(0), 8080, from: 1) == bench.lan.address(1))
            try bench.settle()
        }
    }

    /// `-p` and its kind.
    @Suite struct PublishedPorts {
        @Test("N6: a published port is reached from everywhere, by nobody as 127.0.0.1", arguments: ["nft", "proxy"])
        func isReachedFromEverywhere(_ mode: String) throws {
            let bench = try NetworkBench(configuration: #"{"publish-mode": "\#(mode)"}"#)
            let server = try bench.server("web", "-p", "8080:80")
            let sibling = try bench.sleeper("sibling")
            let own = bench.lan.address(0)
            let outside = try bench.lan.ask(own, 8080, from: 1)
            // A proxy of the host's hides who asks; the kernel does not.
            #expect(outside == (mode == "nft" ? bench.lan.address(1) : "172.17.0.1"))
            for address in [own, bench.lan.address6(0), "127.0.0.1", "::1", "172.17.0.1"] {
                let seen = try bench.lan.ask(address, 8080, from: 0)
                #expect(seen != nil && seen?.hasPrefix("127.") == false && seen != "::1", "\(address)")
            }
            #expect(try bench.lan.ask(bench.lan.address6(0), 8080, from: 1) != nil)
            #expect(try server.ask(own, 8080) != nil, "hairpin")
            #expect(try sibling.ask(own, 8080) != nil, "sibling")
            #expect(try bench.check("port", "web") == "80/tcp -> 0.0.0.0:8080\n80/tcp -> [::]:8080")
            #expect(
                try bench.check("ps", "--filter", "name=web", "--format", "{{.Ports}}").contains("0.0.0.0:8080->80/tcp")
            )
            try bench.check("stop", "-t", "0", "web")
            #expect(try bench.lan.ask(own, 8080, from: 1) == nil)
            #expect(try bench.check("port", "web").isEmpty)
            try bench.check("start", "web")
            try bench.settle()
        }

        @Test func aTakenPortIsSaidBeforeTheStart() throws {
            let bench = try NetworkBench()
            try bench.lan.serve(bench.host.prefix, port: 8080)
            let output = try bench.run("run", "-q", "--name", "web", "-p", "8080:80", NetworkBench.image, "echo", "ran")
            #expect(output.status == 125 && output.stdout.isEmpty, "\(output)")
            #expect(output.stderr.contains("8080") && output.stderr.contains("address already in use"), "\(output)")
            try bench.settle()
        }
    }
}
