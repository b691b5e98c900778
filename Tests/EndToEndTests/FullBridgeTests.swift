internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd.Networks {
    /// The kernel lets a bridge have 1,023 ports.
    @Suite struct FullBridge {
        private func connect(_ bench: NetworkBench, _ count: Int) throws {
            let script = """
                for n in $(seq 1 "$1"); do echo "link add p$n master runimg0 type veth peer name q$n"; done > "$0"
                ip -batch "$0"
                """
            let scratch = try Scratch()
            try bench.host.run("sh", "-c", script, scratch("batch"), "\(count)")
        }

        private func ports(_ bench: NetworkBench) throws -> Int {
            try bench.host.run("ip", "-o", "link", "show", "master", "runimg0").split(separator: "\n").count
        }

        @Test("F26: a start for which a bridge has no port says so, leaves nothing behind, and has another network")
        func aStartWithoutAPort() throws {
            let bench = try NetworkBench()
            try bench.sleeper("last-but-one")
            try connect(bench, 1021)
            try bench.sleeper("last")
            let fresh = try bench.ruleset()
            let before = try bench.leftovers()
            let output = try bench.run(
                "run", "-q", "--name", "late", "-p", "8080:80", NetworkBench.image, "echo", "ran")
            #expect(output.status == 125 && output.stdout.isEmpty, "\(output)")
            #expect(output.stderr.contains("the bridge runimg0 is full"), "\(output)")
            #expect(output.stderr.contains("runimg network create"), "\(output)")
            #expect(try bench.leftovers() == before)
            #expect(try bench.ruleset() == fresh)
            // Its port is free, and there is room elsewhere.
            try bench.check("network", "create", "front")
            try bench.check("run", "--rm", "-q", "--network", "front", "-p", "8080:80", NetworkBench.image, "true")
            // A port that comes free is had by the next.
            try bench.check("rm", "-f", "-v", "last")
            // The kernel takes the link away behind the container.
            #expect(try Wait.until(seconds: 20) { try ports(bench) == 1022 })
            try bench.sleeper("next")
            try bench.settle()
        }
    }
}
