internal import Glibc
internal import Sys
internal import TestSupport
import Testing

extension EndToEnd {
    /// Networks that are made and removed: each is there as a whole or not at all, and no two have a name or an address.
    @Suite(.enabled(if: Conditions.canRun, "needs root and overlayfs")) struct NetworkCommands {
        private static func records(_ runimg: Runimg) throws -> [String] {
            try Directory.entries("\(runimg.dataRoot)/network").map(\.name)
        }

        @Test func theLifeOfANetwork() throws {
            let runimg = try Runimg()
            let id = try runimg.check("network", "create", "--subnet", "10.251.0.0/24", "one").lines[0]
            #expect(id.utf8.count == 64)
            #expect(try Self.records(runimg) == ["\(id).json"])
            #expect(try runimg.check("network", "ls", "-q", "--no-trunc", "-f", "type=custom").lines == [id])
            let twice = try runimg.run(["network", "create", "one"])
            #expect(twice.status == 1 && twice.stderr == "runimg: network with name one already exists\n")
            #expect(try runimg.check("inspect", "-f", "{{.Id}}", String(id.prefix(10))).lines == [id])
            #expect(try runimg.run(["network", "exists", "one"]).status == 0)
            #expect(try runimg.check("network", "rm", "one").lines == ["one"])
            #expect(try Self.records(runimg).isEmpty)
            let gone = try runimg.run(["network", "rm", "one"])
            #expect(gone.status == 1 && gone.stderr == "runimg: network one not found\n")
            let events = try runimg.check("events", "--since", "1h", "--until", "0s", "--filter", "type=network").lines
            #expect(events.count == 2 && events[0].contains("network create \(id)"), "\(events)")
            #expect(events[1].contains("network destroy \(id)"), "\(events)")
        }

        /// A container's record keeps its networks.
        @Test func aNetworkWithContainersStays() throws {
            let runimg = try Runimg()
            let image = "oci:\(Fixtures.layout("busybox")):latest"
            for (name, subnet) in [("one", "10.251.0.0/24"), ("two", "10.251.1.0/24")] {
                try runimg.check("network", "create", "--subnet", subnet, name)
            }
            let id = try runimg.check(
                "create", "-q", "--name", "box", "--network", "one", "--ip", "10.251.0.9", "--network", "two", image,
                "true"
            ).lines[0]
            let refused = try runimg.run(["network", "rm", "one"])
            #expect(
                refused.status == 1
                    && refused.stderr
                        == "runimg: error while removing network: network one has active endpoints "
                        + "(name:\"box\" id:\"\(id.prefix(12))\")\n",
                "\(refused)")
            #expect(try runimg.check("network", "prune", "-f").stdout.isEmpty)
            let format = "{{range $k, $v := .NetworkSettings.Networks}}{{$k}} {{json $v.IPAMConfig}} {{end}}"
            #expect(
                try runimg.check("inspect", "-f", format, "box").lines
                    == [#"one {"IPv4Address":"10.251.0.9"} two null "#])
            #expect(try runimg.check("ps", "-a", "--format", "{{.Names}} {{.Networks}}").lines == ["box one,two"])
            #expect(try runimg.check("ps", "-aq", "--no-trunc", "-f", "network=two").lines == [id])
            #expect(try runimg.check("ps", "-aq", "-f", "network=nope").lines.isEmpty)
            try runimg.check("rm", "box")
            #expect(try runimg.check("network", "prune", "-f").stdout == "Deleted Networks:\none\ntwo\n\n")
        }

        @Test(arguments: [
            (["--network", "nope"], "network nope not found"),
            (["--network", "one", "--ip", "10.251.0.1"], "Address already in use"),
            (["--network", "one", "--ip", "10.252.0.1"], "no configured subnet or ip-range contain"),
            (["--ip", "10.251.0.9"], "user specified IP address is supported on user defined networks only"),
            (
                ["--network-alias", "x"],
                "network-scoped alias is supported only for containers in user defined networks"
            ),
        ])
        func whatAContainerCanNotHave(_ flags: [String], _ message: String) throws {
            let runimg = try Runimg()
            try runimg.check("network", "create", "--subnet", "10.251.0.0/24", "one")
            let image = "oci:\(Fixtures.layout("busybox")):latest"
            let output = try runimg.run(["run", "--rm", "-q"] + flags + [image, "true"])
            #expect(output.status == 125 && output.stderr.contains(message), "\(output)")
            #expect(try runimg.check("ps", "-aq").lines.isEmpty)
        }

        @Test(arguments: ["none", "host"]) func filesSayWhatWasAsked(_ network: String) throws {
            let image = "oci:\(Fixtures.layout("busybox")):latest"
            let flags = [
                "--add-host", "a:192.0.2.1", "--add-host=b=[2001:db8::1]", "--dns", "192.0.2.53", "--dns-search",
                "x.example", "--dns-opt", "ndots:3",
            ]
            let runimg = try Runimg(configuration: #"{"dns": ["192.0.2.99"], "dns-opts": ["edns0"]}"#)
            func read(_ file: String, _ flags: [String]) throws -> [String] {
                try runimg.run(["run", "--rm", "-q", "--network", network] + flags + [image, "cat", file]).lines
            }
            #expect(try read("/etc/hosts", flags).suffix(2) == ["192.0.2.1\ta", "2001:db8::1\tb"])
            let resolver = try read("/etc/resolv.conf", flags)
            #expect(
                resolver.starts(with: ["nameserver 192.0.2.53", "search x.example", "options ndots:3"]), "\(resolver)")
            let general = try read("/etc/resolv.conf", [])
            #expect(general.first == "nameserver 192.0.2.99" && general.contains("options edns0"), "\(general)")
        }

        @Test func atOnce() throws {
            let runimg = try Runimg()
            let script = #"for i in $(seq 6); do "$@" network create same & "$@" network create n$i & done; wait"#
            let output = try Tool.run("sh", ["-c", script, "sh"] + runimg.command([]))
            #expect(output.lines.count == 7, "\(output)")
            let format = "{{range .IPAM.Config}}{{.Subnet}}{{end}}"
            let names = ["same"] + (1...6).map { "n\($0)" }
            let subnets = try runimg.run(["network", "inspect", "-f", format] + names).lines
            #expect(Set(subnets).count == 7 && !subnets.contains("172.17.0.0/16"), "\(subnets)")
        }

        @Test(
            "A network that is being made or removed when its command is killed is there as a whole or not at all",
            .enabled(if: SyscallFaults.isPossible, "\(SyscallFaults.requirements)"),
            arguments: ["openat", "/^rename", "flock", "/^mkdir", "unlink", "fsync", "write"])
        func killed(_ call: String) throws {
            let runimg = try Runimg()
            try runimg.check("network", "create", "--subnet", "10.251.7.0/24", "kept")
            for line in [["network", "create", "--subnet", "10.251.0.0/24", "one"], ["network", "rm", "one"]] {
                try CrashEnumerator(call, samples: 4).run(
                    prepare: {
                        try runimg.check("network", "rm", "-f", "one")
                        if line[1] == "rm" { try runimg.check("network", "create", "--subnet", "10.251.0.0/24", "one") }
                    },
                    command: { _, prefix in try runimg.run(line, under: prefix).status == 0 },
                    check: { _, moment, _ in
                        let names = try runimg.check("network", "ls", "-f", "type=custom", "--format", "{{.Name}}")
                        #expect(names.stderr.isEmpty, "\(moment): \(names)")
                        #expect([["kept"], ["kept", "one"]].contains(names.lines), "\(moment): \(names)")
                        // Whatever it left is no obstacle.
                        try runimg.check("network", "rm", "-f", "one")
                        try runimg.check("network", "create", "--subnet", "10.251.0.0/24", "one")
                        #expect(try Self.records(runimg).count == 2, "\(moment)")
                    })
            }
        }
    }
}
