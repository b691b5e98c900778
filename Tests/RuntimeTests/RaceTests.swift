import Glibc
import OCI
import Rootfs
import Runtime
import Sys
import TestSupport
import Testing

/// Containers that share something with another one which is just being started, and change it all the time.
@Suite(.serialized, .enabled(if: ContainerFixture.hasProbe, ContainerFixture.probeRequirement))
struct RaceTests {
    /// Enough for each of the few microseconds that matter to be met, by the swaps that a start sees some hundred of.
    static let rounds = 150

    /// How the victims ended.
    private struct Ends: CustomStringConvertible {
        /// Where not every start can be met by the attack.
        var mayAllStart = false
        var started = 0
        var refused = 0

        var round: Int { started + refused }
        var isBoth: Bool { started > 0 && (mayAllStart || refused > 0) }
        /// Many more rounds are for a machine on which one of the two is rare.
        var goesOn: Bool { round < rounds || !isBoth && round < 20 * rounds }
        var description: String { "\(started) started, \(refused) refused" }
    }

    private func replace(mountsBelow prefix: String, in spec: inout Spec, with mounts: [Spec.Mount]) {
        spec.mounts.removeAll { $0.destination.hasPrefix(prefix) }
        spec.mounts += mounts
    }

    @Test(
        "R4, R11: a mount target that a sibling swaps for a link stays inside", .timeLimit(.minutes(Wait.minutes(10))))
    func mountTargetIsSwapped() throws {
        let fixture = try ContainerFixture.withProbe()
        let canary = try HostFiles(fixture.scratch)
        try fixture.scratch.directory("volume/target/deep")
        try File.symlink(canary.path, fixture.scratch("volume/link"))
        let volume = Spec.Mount.bind(fixture.scratch("volume"), "/volume")
        let attacker = try Attacker(fixture, ["exchange", "/volume/target", "/volume/link"]) {
            $0.spec.mounts.append(volume)
        }
        let victim = try ContainerFixture()
        var ends = Ends(mayAllStart: true)
        while ends.goesOn {
            let round = ends.round
            let result = try? victim.run(["cat", "/proc/self/mountinfo"]) { request in
                request.spec.mounts.append(volume)
                for target in ["deep", "made/\(round)/deeper"] {
                    request.spec.mounts.append(
                        Spec.Mount(destination: "/volume/target/\(target)", type: "tmpfs", source: "swapped"))
                }
            }
            guard let result else {
                ends.refused += 1
                continue
            }
            ends.started += 1
            // Outside of the root they would not be in the list.
            #expect(result.lines.count { $0.contains(" - tmpfs swapped ") } == 2, "\(result)")
        }
        #expect(ends.isBoth, "\(ends)")
        try attacker.expectNothing()
        try canary.expectUntouched()
    }

    @Test(
        "R7: a null device that a sibling swaps is refused, or the mask is true",
        .timeLimit(.minutes(Wait.minutes(10))),
        arguments: ["file", "link"], [true, false])
    func nullDeviceIsSwapped(kind: String, isBound: Bool) throws {
        let fixture = try ContainerFixture.withProbe { scratch, image in
            try check { mknod("\(image)/dev/null", S_IFCHR | 0o666, 0x0103) }
            if kind == "file" {
                try scratch.file("overlay2/base/diff/dev/false", "x")
            } else {
                try File.symlink("/proc/sys/kernel/core_pattern", "\(image)/dev/false")
            }
        }
        let image = fixture.scratch("overlay2/base/diff")
        let attacker = try Attacker(fixture, ["exchange", "/image/dev/null", "/image/dev/false"]) {
            $0.spec.mounts.append(.bind(image, "/image"))
        }
        let victim = try ContainerFixture()
        var ends = Ends()
        let script = "stat -c %t:%T /proc/keys; { echo x >/proc/sys/kernel/core_pattern; } 2>&1"
        while ends.goesOn {
            do {
                let result = try victim.run(["sh", "-c", script]) { request in
                    let dev: [Spec.Mount] = isBound ? [.bind("\(image)/dev", "/dev")] : []
                    replace(mountsBelow: "/dev", in: &request.spec, with: dev)
                    if !isBound { request.rootfs = RootfsMount(directory: image, readOnly: false) }
                }
                ends.started += 1
                #expect(result.lines.first == "1:3", "\(result)")
                #expect(result.output.contains("Read-only file system"), "\(result)")
            } catch let error as RuntimeError {
                ends.refused += 1
                #expect("\(error)".contains("null device"), "\(error)")
            }
        }
        #expect(ends.isBoth, "\(ends)")
        try attacker.expectNothing()
    }

    @Test(
        "R8: a console that a sibling swaps for a link is bound inside, and the masks are there",
        .timeLimit(.minutes(Wait.minutes(10))))
    func consoleIsSwapped() throws {
        let fixture = try ContainerFixture.withProbe()
        let canary = try HostFiles(fixture.scratch)
        for name in ["pts", "shm", "mqueue"] { try fixture.scratch.directory("devices/\(name)") }
        try fixture.scratch.file("devices/console", "")
        try check { mknod(fixture.scratch("devices/null"), S_IFCHR | 0o666, 0x0103) }
        try File.symlink("/proc/sys/kernel/core_pattern", fixture.scratch("devices/link"))
        try File.symlink(canary.path, fixture.scratch("devices/directory"))
        let dev = fixture.scratch("devices")
        let swaps = ["/devices/console", "/devices/link", "/devices/pts", "/devices/directory"]
        let attacker = try Attacker(fixture, ["exchange"] + swaps) { $0.spec.mounts.append(.bind(dev, "/devices")) }
        let victim = try ContainerFixture()
        var ends = Ends(mayAllStart: true)
        let script = "stat -c %t:%T /proc/keys; echo x >/proc/sys/kernel/core_pattern; cat /proc/self/mountinfo"
        while ends.goesOn {
            let request = try victim.request(["sh", "-c", script]) { request in
                let pts = request.spec.mounts.filter { $0.destination == "/dev/pts" }
                replace(mountsBelow: "/dev", in: &request.spec, with: [.bind(dev, "/dev")] + pts)
                request.spec.process.terminal = true
            }
            guard let process = try? Launcher.start(try Launcher.plan(request)) else {
                ends.refused += 1
                continue
            }
            ends.started += 1
            let said = try readTerminal(process)
            #expect(said.hasPrefix("1:3\r\n") && said.contains("Read-only file system"), "\(said)")
            let places = said.split(separator: "\r\n").filter { $0.contains(" - devpts ") }.map { line in
                String(line.split(separator: " ")[4])
            }
            #expect(places.count == 2, "\(said)")
            #expect(!places.contains { $0.hasPrefix("/proc") || $0.hasPrefix("/sys") }, "\(places)")
        }
        #expect(ends.isBoth, "\(ends)")
        try attacker.expectNothing()
        try canary.expectUntouched()
    }

    @Test(
        "R5, R9, R10: a /proc, /sys or /dev that a sibling swaps takes no write of ours",
        .timeLimit(.minutes(Wait.minutes(10))),
        arguments: [true, false])
    func systemDirectoriesAreSwapped(hasProc: Bool) throws {
        let names = ["sys/net/ipv4/ip_unprivileged_port_start", "sys/kernel/core_pattern", "self/attr/exec", "keys"]
        let fixture = try ContainerFixture.withProbe { scratch, image in
            for name in names { try scratch.file("overlay2/base/diff/fake/\(name)", "untouched\n") }
            try File.symlink("fake", "\(image)/link1")
            try File.symlink("fake", "\(image)/link2")
            try File.symlink(scratch("canary"), "\(image)/link3")
        }
        let canary = try HostFiles(fixture.scratch)
        let image = fixture.scratch("overlay2/base/diff")
        let sentinels = ["net/ipv4/ip_unprivileged_port_start", "kernel/core_pattern"].map { "/proc/sys/\($0)" }
        let before = try sentinels.map { try File.readAll($0, limit: 4096) }
        let swaps = ["proc", "link1", "sys", "link2", "dev", "link3"].map { "/image/\($0)" }
        let attacker = try Attacker(fixture, ["exchange"] + swaps) { $0.spec.mounts.append(.bind(image, "/image")) }
        var ends = Ends()
        while ends.goesOn {
            let result = try? fixture.run(["true"]) { request in
                request.rootfs = RootfsMount(directory: image, readOnly: false)
                request.spec.linux.sysctl = ["net.ipv4.ip_unprivileged_port_start": "7"]
                if hasProc { return }
                request.spec.mounts.removeAll { $0.destination == "/proc" }
                request.spec.linux.readonlyPaths = []
            }
            if result == nil { ends.refused += 1 } else { ends.started += 1 }
        }
        #expect(ends.isBoth, "\(ends)")
        try attacker.expectNothing()
        for name in names {
            #expect(try File.readAll("\(image)/fake/\(name)", limit: 100) == Array("untouched\n".utf8), "\(name)")
        }
        #expect(try sentinels.map { try File.readAll($0, limit: 4096) } == before)
        try canary.expectUntouched()
    }

    /// All that the container's terminal shows, until its last process is gone.
    private func readTerminal(_ process: borrowing RunningProcess) throws -> String {
        var text: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = read(process.terminalNumber, &chunk, chunk.count)
            if count <= 0 { break }
            text += chunk[..<count]
        }
        _ = try Pidfd.wait(process.pidfd.raw)
        return String(decoding: text, as: UTF8.self)
    }
}
