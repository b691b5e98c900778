internal import Glibc
internal import OCI
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// `inspect` and the volumes of containers that are really there.
    @Suite struct InspectTests {
        @Test func aContainerAndItsImage() throws {
            let runimg = try Runimg()
            try runimg.check("pull", "-q", "oci:\(Fixtures.layout("busybox")):latest")
            defer { _ = try? runimg("rm", "-f", "--all") }
            let image = try EndToEnd.engine.image
            try runimg.check("run", "-d", "--name", "web", "-v", "vol:/data", "-m", "64m", image, "sleep", "1000")
            func inspect(_ template: String) throws -> String {
                try runimg.check("inspect", "-f", template, "web").lines.first ?? ""
            }
            #expect(try inspect("{{.State.Status}} {{.Name}} {{.HostConfig.Memory}}") == "running /web 67108864")
            let pid = try inspect("{{.State.Pid}}")
            #expect(try File.readAll("/proc/\(pid)/cmdline").starts(with: "sleep".utf8))
            let volume = try inspect("{{(index .Mounts 0).Source}}")
            #expect(volume == "\(runimg.dataRoot)/volumes/vol/_data" && File.exists(volume))
            for key in ["HostsPath", "HostnamePath", "ResolvConfPath", "LogPath"] {
                #expect(File.exists(try inspect("{{.\(key)}}")), "\(key)")
            }
            #expect(File.exists(try inspect("{{.GraphDriver.Data.UpperDir}}")))
            #expect(try inspect("{{.Image}}") == image)
            let whole = try runimg.check("inspect", "web", image)
            #expect(try JSONValue(parsing: Array(whole.stdout.utf8)).array?.count == 2)
            #expect(try runimg("inspect", "nope").stderr == "Error: No such object: nope\n")
            #expect(try runimg("container", "exists", "web").status == 0)
            #expect(try runimg("image", "exists", "nope").status == 1)
            try runimg.check("stop", "-t", "0", "web")
            #expect(try inspect("{{.State.Status}} {{.State.ExitCode}} {{.State.Pid}}") == "exited 137 0")
            #expect(!(try inspect("{{.State.FinishedAt}}")).hasPrefix("0001"))
        }

        @Test func volumesOutliveContainersAndAreKeptWhileUsed() throws {
            let runimg = try Runimg()
            try runimg.check("pull", "-q", "oci:\(Fixtures.layout("busybox")):latest")
            let image = try EndToEnd.engine.image
            try runimg.check("volume", "create", "--label", "a=b", "vol")
            try runimg.check("create", "--name", "made", "-v", "vol:/data", "-v", "/anonymous", image)
            let refused = try runimg("volume", "rm", "vol")
            #expect(refused.status == 1 && refused.stderr.hasPrefix("runimg: remove vol: volume is in use - ["))
            #expect(try runimg.check("volume", "prune", "-af").lines == ["Total reclaimed space: 0B"])
            #expect(try runimg.check("container", "prune", "-f").lines.count == 3)
            #expect(try runimg.check("volume", "ls", "-q", "-f", "label=a").lines == ["vol"])
            #expect(try runimg.check("volume", "prune", "-af").lines.contains("vol"))
            #expect(try runimg.check("volume", "ls", "-q").lines.isEmpty)
        }
    }
}
