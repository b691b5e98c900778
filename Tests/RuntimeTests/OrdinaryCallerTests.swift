import Glibc
import OCI
import Rootfs
import Runtime
import Sys
import TestSupport
import Testing

/// A caller without any rights, who is root in a user namespace of his own: only where the tests are run as such a one.
@Suite(.enabled(if: geteuid() != 0 && File.exists("/bin/busybox"), "needs an ordinary user and busybox-static"))
struct OrdinaryCallerTests {
    /// The container's process and the end of the pipe that it writes to.
    private func start(
        _ script: String, in scratch: borrowing Scratch, _ change: (inout LaunchRequest) -> Void
    ) throws -> (OwnedDescriptor, pid: Int32, PipeEnds) {
        for name in ["bin", "proc", "dev", "sys", "tmp"] { try scratch.directory("root/\(name)") }
        try scratch.file("root/bin/busybox", try File.readAll("/bin/busybox"), mode: 0o755)
        let output = try PipeEnds()
        var request = LaunchRequest(
            id: "ordinary-\(getpid())",
            spec: ContainerFixture.spec(["/bin/busybox", "sh", "-c", "b() { /bin/busybox \"$@\"; }; \(script)"]),
            rootfs: RootfsMount(directory: scratch("root"), readOnly: false))
        request.diesWithParent = false
        request.stdio = StandardIO(input: -1, output: output.writer, error: output.writer)
        request.spec.linux.namespaces.append(Spec.Namespace(.user))
        request.spec.linux.uidMappings = [Spec.IDMapping(containerID: 0, hostID: geteuid(), size: 1)]
        request.spec.linux.gidMappings = [Spec.IDMapping(containerID: 0, hostID: getegid(), size: 1)]
        request.spec.mounts.removeAll { $0.destination == "/sys/fs/cgroup" }
        for index in request.spec.mounts.indices { request.spec.mounts[index].options.removeAll { $0 == "gid=5" } }
        change(&request)
        let process = try Launcher.start(try Launcher.plan(request))
        return (OwnedDescriptor(try process.pidfd.duplicate()), process.pid, output)
    }

    private func run(
        _ script: String, _ change: (inout LaunchRequest) -> Void = { _ in }
    ) throws -> String {
        let scratch = try Scratch()
        let (pidfd, _, output) = try start(script, in: scratch, change)
        let text = String(decoding: try output.readAll(), as: UTF8.self)
        _ = try Pidfd.wait(pidfd.raw)
        return text
    }

    /// The network belongs to the user namespace, so that comes first for once.
    @Test func joinsWhatItOwns() throws {
        let scratch = try Scratch()
        let (pidfd, pid, _) = try start("exec /bin/busybox sleep 1000", in: scratch) { _ in }
        defer {
            try? Pidfd.send(SIGKILL, to: pidfd.raw)
            _ = try? Pidfd.wait(pidfd.raw)
        }
        let names = ["user", "net"]
        let theirs = try names.map { try File.readLink("/proc/\(pid)/ns/\($0)") }
        let text = try run("b readlink /proc/self/ns/user; b readlink /proc/self/ns/net; b id -u") { request in
            request.spec.linux.namespaces.removeAll { $0.type == .user || $0.type == .network }
            (request.spec.linux.uidMappings, request.spec.linux.gidMappings) = (nil, nil)
            request.spec.linux.namespaces += [
                Spec.Namespace(.network, path: "/proc/\(pid)/ns/net"),
                Spec.Namespace(.user, path: "/proc/\(pid)/ns/user"),
            ]
        }
        #expect(text == theirs.map { "\($0)\n" }.joined() + "0\n")
    }

    @Test func isRootOfItsOwn() throws {
        let text = try run(
            "b id -u; b cat /proc/self/setgroups; b touch /made && b stat -c %u /made; echo x >/dev/null")
        #expect(text == "0\ndeny\n0\n")
    }

    @Test func mapsNoMoreThanItself() throws {
        func message(_ change: @escaping (inout LaunchRequest) -> Void) -> String {
            do { return try run("true", change) } catch { return "\(error)" }
        }
        let wide = message { $0.spec.linux.uidMappings?[0].size = 10 }
        #expect(wide.contains("newuidmap"))
        #expect(message { $0.spec.process.user.additionalGids = [1] }.hasPrefix("additionalGids: "))
    }
}
