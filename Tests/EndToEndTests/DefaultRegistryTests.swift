internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension EndToEnd {
    /// Names without a registry where the default is not docker.io.
    @Suite(.enabled(if: Conditions.canPull, "needs docker-registry and skopeo")) struct DefaultRegistry {
        @Test func aNameMeansTheSameForEveryVerb() throws {
            let registry = try PullCommand.fixtureRegistry()
            let full = "\(registry.host)/library/fixture:latest"
            let runimg = try Runimg(configuration: #"{"default-registry": "\#(registry.host)/library"}"#)
            #expect(try runimg("pull", "-q", "fixture").stdout == "\(full)\n")
            #expect(try runimg("run", "--rm", "-q", "--pull", "never", "fixture", "echo", "ran").stdout == "ran\n")
            let id = try #require(try runimg.check("images", "-q", "--no-trunc").lines.first)
            #expect(try runimg.check("image", "inspect", "-f", "{{.Id}}", "fixture").lines == [id])
            #expect(try runimg("history", "-q", "fixture").status == 0)
            #expect(try runimg("tags", "fixture").stdout == "latest\n")
            #expect(try runimg("manifest", "inspect", "fixture").status == 0)
            try runimg.check("tag", "fixture", "pushed:1")
            #expect(try runimg("push", "-q", "pushed:1").status == 0)
            #expect(try runimg("tags", "\(registry.host)/library/pushed").stdout == "1\n")
            // An archive has the names in full.
            let archive = try runimg.check("save", "pushed", "fixture:latest").stdoutBytes
            let loaded = try Runimg().run(["load"], input: archive).lines
            #expect(Set(loaded) == Set([full, "\(registry.host)/library/pushed:1"].map { "Loaded image: \($0)" }))
            let tar = try runimg.check("run", "--rm", "-q", "fixture", "tar", "-c", "bin").stdoutBytes
            try #require(try runimg.run(["import", "-", "made"], input: tar).status == 0)
            #expect(try runimg.check("run", "--rm", "made", "/bin/busybox", "echo", "x").lines == ["x"])
            #expect(try runimg("rmi", "made").stdout.hasPrefix("Untagged: \(registry.host)/library/made:latest\n"))
            try runimg.check("rmi", "pushed:1")
            // The digits of an ID are one as long as there is no such name.
            let digits = String(id.dropFirst("sha256:".count).prefix(12))
            #expect(try runimg("image", "inspect", digits).status == 0)
            #expect(try runimg("image", "inspect", id).status == 0)
            try runimg.check("tag", digits, "copy")
            #expect(try runimg("rmi", "copy").stdout == "Untagged: \(registry.host)/library/copy:latest\n")
            // docker.io's is another image.
            #expect(try runimg("image", "inspect", "docker.io/library/fixture").status == 1)
            let name = try runimg.check("create", "-q", "fixture", "true").lines[0]
            #expect(try runimg.check("inspect", "-f", "{{.Config.Image}}", name).lines == [String(full.dropLast(7))])
            try runimg.check("rm", name)
            #expect(try runimg("rmi", "fixture").stdout.hasPrefix("Untagged: \(full)\n"))
            #expect(try runimg("images", "-q").stdout.isEmpty)
        }

        @Test func theCommandLineComesFirst() throws {
            let registry = try PullCommand.fixtureRegistry()
            let runimg = try Runimg(configuration: "{\n\n\"default-registry\": \"corp.example/hub\"\n}")
            #expect(
                try runimg.check("resolve", "--explain", "a:1").stdout.hasPrefix(
                    """
                    https://corp.example/v2/hub/a/manifests/1
                        rule         a:1 means corp.example/hub/a:1 (\(runimg.configFile):3)

                    """))
            for line in [
                ["--default-registry", "\(registry.host)/library", "pull", "-q", "fixture"],
                ["pull", "-q", "--default-registry", "\(registry.host)/library", "fixture"],
            ] {
                #expect(try runimg.run(line).stdout == "\(registry.host)/library/fixture:latest\n")
            }
            let ran = try runimg(
                "run", "--rm", "--network", "none", "--default-registry", "\(registry.host)/library", "fixture", "echo",
                "x")
            #expect(ran.stdout == "x\n", "\(ran)")
            let wrong = try runimg("pull", "--default-registry", "hub", "fixture")
            #expect(wrong.status == 125 && wrong.stderr.contains("want HOST[:PORT][/PATH]"), "\(wrong)")
        }

        @Test func kubernetesImagesKeepTheirNames() throws {
            let registry = try PullCommand.fixtureRegistry()
            let runimg = try Runimg(configuration: #"{"image-repository": "\#(registry.host)/library"}"#)
            #expect(
                try runimg("pull", "-q", "registry.k8s.io/fixture").stdout == "registry.k8s.io/fixture:latest\n")
            let flag = try Runimg()
            #expect(
                try flag("pull", "-q", "--image-repository", "\(registry.host)/library", "k8s.gcr.io/fixture").stdout
                    == "k8s.gcr.io/fixture:latest\n")
            #expect(
                try flag.check("--image-repository", "m.example", "resolve", "registry.k8s.io/coredns/coredns").lines
                    == ["https://m.example/v2/coredns/manifests/latest"])
        }
    }
}
