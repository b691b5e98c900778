import CLinux
import Glibc
import Sys
import TestSupport
import Testing

/// What a thread gives up, shown on threads of their own, whose rights end with them. What a whole process gives up is
/// shown by the worker that misbehaves (ImageWorkerTests).
@Suite struct ConfinementTests {
    private static func onThread(_ body: @escaping @Sendable () -> [String]) throws -> [String] {
        let result = Monitor<[String]>([])
        let thread = try JoinableThread {
            let lines = body()
            result.update { $0 = lines }
        }
        thread.join()
        return result.read(\.self)
    }

    private static func said(_ what: String, _ body: () throws(Errno) -> Void) -> String {
        do throws(Errno) {
            try body()
            return "\(what): done"
        } catch {
            return "\(what): \(error.name)"
        }
    }

    private static let policy = LandlockPolicy(abi: Landlock.abi)

    @Test(.enabled(if: policy != nil, "needs Landlock")) func aPathIsGoodForWhatItIsGrantedOnly() throws {
        let scratch = try Scratch()
        for name in ["trees", "files", "read", "outside"] { try scratch.file("\(name)/file", "x") }
        let root = scratch.path
        let lines = try ConfinementTests.onThread {
            var lines = [
                ConfinementTests.said("confine") { () throws(Errno) in
                    guard let policy = ConfinementTests.policy else { throw .noSystemCall }
                    try Landlock.enforce(
                        policy,
                        paths: [
                            ("\(root)/trees", .trees), ("\(root)/files", .files), ("\(root)/read", .read),
                            ("\(root)/missing", .trees),
                        ], ports: [])
                }
            ]
            for name in ["trees", "files", "read", "outside"] {
                let path = "\(root)/\(name)"
                let calls: [(String, () throws(Errno) -> Void)] = [
                    ("read", { () throws(Errno) in _ = try File.readAll("\(path)/file") }),
                    ("list", { () throws(Errno) in _ = try Directory.entries(path) }),
                    ("write", { () throws(Errno) in _ = try File.open("\(path)/file", O_WRONLY) }),
                    ("make", { () throws(Errno) in _ = try File.open("\(path)/new", O_WRONLY | O_CREAT, mode: 0o600) }),
                    ("mkdir", { () throws(Errno) in try Directory.make("\(path)/a", mode: 0o700) }),
                    ("link", { () throws(Errno) in try File.symlink("x", "\(path)/link") }),
                    ("fifo", { () throws(Errno) in try check { mkfifo("\(path)/fifo", 0o600) } }),
                    ("unlink", { () throws(Errno) in try File.unlink("\(path)/file") }),
                ]
                for (what, call) in calls { lines.append(ConfinementTests.said("\(name) \(what)", call)) }
            }
            return lines
        }
        func allowed(_ name: String) -> [String] {
            lines.filter { $0.hasPrefix("\(name) ") && $0.hasSuffix(": done") }
                .map { String($0.dropFirst(name.count + 1).prefix { $0 != ":" }) }
        }
        #expect(lines.first == "confine: done")
        #expect(allowed("trees") == ["read", "list", "write", "make", "mkdir", "link", "fifo", "unlink"])
        #expect(allowed("files") == ["read", "list", "write", "make", "unlink"])
        #expect(allowed("read") == ["read", "list"])
        #expect(allowed("outside") == [])
        #expect(lines.allSatisfy { $0.hasSuffix(": done") || $0.hasSuffix(": EACCES") }, "\(lines)")
    }

    @Test func callsThatNobodyNeedsFail() throws {
        let lines = try ConfinementTests.onThread {
            [
                ConfinementTests.said("confine") { () throws(Errno) in _ = try Confinement.limitCalls() },
                ConfinementTests.said("unshare") { () throws(Errno) in try check { unshare(CLONE_FS) } },
                ConfinementTests.said("chroot") { () throws(Errno) in try check { chroot("/") } },
                ConfinementTests.said("unix") { () throws(Errno) in
                    try check { socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0) }
                },
                ConfinementTests.said("read") { () throws(Errno) in _ = try File.readAll("/proc/self/comm") },
                ConfinementTests.said("thread") { () throws(Errno) in
                    let thread = try JoinableThread {}
                    thread.join()
                },
            ]
        }
        #expect(
            lines == [
                "confine: done", "unshare: EPERM", "chroot: EPERM", "unix: EAFNOSUPPORT", "read: done", "thread: done",
            ])
    }
}
