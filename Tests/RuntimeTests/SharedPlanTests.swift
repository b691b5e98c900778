import OCI
import Rootfs
import Runtime
import Testing

/// What a launch that joins namespaces does, decided and not carried out.
@Suite struct SharedPlanTests {
    @Test func sharesNamespacesOfOthers() throws {
        var spec = Spec(process: Spec.Process(args: ["true"]), root: Spec.Root(path: "rootfs"))
        spec.linux.namespaces = [.mount, .cgroup, .uts].map { Spec.Namespace($0) }
        spec.mounts = [
            Spec.Mount(destination: "/proc", type: "proc", source: "proc", options: ["nosuid"]),
            Spec.Mount(destination: "/dev/shm", type: "tmpfs", source: "shm", options: ["nodev", "mode=1777"]),
        ]
        var request = LaunchRequest(id: "id", spec: spec, rootfs: RootfsMount(directory: "/root", readOnly: false))
        request.shared = [
            SharedNamespaces(owner: "a", kinds: [.pid, .network]), SharedNamespaces(owner: "b", kinds: .ipc),
        ]
        request.borrowed = ["/dev/shm": 1]
        request.useInit = true
        let lines = try Launcher.plan(request, host: HostFacts(cgroups: nil)).description.split(separator: "\n")
            .map(String.init)
        #expect(
            Array(lines.prefix(9)) == [
                "clone mount,uts", "join cgroup", "unshare cgroup", "join namespaces pid,network of process 0",
                "join namespaces ipc of process 1", "$proc = copy of /proc of process 0",
                "set on $proc (nosuid) private", "$shared1 = copy of /dev/shm of process 1",
                "set on $shared1 (nodev) private",
            ], "\(lines)")
        #expect(lines.last?.hasPrefix("exec under init in the pid namespace, to die with the parent") == true)
        for kinds in [NamespaceFlags.uts, .mount, .user, .cgroup, []] {
            request.shared = [SharedNamespaces(owner: "a", kinds: kinds)]
            #expect(throws: RuntimeError.self) { try Launcher.plan(request, host: HostFacts(cgroups: nil)) }
        }
        request.shared = [SharedNamespaces(owner: "a", kinds: .ipc), SharedNamespaces(owner: "b", kinds: .ipc)]
        #expect(throws: RuntimeError.self) { try Launcher.plan(request, host: HostFacts(cgroups: nil)) }
    }
}
