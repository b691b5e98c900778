internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd.Networks {
    /// What `stats` counts of a container's traffic.
    @Suite struct TrafficCount {
        /// `1.23kB / 456B` in bytes, as precise as it is.
        private func bytes(_ text: String) throws -> [Double] {
            try text.split(separator: " ").filter { $0 != "/" }.map { word in
                let digits = word.prefix { $0.isNumber || $0 == "." }
                let scales: [Substring: Double] = ["B": 1, "kB": 1e3, "MB": 1e6]
                return try #require(Double(digits)) * #require(scales[word.dropFirst(digits.count)])
            }
        }

        /// Received and sent by the interfaces of these names, as the kernel says it inside.
        private func counted(_ box: NetworkBench.Container, _ interfaces: [String]) throws -> [Double] {
            let script = """
                for name in \(interfaces.joined(separator: " ")); do
                    ip -s -o link show "$name" | sed 's/.*RX:[^0-9]*\\([0-9]*\\) .*TX:[^0-9]*\\([0-9]*\\) .*/\\1 \\2/'
                done | awk '{ rx += $1; tx += $2 } END { print rx, tx }'
                """
            let line = box.prefix + ["sh", "-c", script]
            let text = try Tool.check(line[0], Array(line.dropFirst())).stdout
            return text.split { $0 == " " || $0 == "\n" }.compactMap { Double($0) }
        }

        @Test func allInterfacesAreSummedButTheLoopback() throws {
            let bench = try NetworkBench()
            try bench.check("network", "create", "back")
            let box = try bench.sleeper("box")
            try bench.check("network", "connect", "back", "box")
            // Four times as much by the second one as by the first, and more than both within.
            for (gateway, size) in [("172.17.0.1", "1000"), ("172.18.0.1", "4000"), ("127.0.0.1", "60000")] {
                try bench.check("exec", "box", "ping", "-c", "4", "-s", size, gateway)
            }
            let before = try counted(box, ["eth0", "eth1"])
            let shown = try bytes(try bench.check("stats", "--no-stream", "--format", "{{.NetIO}}", "box"))
            let after = try counted(box, ["eth0", "eth1"])
            for (direction, value) in shown.enumerated() {
                #expect(before[direction] > 20_000, "\(before)")
                #expect(value >= before[direction] * 0.99 && value <= after[direction] * 1.01, "\(shown) \(before)")
            }
            #expect(shown.count == 2)
            try bench.settle()
        }
    }
}
