internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd.Networks {
    /// Networks that were made.
    @Suite struct Made {
        private func hosts(_ bench: NetworkBench, _ name: String) throws -> String {
            try bench.check("exec", name, "cat", "/etc/hosts")
        }

        private func resolve(_ bench: NetworkBench, _ container: String, _ name: String) throws -> String {
            let output = try bench.run("exec", container, "ping", "-c", "1", "-W", "1", name)
            return output.lines.first { $0.hasPrefix("PING") } ?? output.stderr
        }

        @Test func namesResolveForAllWhoCome() throws {
            let bench = try NetworkBench()
            try bench.check("network", "create", "front")
            try bench.sleeper("first", "--network", "front")
            try bench.sleeper("second", "--network", "front", "--network-alias", "db")
            let second = try bench.address(of: "second", on: "front")
            for name in ["second", "db"] {
                #expect(try resolve(bench, "first", name).contains("(\(second))"), "\(name)")
            }
            let first = try bench.address(of: "first", on: "front")
            #expect(try resolve(bench, "second", "first").contains("(\(first))"))
            // With another address after a restart.
            try bench.check("stop", "-t", "0", "second")
            #expect(try !hosts(bench, "first").split(separator: "\n").contains { $0.hasPrefix(second) })
            try bench.sleeper("third", "--network", "front")
            try bench.check("start", "second")
            let again = try bench.address(of: "second", on: "front")
            #expect(again != second)
            #expect(try resolve(bench, "first", "db").contains("(\(again))"))
            #expect(try resolve(bench, "third", "second").contains("(\(again))"))
            try bench.check("rm", "-f", "--all")
            try bench.check("network", "rm", "front")
            #expect(try !bench.host.run("ip", "-o", "link").contains("br-"))
            try bench.settle()
        }

        @Test func networksAreIsolated() throws {
            let bench = try NetworkBench()
            try bench.check("network", "create", "--subnet", "10.55.0.0/24", "front")
            try bench.check("network", "create", "--subnet", "10.56.0.0/24", "--internal", "back")
            _ = try bench.server("web", "--network", "front", "--ip", "10.55.0.7", "-p", "8080:80")
            _ = try bench.server("db", "--network", "back")
            let plain = try bench.sleeper("plain")
            let front = try bench.sleeper("front1", "--network", "front")
            let back = try bench.sleeper("back1", "--network", "back")
            let database = try bench.address(of: "db", on: "back")
            #expect(try front.ask("10.55.0.7") != nil)
            #expect(try back.ask(database) != nil)
            #expect(try plain.ask("10.55.0.7") == nil)
            #expect(try front.ask(database) == nil)
            #expect(try plain.ask(database) == nil)
            try bench.lan.serve(bench.lan.hosts[1].prefix, port: 81)
            #expect(try front.ask(bench.lan.address(1), 81) == bench.lan.address(0))
            #expect(try back.ask(bench.lan.address(1), 81) == nil)
            // What is published, all reach by the host.
            #expect(try plain.ask(bench.lan.address(0), 8080) != nil)
            // It is the rules that keep them apart.
            try bench.host.run("nft", "flush", "chain", "inet", "runimg", "forward")
            #expect(try plain.ask("10.55.0.7") != nil)
            try bench.settle()
        }

        @Test func aContainerIsConnectedWhileItRuns() throws {
            let bench = try NetworkBench()
            try bench.check("network", "create", "late")
            _ = try bench.server("web", "--network", "late")
            let box = try bench.sleeper("box")
            let web = try bench.address(of: "web", on: "late")
            #expect(try box.ask(web) == nil)
            try bench.check("network", "connect", "--alias", "peer", "late", "box")
            let own = try bench.address(of: "box", on: "late")
            #expect(try box.ask(web) == own)
            #expect(try resolve(bench, "box", "web").contains("(\(web))"))
            #expect(try resolve(bench, "web", "peer").contains("(\(own))"))
            #expect(try box.ip("route").contains("default via 172.17.0.1"))
            try bench.check("network", "disconnect", "bridge", "box")
            #expect(try !box.ip("-o", "link").contains("eth0"))
            #expect(try box.ip("route").contains("default via"))
            // Kept for the next start.
            try bench.check("restart", "-t", "0", "box")
            #expect(try bench.address(of: "box", on: "late") != "")
            try bench.check("network", "disconnect", "late", "box")
            let lines = try hosts(bench, "web").split(separator: "\n").filter { !$0.hasPrefix("#") }
            #expect(!lines.contains { $0.contains("\tbox") }, "\(lines)")
            try bench.settle()
        }

        @Test func versionSix() throws {
            let bench = try NetworkBench()
            try bench.check("network", "create", "--ipv6", "--subnet", "fd55::/64", "six")
            _ = try bench.server("web", "--network", "six", "-p", "8080:80")
            let box = try bench.sleeper("box", "--network", "six")
            let web = try bench.check(
                "inspect", "-f", "{{.NetworkSettings.Networks.six.GlobalIPv6Address}}", "web")
            #expect(web.hasPrefix("fd55::"), "\(web)")
            #expect(try box.ask(web) != nil)
            try bench.lan.serve(bench.lan.hosts[1].prefix, port: 81)
            #expect(try box.ask(bench.lan.address6(1), 81) == bench.lan.address6(0))
            #expect(try bench.lan.ask(bench.lan.address6(0), 8080, from: 1) == bench.lan.address6(1))
            #expect(try bench.lan.ask("::1", 8080, from: 0) != nil)
            try bench.settle()
        }

        @Test func macvlanIsAHostOfTheLAN() throws {
            let bench = try NetworkBench()
            try bench.check(
                "network", "create", "-d", "macvlan", "-o", "parent=\(LocalAreaNetwork.interface)", "--subnet",
                "10.77.0.0/24", "--gateway", bench.lan.address(2), "--ip-range", "10.77.0.64/27", "lan")
            let box = try bench.sleeper("box", "--network", "lan")
            let address = try bench.address(of: "box", on: "lan")
            #expect(address.hasPrefix("10.77.0.6"), "\(address)")
            try bench.lan.serve(bench.lan.hosts[1].prefix, port: 81)
            #expect(try box.ask(bench.lan.address(1), 81) == address)
            try bench.lan.serve(box.prefix, port: 80)
            #expect(try bench.lan.ask(address, 80, from: 1) == bench.lan.address(1))
            try bench.settle()
        }
    }

    @Suite struct Many {
        /// By as many commands at a time as the machine has to bear.
        private func start(_ bench: NetworkBench, _ count: Int, _ flags: String) throws -> Tool.Output {
            let script = """
                seq 1 \(count) | xargs -P 8 -I @@ "$0" "$@" run -d -q --name c@@ \(flags) \(NetworkBench.image) sleep 1000
                """
            let line = bench.host.prefix + ["bash", "-c", script] + bench.runimg.command([])
            return try Tool.run(line[0], Array(line.dropFirst()), timeout: 500)
        }

        @Test(arguments: [false, true]) func startedSideBySideTheyAllReachEachOther(_ besideDocker: Bool) throws {
            let bench = try NetworkBench()
            var docker: DockerDaemon?
            if besideDocker {
                try #require(DockerDaemon.isPossible)
                docker = try DockerDaemon(network: bench.host)
            }
            let count = 200
            let started = try start(bench, count, "")
            #expect(started.status == 0, "\(started.stderr.suffix(2000))")
            let format = "{{.Name}} {{.State.Pid}} {{.NetworkSettings.Networks.bridge.IPAddress}}"
            let ids = try bench.check("ps", "-q").split(separator: "\n").map(String.init)
            let output = try bench.runimg.run(["inspect", "-f", format] + ids, under: bench.host.prefix)
            let all = output.lines.map { $0.split(separator: " ").map(String.init) }.filter { $0.count == 3 }
            try #require(all.count == count)
            #expect(Set(all.map { $0[2] }).count == count)
            let web = NetworkBench.Container(name: all[0][0], pid: all[0][1])
            try bench.lan.serve(web.prefix, port: 80)
            for one in all.dropFirst() {
                #expect(try NetworkBench.Container(name: one[0], pid: one[1]).ask(all[0][2]) == one[2])
            }
            if let docker {
                let daemons = try docker.run(["network", "inspect", "bridge"])
                #expect(daemons.status == 0, "\(daemons)")
            }
            try bench.settle()
            docker = nil
        }
    }
}
