import Cgroups
import OCI
import Rootfs
import Runtime
import Testing

/// What a bundle's config asks for and an image never does: the order of a launch, without running it.
@Suite struct BundlePlanTests {
    private func plan(
        _ host: HostFacts = HostFacts(cgroups: nil), _ change: (inout Spec) -> Void
    ) throws(RuntimeError) -> [String] {
        var spec = Spec(process: Spec.Process(args: ["sh"]), root: Spec.Root(path: "rootfs"))
        spec.linux.namespaces = [Spec.Namespace(.mount)]
        change(&spec)
        let request = LaunchRequest(
            id: "id", spec: spec, rootfs: RootfsMount(directory: "/bundle/rootfs", readOnly: false))
        return try Launcher.plan(request, host: host).description.split(separator: "\n").map(String.init)
    }

    private func error(_ change: (inout Spec) -> Void) -> String {
        do throws(RuntimeError) {
            return try plan(change: change).joined(separator: "\n")
        } catch {
            return "\(error)"
        }
    }

    private func plan(change: (inout Spec) -> Void) throws(RuntimeError) -> [String] {
        try plan(HostFacts(cgroups: nil), change)
    }

    /// What leads through the host's directories is done by the parent; then comes the change of the user, and only then
    /// what makes files.
    @Test func copiesBeforeItBecomesAnother() throws {
        let mapping = [Spec.IDMapping(containerID: 0, hostID: 100_000, size: 65536)]
        let lines = try plan { spec in
            spec.linux.namespaces.append(Spec.Namespace(.user))
            spec.linux.uidMappings = mapping
            spec.linux.gidMappings = mapping
            var mapped = Spec.Mount(
                destination: "/b", type: "bind", source: "/mapped", options: ["rbind", "ridmap", "ro"])
            mapped.uidMappings = mapping
            mapped.gidMappings = [Spec.IDMapping(containerID: 0, hostID: 5, size: 1)]
            spec.mounts = [
                Spec.Mount(destination: "a", type: "bind", source: "/plain", options: ["bind", "rw"]), mapped,
            ]
        }
        #expect(
            lines.prefix(13) == [
                "copy 0 = bind of host:/plain",
                "copy 1 = rbind of host:/mapped with all below users 0:100000:65536 groups 0:5:1",
                "copy 2 = rbind of host:/bundle/rootfs",
                "clone mount,user",
                "parent: uid_map 0 100000 65536",
                "parent: gid_map 0 100000 65536",
                "await release",
                "join cgroup",
                "$bind0 = copy 0 of the parent",
                "set recursively on $bind0 private",
                "$bind1 = copy 1 of the parent",
                "set recursively on $bind1 private",
                "set on $bind1 (ro)",
            ])
        let root = try #require(lines.firstIndex(of: "become root of the user namespace"))
        let made = try #require(lines.firstIndex { $0.hasPrefix("mount $bind0 on $root:/a") })
        let entered = try #require(lines.firstIndex(of: "pivot to $root"))
        #expect(root < made && made < entered)
        #expect(lines.filter { $0.hasPrefix("groups") } == [])
    }

    @Test func ordinaryUserWaitsToBeMapped() throws {
        var host = HostFacts(cgroups: nil)
        host.mapsOnlyItself = true
        let own = [Spec.IDMapping(containerID: 0, hostID: 1000, size: 1)]
        let lines = try plan(host) { spec in
            spec.linux.namespaces.append(Spec.Namespace(.user))
            spec.linux.uidMappings = own
            spec.linux.gidMappings = own
        }
        #expect(lines[3] == "await mapping and release")
        #expect(lines.contains("$root = rbind of host:/bundle/rootfs"))
    }

    @Test func asksForNothingThatIsNotThere() throws {
        let lines = try plan { _ in }
        #expect(lines.prefix(3) == ["clone mount", "join cgroup", "make all mounts private"])
        let words = ["become", "label", "scheduler", "personality", "CPUs", "I/O", "copy", "clock"]
        #expect(lines.filter { line in words.contains { line.hasPrefix($0) } } == [])
    }

    @Test func setsClocksInBetween() throws {
        let lines = try plan { spec in
            spec.linux.namespaces += [Spec.Namespace(.time), Spec.Namespace(.user, path: "/u")]
            spec.linux.timeOffsets = ["monotonic": .init(secs: -1, nanosecs: 5)]
        }
        #expect(
            lines.prefix(4) == [
                "copy 0 = rbind of host:/bundle/rootfs", "clock monotonic -1 5", "join user namespace /u",
                "clone mount",
            ])
    }

    @Test func propagatesFromTheHostOnlyWhereAsked() throws {
        let slave = try plan { $0.linux.rootfsPropagation = "rslave" }
        #expect(slave.contains("make all mounts slaves") && slave.contains("set recursively on $root slave"))
        let shared = try plan { $0.linux.rootfsPropagation = "rshared" }
        let entered = try #require(shared.firstIndex(of: "pivot to $root"))
        #expect(shared[entered + 1] == "set recursively on $root shared")
        #expect(try plan { $0.linux.rootfsPropagation = "rprivate" } == plan { _ in })
    }

    @Test("R6: the host's /proc is bound only where its processes are the container's anyway")
    func hostsProcIsBoundWithItsProcesses() throws {
        let bind = Spec.Mount(destination: "/proc", type: "bind", source: "/proc", options: ["rbind"])
        #expect(try plan { $0.mounts = [bind] }.contains { $0.hasPrefix("mount $bind0 on $root:/proc (nolinks") })
        let own = error { spec in
            spec.linux.namespaces.append(Spec.Namespace(.pid))
            spec.mounts = [bind]
        }
        #expect(own.contains("mounts on /proc are refused"))
        let foreign = error { spec in
            spec.linux.namespaces = [Spec.Namespace(.mount, path: "/m")]
            spec.mounts = [bind]
        }
        #expect(foreign.contains("mounts on /proc are refused"))
    }

    @Test func refusesWhatAJoinedMountNamespaceWouldSuffer() {
        func message(_ change: (inout Spec) -> Void) -> String {
            error { spec in
                spec.linux.namespaces = [Spec.Namespace(.mount, path: "/m")]
                change(&spec)
            }
        }
        #expect(message { $0.root.readonly = true }.contains("it would be so for all in it"))
        #expect(message { $0.linux.rootfsPropagation = "shared" }.contains("it would be so for all in it"))
        let plain = message { _ in }
        #expect(plain.contains("join mount namespace /m") && plain.contains("chroot to $root"))
        #expect(!plain.contains("private") && !plain.contains("pivot"))
    }
}
