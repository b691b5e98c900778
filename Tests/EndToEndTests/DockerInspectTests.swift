internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// What a real docker says of a container and an image that are made the same way.
    @Suite(.enabled(if: Conditions.canRun && PrivateDocker.isPossible, Comment(rawValue: PrivateDocker.needs)))
    struct DockerInspectTests {
        private static let script = #"""
            cp /bin/busybox root/bin/sleep
            tar -C root -c bin | docker import - box:1 > "$1/image"
            docker create --name made --network none -v vol:/data -l k=v -e E=F -m 64m -h boxy -w /tmp \
                --restart on-failure:3 --stop-signal INT box:1 /bin/sleep 1000 > "$1/id"
            docker inspect made box:1 > "$1/out"
            docker rm made > "$1/removed"
            """#

        /// What only older or newer daemons have, or what says where things are.
        private static let others: Set<String> = [
            "HostConfig.KernelMemory", "HostConfig.KernelMemoryTCP", "Descriptor", "Identity", "Manifests",
        ]

        @Test func theSameKeysAndValues() throws {
            let scratch = try Scratch()
            try PrivateDocker.run(Self.script, in: scratch)
            let runimg = try Runimg()
            try runimg.check("pull", "-q", "oci:\(Fixtures.layout("busybox")):latest")
            let image = try EndToEnd.engine.image
            try runimg.check(
                "create", "--name", "made", "--network", "none", "-v", "vol:/data", "-l", "k=v", "-e", "E=F", "-m",
                "64m", "-h", "boxy", "-w", "/tmp", "--restart", "on-failure:3", "--stop-signal", "INT", image,
                "/bin/sleep", "1000")
            let ours = try #require(try document(try runimg.check("inspect", "made", image).stdout.utf8))
            let theirs = try #require(try document(try File.readAll(scratch("out"))))
            for (mine, docker) in zip(ours, theirs) {
                let missing = keys(docker).subtracting(keys(mine)).subtracting(Self.others)
                #expect(missing.isEmpty, "\(missing.sorted())")
            }
            let same = [
                "Path", "Args", "Name", "State.Status", "State.StartedAt", "State.FinishedAt", "HostConfig.Binds",
                "HostConfig.Memory", "HostConfig.MemorySwap", "HostConfig.RestartPolicy", "HostConfig.NetworkMode",
                "HostConfig.ShmSize", "HostConfig.LogConfig", "HostConfig.IpcMode", "Config.Hostname",
                "Config.WorkingDir", "Config.StopSignal", "Config.Cmd", "Config.Tty", "Config.AttachStdout",
                "HostConfig.PortBindings", "HostConfig.Dns", "HostConfig.CapAdd", "HostConfig.Devices",
                "NetworkSettings.Ports", "NetworkSettings.IPAddress",
            ]
            for path in same {
                let (mine, docker) = (value(ours[0], path), value(theirs[0], path))
                #expect(mine == docker, "\(path): ours \(String(describing: mine)), \(String(describing: docker))")
            }
            #expect(value(ours[0], "Config.Labels")?["k"]?.string == "v")
        }

        private func document(_ bytes: some Sequence<UInt8>) throws -> [JSONValue]? {
            try JSONValue(parsing: Array(bytes)).array
        }

        private func value(_ json: JSONValue, _ path: String) -> JSONValue? {
            path.split(separator: ".").reduce(json) { value, key in value?[String(key)] }
        }

        /// Paths of keys, two levels deep: below that are names of mounts, networks and labels.
        private func keys(_ json: JSONValue) -> Set<String> {
            var result: Set<String> = []
            for (key, value) in json.object ?? [:] {
                result.insert(key)
                for inner in (value.object ?? [:]).keys { result.insert("\(key).\(inner)") }
            }
            return result.filter { !$0.hasPrefix("GraphDriver.") }
        }
    }
}
