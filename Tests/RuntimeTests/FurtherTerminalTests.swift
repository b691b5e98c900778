import Glibc
import OCI
import Runtime
import Sys
import TestSupport
import Testing

/// The terminal of a further process.
@Suite(.enabled(if: ContainerFixture.hasProbe, ContainerFixture.probeRequirement))
struct FurtherTerminalTests {
    private func talk(
        _ container: RunningContainer, _ script: String, uid: UInt32 = 0
    ) throws -> (lines: [String], exit: Spawn.Exit) {
        let process = try container.start(["/bin/sh", "-c", script]) { request in
            request.process.terminal = true
            request.process.consoleSize = Spec.ConsoleSize(height: 33, width: 101)
            request.process.user = .init(uid: uid, gid: uid)
        }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(process.terminalNumber, &chunk, chunk.count)
            if count <= 0 { break }
            text += chunk[..<count]
        }
        let exit = try Pidfd.wait(process.pidfd.raw)
        return (String(decoding: text, as: UTF8.self).split(separator: "\r\n").map(String.init), exit)
    }

    @Test("X11: the terminal of a further process is a new one of the container's, and its controlling one")
    func isTheContainersOwn() throws {
        let container = try RunningContainer(try ContainerFixture())
        let script =
            "tty; stty size; stat -c '%F %u %g %a' /dev/pts/0; test -t 2 && echo yes; echo to-tty >/dev/tty; "
            + "ls -1 /dev/pts; exit 5"
        let said = try talk(container, script)
        #expect(
            said.lines == [
                "/dev/pts/0", "33 101", "character special file 0 5 620", "yes", "to-tty", "0", "ptmx",
            ])
        #expect(said.exit == .code(5))
        // By its own name: another test's fork may hold the first terminal open, and its number, for a moment.
        let user = try talk(container, "id -u; stat -c %u $(tty); echo fine >/dev/tty", uid: 1000)
        #expect(user.lines == ["1000", "1000", "fine"])
    }

    @Test("X11: what a further process types into every terminal it finds reaches its own only")
    func typesIntoItsOwn() throws {
        let container = try RunningContainer(try ContainerFixture.withProbe())
        let process = try container.start(["/probe", "push", "x"]) { $0.process.terminal = true }
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(process.terminalNumber, &chunk, chunk.count)
            if count <= 0 { break }
            text += chunk[..<count]
        }
        _ = try Pidfd.wait(process.pidfd.raw)
        let said = String(decoding: text, as: UTF8.self)
        #expect(said.contains("push./dev/tty=") && said.contains("push./dev/pts/0="), "\(said)")
        #expect(!said.contains("console") && !said.contains("pts/1"), "\(said)")
    }

    @Test func passesInterruptsOn() throws {
        let container = try RunningContainer(try ContainerFixture())
        let script = "trap 'echo interrupted; exit 9' INT; echo ready; while :; do sleep 0.05; done"
        let process = try container.start(["/bin/sh", "-c", script]) { $0.process.terminal = true }
        var chunk = [UInt8](repeating: 0, count: 256)
        #expect(read(process.terminalNumber, &chunk, chunk.count) > 0)
        try File.write(process.terminalNumber, "\u{3}")
        #expect(try Pidfd.wait(process.pidfd.raw) == .code(9))
    }

    /// What lies on /dev/pts by now is the container's doing.
    @Test(arguments: ["directory", "link"]) func needsADevpts(kind: String) throws {
        let fixture = try ContainerFixture { scratch, image in
            if kind == "link" {
                try File.symlink("/etc", "\(image)/dev/pts")
            } else {
                try scratch.directory("overlay2/base/diff/dev/pts")
            }
            try check { mknod("\(image)/etc/ptmx", S_IFCHR | 0o666, 0x0502) }
        }
        let container = try RunningContainer(fixture) { request in
            request.spec.mounts.removeAll { $0.destination.hasPrefix("/dev") }
        }
        let error = try container.failure(["true"]) { $0.process.terminal = true }
        #expect("\(error)".hasSuffix("what the container has on /dev/pts is no devpts"), "\(error)")
    }
}
