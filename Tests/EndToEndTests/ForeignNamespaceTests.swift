internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd.Networks {
    /// `--network ns:PATH`.
    @Suite struct ForeignNamespace {
        /// A network of somebody else's, bound at a path.
        private final class Place {
            let network: PrivateNetwork
            let scratch: Scratch
            var path: String { scratch("net") }

            init() throws {
                network = try PrivateNetwork()
                scratch = try Scratch()
                try network.run("ip", "link", "add", "mark0", "type", "bridge")
                try scratch.file("net", "")
                try Tool.check("mount", ["--bind", "/proc/\(network.pid)/ns/net", path])
            }

            deinit { _ = try? Tool.run("umount", ["-l", path]) }
        }

        @Test func aContainerIsInIt() throws {
            let (bench, place) = (try NetworkBench(), try Place())
            try bench.check(
                "run", "-d", "-q", "--name", "web", "--hostname", "box", "--add-host", "far:192.0.2.7",
                "--network", "ns:\(place.path)", NetworkBench.image, "sleep", "1000")
            #expect(try bench.check("exec", "web", "ip", "-o", "link").contains("mark0"))
            let files = try bench.check("exec", "web", "cat", "/etc/hosts", "/etc/hostname")
            #expect(files.contains("192.0.2.7\tfar") && files.hasSuffix("box"), "\(files)")
            #expect(try bench.check("inspect", "-f", "{{.HostConfig.NetworkMode}}", "web") == "ns:\(place.path)")
            #expect(try bench.check("inspect", "-f", "{{len .NetworkSettings.Networks}}", "web") == "0")
            try bench.check("restart", "-t", "0", "web")
            #expect(try bench.check("exec", "web", "ip", "-o", "link").contains("mark0"))
            // One that shares with it is there as well.
            #expect(
                try bench.check(
                    "run", "--rm", "-q", "--network", "container:web", NetworkBench.image, "ip", "-o", "link"
                ).contains("mark0"))
            try bench.settle()
            // What is not ours is as it was.
            #expect(try place.network.run("ip", "-o", "link").contains("mark0"))
        }

        @Test func itIsLookedAtWithEachStart() throws {
            let (bench, place) = (try NetworkBench(), try Place())
            try bench.check(
                "create", "-q", "--name", "web", "--network", "ns:\(place.path)", NetworkBench.image, "ip", "-o", "link"
            )
            try Tool.check("umount", ["-l", place.path])
            let output = try bench.run("start", "-a", "web")
            #expect(output.status != 0 && output.stderr.contains("\(place.path) can't be joined: it is no namespace"))
            try Tool.check("mount", ["--bind", "/proc/\(place.network.pid)/ns/net", place.path])
            #expect(try bench.check("start", "-a", "web").contains("mark0"))
            try bench.settle()
        }

        @Test(arguments: [
            (["--ip", "10.9.0.2"], "user specified IP address is supported on user defined networks only"),
            (
                ["--network-alias", "x"],
                "network-scoped alias is supported only for containers in user defined networks"
            ),
            (["--sysctl", "net.ipv4.ip_forward=1"], "not allowed in another"),
        ])
        func refusesWhatIsNotItsOwn(_ flags: [String], _ words: String) throws {
            let (bench, place) = (try NetworkBench(), try Place())
            let output = try bench.runimg.run(
                ["run", "--rm", "-q", "--network", "ns:\(place.path)"] + flags + [NetworkBench.image, "true"],
                under: bench.host.prefix)
            #expect(output.status == 125 && output.stderr.contains(words), "\(output)")
        }

        @Test func aRelativePathIsTheCallers() throws {
            let (bench, place) = (try NetworkBench(), try Place())
            let output = try bench.runimg.run(
                ["run", "--rm", "-q", "--network", "ns:net", NetworkBench.image, "ip", "-o", "link"],
                under: bench.host.prefix + ["env", "-C", place.scratch.path])
            #expect(output.stdout.contains("mark0"), "\(output)")
            try bench.settle()
        }

        @Test(.enabled(if: OrdinaryUser.isPossible, "needs an ordinary user"))
        func withoutRootOnlyOnesOwnIsJoined() throws {
            let place = try Place()
            #expect(chmod(place.scratch.path, 0o755) == 0)
            try RootlessTests.isolated { runimg in
                let image = RootlessTests.image
                try runimg.check("pull", "-q", image)
                let refused = try runimg.run(["run", "--rm", "-q", "--network", "ns:\(place.path)", image, "true"])
                #expect(refused.status == 125 && refused.stderr.contains("it is another user's"), "\(refused)")
                let foreign = try runimg.run(["run", "--rm", "-q", "--network", "cni:front", image, "true"])
                #expect(foreign.status == 125 && foreign.stderr.contains("takes root's rights"), "\(foreign)")

                try runimg.check("run", "-d", "-q", "--name", "web", "--network", "none", image, "sleep", "1000")
                let pid = try #require(try runimg.check("inspect", "-f", "{{.State.Pid}}", "web").lines.first)
                let joined = try runimg.check(
                    "run", "--rm", "-q", "--network", "ns:/proc/\(pid)/ns/net", image, "readlink", "/proc/self/ns/net")
                #expect(joined.lines == (try runimg.check("exec", "web", "readlink", "/proc/self/ns/net").lines))
                try runimg.check("rm", "-f", "web")
            }
        }

        @Test func isConnectedToNoOtherNetwork() throws {
            let (bench, place) = (try NetworkBench(), try Place())
            try bench.check("network", "create", "front")
            try bench.check(
                "create", "-q", "--name", "web", "--network", "ns:\(place.path)", NetworkBench.image, "true")
            let output = try bench.run("network", "connect", "front", "web")
            #expect(
                output.status != 0 && output.stderr.contains("cannot be connected to any other network"), "\(output)")
            try bench.settle()
        }
    }
}
