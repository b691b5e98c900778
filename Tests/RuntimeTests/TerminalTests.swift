import Glibc
import OCI
import Runtime
import Sys
import TestSupport
import Testing

@Suite(.enabled(if: ContainerFixture.isPossible, ContainerFixture.requirement))
struct TerminalTests {
    private func talk(_ script: String, _ change: (inout LaunchRequest) -> Void = { _ in }) throws -> (
        String, Spawn.Exit
    ) {
        let fixture = try ContainerFixture()
        let request = try fixture.request(["/bin/sh", "-c", script]) { request in
            request.spec.process.terminal = true
            request.spec.process.consoleSize = Spec.ConsoleSize(height: 33, width: 101)
            change(&request)
        }
        let process = try Launcher.start(try Launcher.plan(request))
        let exit = try Pidfd.wait(process.pidfd.raw)
        var text: [UInt8] = []
        let terminal = process.terminalNumber
        var chunk = [UInt8](repeating: 0, count: 4096)
        // The last slave closed: EIO is a terminal's end of file.
        while true {
            let count = read(terminal, &chunk, chunk.count)
            if count <= 0 { break }
            text += chunk[..<count]
        }
        return (String(decoding: text, as: UTF8.self), exit)
    }

    @Test func isTheContainersOwn() throws {
        let script =
            "tty; stty size; stat -c '%F %u %g %a' /dev/pts/0 /dev/console; test -t 2 && echo yes; "
            + "echo to-tty >/dev/tty; ls -1 /dev/pts; echo out >/dev/console; exit 5"
        let (text, exit) = try talk(script)
        let lines = text.split(separator: "\r\n").map(String.init)
        #expect(
            lines == [
                "/dev/pts/0", "33 101", "character special file 0 5 620", "character special file 0 5 620", "yes",
                "to-tty", "0", "ptmx", "out",
            ])
        #expect(exit == .code(5))
    }

    @Test func belongsToTheUser() throws {
        let script = "id -u; stat -c '%u %g' /dev/pts/0; echo fine >/dev/tty; echo more >/dev/pts/0"
        let (text, _) = try talk(script) { $0.spec.process.user = .init(uid: 1000, gid: 1000) }
        #expect(text.split(separator: "\r\n").map(String.init) == ["1000", "1000 5", "fine", "more"])
    }

    @Test(arguments: [false, true]) func passesInterruptsOn(useInit: Bool) throws {
        let fixture = try ContainerFixture()
        let script = "trap 'echo interrupted; exit 9' INT; echo ready; while :; do sleep 0.05; done"
        let request = try fixture.request(["/bin/sh", "-c", script]) { request in
            request.spec.process.terminal = true
            request.useInit = useInit
        }
        let process = try Launcher.start(try Launcher.plan(request))
        let terminal = process.terminalNumber
        var chunk = [UInt8](repeating: 0, count: 256)
        #expect(read(terminal, &chunk, chunk.count) > 0)
        try File.write(terminal, "\u{3}")
        #expect(try Pidfd.wait(process.pidfd.raw) == .code(9))
    }

    @Test func needsADevpts() throws {
        let error = try ContainerFixture().failure(["true"]) { request in
            request.spec.process.terminal = true
            request.spec.mounts.removeAll { $0.destination == "/dev/pts" }
        }
        #expect("\(error)" == "a terminal needs a devpts mount on /dev/pts and a /dev that is the container's own")
    }
}
