internal import Glibc
internal import Sys
internal import TestSupport
import Testing

@Suite struct LockTests {
    @Test func oneHolderOrManyReaders() throws {
        let scratch = try Scratch()
        let directory = try Directory.open(scratch.path)
        do {
            let held = try FileLock("lock", in: directory.raw)
            #expect(try isFree(directory.raw, .exclusive) == false)
            #expect(try isFree(directory.raw, .shared) == false)
            _ = consume held
        }
        let first = try FileLock("lock", in: directory.raw, mode: .shared)
        #expect(try isFree(directory.raw, .shared))
        #expect(try isFree(directory.raw, .exclusive) == false)
        _ = consume first
        #expect(try isFree(directory.raw, .exclusive))
    }

    private func isFree(_ directory: Int32, _ mode: FileLock.Mode) throws -> Bool {
        guard let lock = try FileLock.attempt("lock", in: directory, mode: mode) else { return false }
        _ = consume lock
        return true
    }

    @Test func aFileThatWasUnlinkedIsNotTheLock() throws {
        // A waiter that gets a lock on a file without a name must not believe that it holds it: someone else may lock
        // the new file of that name.
        let scratch = try Scratch()
        let inside = Monitor(0)
        let worst = Monitor(0)
        let path = scratch.path
        let contend: @Sendable () -> Void = {
            for _ in 0..<300 { Self.holdOnce(path, inside, worst) }
        }
        let first = try JoinableThread(contend)
        let second = try JoinableThread(contend)
        let third = try JoinableThread(contend)
        first.join()
        second.join()
        third.join()
        #expect(worst.read(\.self) == 1)
    }

    /// Takes the lock, notes how many hold it, and unlinks its file before letting go.
    private static func holdOnce(_ path: String, _ inside: Monitor<Int>, _ worst: Monitor<Int>) {
        guard let directory = try? Directory.open(path), let lock = try? FileLock("lock", in: directory.raw) else {
            worst.update { $0 = 99 }
            return
        }
        let count = inside.update { value in
            value += 1
            return value
        }
        worst.update { $0 = max($0, count) }
        // Who unlinks the file has let go of the lock: the next one makes a file of its own.
        inside.update { $0 -= 1 }
        try? File.unlink("lock", at: directory.raw)
        _ = consume lock
    }

    @Test func aLinkInPlaceOfTheLockIsRefused() throws {
        let scratch = try Scratch()
        try scratch.file("elsewhere", "")
        try File.symlink("elsewhere", scratch("lock"))
        let directory = try Directory.open(scratch.path)
        let fd = directory.raw
        #expect(throws: Errno.loop) { try Self.lock(fd) }
    }

    private static func lock(_ directory: Int32) throws {
        let lock = try FileLock("lock", in: directory)
        _ = consume lock
    }

    @Test func aDeadHoldersLockIsFree() throws {
        let scratch = try Scratch()
        try scratch.file("lock", "")
        var holder = try ChildProcess(
            try #require(Tool.find("flock")), [scratch("lock"), "sleep", "100"], environment: Tool.baseEnvironment)
        let directory = try Directory.open(scratch.path)
        let fd = directory.raw
        #expect(try Wait.until(seconds: 5) { try !isFree(fd, .shared) })
        try holder.kill()
        #expect(try Wait.until(seconds: 5) { try isFree(fd, .exclusive) })
    }

    @Test func aDirectoryIsLockedThroughItsRename() throws {
        let scratch = try Scratch()
        try scratch.directory("a")
        let parent = try Directory.open(scratch.path)
        let fd = parent.raw
        guard let lock = try DirectoryLock.attempt("a", at: fd, mode: .exclusive) else {
            Issue.record("nobody holds the lock")
            return
        }
        try File.rename("a", at: fd, to: "b", at: fd)
        #expect(try Self.isFree("b", fd) == false)
        #expect(throws: Errno.noEntry) { try Self.isFree("a", fd) }
        _ = consume lock
        #expect(try Self.isFree("b", fd))
    }

    private static func isFree(_ name: String, _ parent: Int32) throws -> Bool {
        guard let lock = try DirectoryLock.attempt(name, at: parent, mode: .shared) else { return false }
        _ = consume lock
        return true
    }
}
