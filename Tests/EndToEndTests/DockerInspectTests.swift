internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// What a real docker says of a container and an image that are made the same way.
    @Suite(
        .enabled(
            if: Conditions.canRun && DockerDaemon.isPossible,
            "needs root, overlayfs, and Debian's docker from make servers"),
        .timeLimit(.minutes(Wait.minutes(10))))
    struct DockerInspectTests {
        /// What only older or newer daemons have, or what says where things are.
        private static let others: Set<String> = [
            "HostConfig.KernelMemory", "HostConfig.KernelMemoryTCP", "Descriptor", "Identity", "Manifests",
        ]

        @Test func theSameKeysAndValues() throws {
            let docker = try DockerDaemon()
            try docker.importBusybox(as: "box:1")
            let flags = [
                "--name", "made", "--network", "none", "-v", "vol:/data", "-l", "k=v", "-e", "E=F", "-m", "64m", "-h",
                "boxy", "-w", "/tmp", "--restart", "on-failure:3", "--stop-signal", "INT",
            ]
            func made(_ image: String) -> [String] { ["create"] + flags + [image, "/bin/sleep", "1000"] }
            try check(docker.run(made("box:1")))
            let runimg = try Runimg()
            try runimg.check("pull", "-q", "oci:\(Fixtures.layout("busybox")):latest")
            let image = try EndToEnd.engine.image
            try check(runimg.run(made(image)))
            let ours = try #require(try document(try runimg.check("inspect", "made", image).stdout.utf8))
            let theirs = try #require(try document(try docker.check("inspect", "made", "box:1").stdout.utf8))
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
            try rows(runimg, docker)
            try runimg.check("rm", "-v", "made")
        }

        /// What lists and volumes say of the same container, as JSON.
        private func rows(_ runimg: Runimg, _ docker: DockerDaemon) throws {
            for (line, theirsAlone) in [
                (
                    ["ps", "-a", "--no-trunc", "--format", "{{json .}}"],
                    ["ID", "CreatedAt", "Image", "RunningFor", "Size"]
                ),
                (["volume", "ls", "--format", "{{json .}}"], ["Mountpoint"]),
            ] {
                let ours = try JSONValue(parsing: Array(try check(runimg.run(line)).stdout.utf8))
                let theirs = try JSONValue(parsing: Array(try check(docker.run(line)).stdout.utf8))
                for (key, value) in theirs.object ?? [:] where !theirsAlone.contains(key) {
                    #expect(ours[key] == value, "\(line): \(key)")
                }
                #expect(Set((theirs.object ?? [:]).keys).isSubset(of: (ours.object ?? [:]).keys))
            }
            let ours = try document(try runimg.check("volume", "inspect", "vol").stdout.utf8)?.first?.object ?? [:]
            let theirs = try document(try docker.check("volume", "inspect", "vol").stdout.utf8)?.first?.object ?? [:]
            #expect(Set(ours.keys) == Set(theirs.keys))
            for key in theirs.keys where !["CreatedAt", "Mountpoint"].contains(key) {
                #expect(ours[key] == theirs[key], "\(key)")
            }
        }

        @discardableResult
        private func check(_ output: Tool.Output) throws -> Tool.Output {
            guard output.status == 0 else { throw Tool.Failure(output: output) }
            return output
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
