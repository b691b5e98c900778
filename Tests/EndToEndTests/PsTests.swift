internal import Glibc
internal import TestSupport
import Testing

extension EndToEnd {
    /// `ps` of containers that are really there.
    @Suite struct PsTests {
        @Test func statesAreTheTruth() throws {
            let engine = try EndToEnd.engine
            let runimg = try Runimg()
            try runimg.check("pull", "-q", "oci:\(Fixtures.layout("busybox")):latest")
            defer { _ = try? runimg("rm", "-f", "--all") }
            let image = engine.image
            try runimg.check("create", "--name", "made", "-l", "a=b", image)
            _ = try runimg("run", "--name", "ended", image, "sh", "-c", "exit 3")
            try runimg.check("run", "-d", "--name", "web", "-v", "vol:/data", image, "sleep", "1000")
            let format = "{{.Names}} {{.State}} {{.Status}} {{.Mounts}}"
            let running = try runimg.check("ps", "--format", format).lines
            #expect(running.count == 1 && running[0].hasPrefix("web running Up "), "\(running)")
            #expect(running[0].hasSuffix(" vol"))
            let all = try runimg.check("ps", "-a", "--format", format).lines
            #expect(
                all.map { $0.split(separator: " ").prefix(3).joined(separator: " ") } == [
                    "web running Up", "ended exited Exited", "made created Created",
                ])
            #expect(try runimg.check("ps", "-aq", "-f", "exited=3").lines.count == 1)
            #expect(try runimg.check("ps", "-a", "-f", "label=a=b", "--format", "{{.Names}}").lines == ["made"])
            #expect(try runimg.check("ps", "-a", "-f", "ancestor=\(image)", "-q").lines.count == 3)
            let sizes = try runimg.check("ps", "-s", "--format", "{{.Size}}").lines
            #expect(sizes.first?.hasPrefix("0B (virtual ") == true, "\(sizes)")
            try runimg.check("stop", "-t", "0", "web")
            #expect(try runimg.check("ps", "-q").lines.isEmpty)
            #expect(try runimg.check("ps", "-l", "--format", "{{.Status}}").lines[0].hasPrefix("Exited (137) "))
        }
    }
}
