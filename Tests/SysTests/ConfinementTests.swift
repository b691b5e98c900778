import Glibc
import Sys
import TestSupport
import Testing

@Suite struct ConfinementTests {
    /// Runs `body` on a thread of its own, whose rights end with it.
    private static func onThread(_ body: @escaping @Sendable () -> [String]) throws -> [String] {
        let result = Monitor<[String]>([])
        let thread = try JoinableThread {
            let lines = body()
            result.update { $0 = lines }
        }
        thread.join()
        return result.read(\.self)
    }

    private static let hasLandlock =
        (try? onThread {
            [
                said("confine") { () throws(Errno) in
                    let directory = try Directory.open("/")
                    try Confinement.limitWrites(to: directory.raw)
                }
            ]
        }) == ["confine: done"]

    private static func said(_ what: String, _ body: () throws(Errno) -> Void) -> String {
        do throws(Errno) {
            try body()
            return "\(what): done"
        } catch {
            return "\(what): \(error.name)"
        }
    }

    @Test(.enabled(if: hasLandlock, "needs Landlock")) func writesOnlyBelowTheDirectory() throws {
        let scratch = try Scratch()
        let inside = try scratch.directory("inside")
        let outside = try scratch.directory("outside")
        try scratch.file("outside/file", "x")
        let lines = try ConfinementTests.onThread {
            var lines: [String] = []
            lines.append(
                ConfinementTests.said("confine") { () throws(Errno) in
                    let directory = try Directory.open(inside)
                    try Confinement.limitWrites(to: directory.raw)
                })
            let calls: [(String, () throws(Errno) -> Void)] = [
                ("make", { () throws(Errno) in try Directory.make("\(inside)/a", mode: 0o700) }),
                ("move", { () throws(Errno) in try File.rename("\(inside)/a", to: "\(inside)/b") }),
                ("make outside", { () throws(Errno) in try Directory.make("\(outside)/a", mode: 0o700) }),
                ("write outside", { () throws(Errno) in _ = try File.open("\(outside)/file", O_WRONLY) }),
                ("unlink outside", { () throws(Errno) in try File.unlink("\(outside)/file") }),
                ("move outside", { () throws(Errno) in try File.rename("\(inside)/b", to: "\(outside)/b") }),
                ("read outside", { () throws(Errno) in _ = try File.readAll("\(outside)/file") }),
            ]
            for (what, call) in calls { lines.append(ConfinementTests.said(what, call)) }
            return lines
        }
        #expect(
            lines == [
                "confine: done", "make: done", "move: done", "make outside: EACCES", "write outside: EACCES",
                "unlink outside: EACCES", "move outside: EACCES", "read outside: done",
            ])
    }

    @Test func executesMountsAndUnsharesNothing() throws {
        let lines = try ConfinementTests.onThread {
            [
                ConfinementTests.said("confine") { () throws(Errno) in try Confinement.limitCalls() },
                ConfinementTests.said("unshare") { () throws(Errno) in try check { unshare(CLONE_FS) } },
                ConfinementTests.said("chroot") { () throws(Errno) in try check { chroot("/") } },
                ConfinementTests.said("read") { () throws(Errno) in _ = try File.readAll("/proc/self/comm") },
            ]
        }
        #expect(lines == ["confine: done", "unshare: EPERM", "chroot: EPERM", "read: done"])
    }
}
