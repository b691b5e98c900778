internal import OCI
internal import Sys
internal import TestSupport
internal import Testing

extension OCIRuntimeTests {
    /// config-linux.md, "Namespaces", "User namespace mappings" and "Sysctl"; config.md, "Hostname".
    @Suite struct Namespaces {
        static let files = ["pid": "pid", "ipc": "ipc", "uts": "uts", "network": "net", "cgroup": "cgroup"]

        @Test(arguments: OCIRuntime.all) func newAndAbsent(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                for (kind, file) in Self.files {
                    let own = try File.readLink("/proc/self/ns/\(file)")
                    let new = try bench.lines("readlink /proc/self/ns/\(file)") { $0.namespace(kind, .new) }
                    #expect(new != [own] && new.count == 1, "\(kind)")
                    let absent = try bench.lines("readlink /proc/self/ns/\(file)") {
                        $0.namespace(kind, .absent)
                        if kind == "uts" { $0["hostname"] = nil }
                        if kind == "network" { $0.bindSys() }
                    }
                    #expect(absent == [own], "\(kind)")
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func joinedByPath(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let first = try bench.container("sleep 1000") { $0.namespace("cgroup", .new) }
                try first.launch()
                for (kind, file) in Self.files {
                    let path = "/proc/\(first.pid)/ns/\(file)"
                    try bench.expect("readlink /proc/self/ns/\(file)", prints: [try File.readLink(path)]) {
                        $0.namespace(kind, .joined(path))
                        if kind == "uts" { $0["hostname"] = nil }
                    }
                }
                try bench.expectRefused { $0.namespace("ipc", .joined("/proc/\(first.pid)/ns/net")) }
                try bench.expectRefused { $0.namespace("ipc", .joined(bench.scratch("nothing"))) }
                try bench.expectRefused { $0.namespace("no-such-kind", .new) }
                try runtime.deviates([.crun], "crun 1.8.1 takes the same kind twice") {
                    try bench.expectRefused { $0.append("linux.namespaces", ["type": "ipc"]) }
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func theProcessesOfAnother(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let first = try bench.container("sleep 12345")
                try first.launch()
                let second = try bench.container("ps -o args | grep -c 'sleep 1234[5]'; sleep 1000") {
                    $0.namespace("pid", .joined("/proc/\(first.pid)/ns/pid"))
                }
                try second.launch()
                #expect(second.prints("1\n"))
                // It ends without the other one.
                try second.kill()
                #expect(second.becomes("stopped"))
                #expect(first.status == "running")
                try second.delete()
            }
        }

        @Test(arguments: OCIRuntime.all) func names(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                try bench.expect("hostname", prints: ["some.host"]) { $0["hostname"] = "some.host" }
                try runtime.deviates([.runc], "runc 1.1.5 does not know domainname") {
                    try bench.expect("cat /proc/sys/kernel/domainname", prints: ["some.domain"]) {
                        $0["domainname"] = "some.domain"
                    }
                }
                // Without a namespace of its own the name is the caller's, which is here one of the test's.
                let container = try bench.container("true") { $0.namespace("uts", .absent) }
                try bench.expectRefused(
                    ["create", "--bundle", container.bundle, container.id], under: ["unshare", "-u"])
                try bench.expectRefused { $0["hostname"] = .string(String(repeating: "x", count: 65)) }
            }
        }

        @Test(arguments: OCIRuntime.all) func usersAreMapped(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let script = """
                    id -u; cat /proc/self/uid_map /proc/self/gid_map | tr -s ' '; touch /new; stat -c %u:%g /new
                    mount -t tmpfs x /tmp 2>/dev/null || echo refused; sleep 1000
                    """
                let container = try bench.container(script) { config in
                    config.userNamespace()
                    config["linux.uidMappings"] = [
                        ["containerID": 0, "hostID": 100_000, "size": 1000],
                        ["containerID": 1000, "hostID": 200_000, "size": 5],
                    ]
                    config.mount("/dev/mqueue", "mqueue", "mqueue", "nosuid", "noexec", "nodev")
                    config["process.oomScoreAdj"] = 500
                }
                try container.give()
                try container.launch()
                #expect(container.prints("refused"), "\(container.output)")
                #expect(
                    container.lines == [
                        "0", " 0 100000 1000", " 1000 200000 5", " 0 100000 65536", "0:0", "refused",
                    ])
                let status = try File.status("\(container.rootfs)/new")
                #expect(status.uid == 100_000 && status.gid == 100_000)
                let process = try File.status("/proc/\(container.pid)")
                #expect(process.uid == 100_000)
            }
        }

        /// As pods do: the second one's user namespace is the first one's, and so are those that belong to it.
        @Test(arguments: OCIRuntime.all) func aUserNamespaceIsJoined(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let first = try bench.container("sleep 1000") { $0.userNamespace() }
                try first.give()
                try first.launch()
                let names = ["user", "ipc", "net"].map { "/proc/\(first.pid)/ns/\($0)" }
                let expected = try names.map { try File.readLink($0) }
                let second = try bench.container("for n in user ipc net; do readlink /proc/self/ns/$n; done; id -u") {
                    $0.userNamespace()
                    $0.namespace("user", .joined(names[0]))
                    $0.namespace("ipc", .joined(names[1]))
                    $0.namespace("network", .joined(names[2]))
                    $0["linux.uidMappings"] = nil
                    $0["linux.gidMappings"] = nil
                }
                try second.give()
                let output = try second.run()
                try runtime.deviates([.runc], "runc 1.1.5 wants mappings for what has them") {
                    #expect(output.lines == expected + ["0"], "\(output)")
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func mappingsThatCannotBe(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                try runtime.deviates([.crun], "crun 1.8.1 makes up its own", isIntermittent: true) {
                    try bench.expectRefused {
                        $0.userNamespace()
                        $0["linux.uidMappings"] = nil
                        $0["linux.gidMappings"] = nil
                    }
                }
                try runtime.deviates([.crun, .runc], "crun 1.8.1 and runc 1.1.5 pass over them", isIntermittent: true) {
                    try bench.expectRefused {
                        $0["linux.uidMappings"] = [["containerID": 0, "hostID": 100_000, "size": 65536]]
                    }
                }
                try bench.expectRefused {
                    $0.userNamespace()
                    $0.append("linux.uidMappings", ["containerID": 5, "hostID": 900_000, "size": 10])
                }
                try bench.expectRefused {
                    $0.userNamespace()
                    $0["linux.uidMappings"] = [["containerID": 0, "hostID": .number("4294967290"), "size": 100]]
                }
            }
        }

        @Test(arguments: OCIRuntime.all) func kernelParametersOfItsOwn(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let script = "cd /proc/sys; cat net/ipv4/ip_forward kernel/shmmni net/ipv4/conf/lo/forwarding"
                try bench.expect(script, prints: ["1", "123", "1"]) {
                    $0["linux.sysctl"] = .object([
                        "net.ipv4.ip_forward": "1", "kernel.shmmni": "123", "net.ipv4.conf.lo.forwarding": "1",
                    ])
                }
            }
        }

        @Test("R16: kernel parameters of the host, and names with separators, are refused", arguments: OCIRuntime.all)
        func kernelParametersOfTheHost(_ runtime: OCIRuntime) throws {
            try OCIBench.with(runtime) { bench in
                let watched = ["kernel/core_pattern", "vm/swappiness", "kernel/shmmni", "net/ipv4/ip_forward"]
                let read = { try watched.map { try File.readAll("/proc/sys/\($0)", limit: 4096) } }
                let before = try read()
                // A runtime that takes them has changed the machine.
                defer { for (name, value) in zip(watched, before) { try? File.overwrite("/proc/sys/\(name)", value) } }
                for name in [
                    "kernel.core_pattern", "vm.swappiness", "net/../kernel/core_pattern", "net.../kernel.core_pattern",
                    "kernel.core_pattern\0", "../sys/vm.swappiness", "net.ipv4.conf../../../kernel.core_pattern",
                    "/proc/sys/vm/swappiness", "kernel/core_pattern", "", "kernel.hostname=x+vm.swappiness",
                ] {
                    try bench.expectRefused { $0["linux.sysctl"] = .object([name: "77"]) }
                }
                // One of a namespace that it does not have.
                try bench.expectRefused {
                    $0.namespace("ipc", .absent)
                    $0["linux.sysctl"] = .object(["kernel.shmmni": "77"])
                }
                try bench.expectRefused {
                    $0.namespace("network", .absent)
                    $0.bindSys()
                    $0["linux.sysctl"] = .object(["net.ipv4.ip_forward": "1"])
                }
                let after = try read()
                #expect(after == before)
            }
        }
    }
}

extension OCIConfig {
    /// /sys of the host's, which a network namespace of the host's takes no new one for.
    mutating func bindSys() {
        removeMount("/sys")
        mount("/sys", "bind", "/sys", "rbind", "ro")
    }
}
