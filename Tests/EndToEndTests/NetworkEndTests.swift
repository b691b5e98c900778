internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd.Networks {
    /// How a container leaves its networks.
    @Suite(.enabled(if: Conditions.has("strace"), "needs strace")) struct End {
        /// The kernel lets whoever closes it last wait for RCU: no command is to be that one.
        @Test func theMonitorIsLeftWithTheFirewallsSocket() throws {
            let bench = try NetworkBench()
            let scratch = try Scratch()
            let trace = ["strace", "-f", "-qq", "-e", "trace=recvmsg", "-o", scratch("trace")]
            let output = try bench.runimg.run(
                ["run", "--rm", "-q", NetworkBench.image, "true"], under: bench.host.prefix + trace)
            #expect(output.status == 0, "\(output)")
            let text = String(decoding: try File.readAll(scratch("trace")), as: UTF8.self)
            let kept = text.split(separator: "\n").filter { $0.contains(#"iov_base="K""#) }
            #expect(kept.count == 1 && kept.allSatisfy { $0.contains("SCM_RIGHTS") }, "\(text)")
            try bench.settle()
        }
    }
}
