import Glibc
import OCI
import Runtime
import Synchronization
import Sys
import TestSupport
import Testing

/// Launches beside threads that allocate, and what is left when things end early.
@Suite(.serialized, .enabled(if: ContainerFixture.isPossible, ContainerFixture.requirement))
struct StressTests {
    private final class Flag: Sendable {
        let isSet = Atomic(false)
        let number = Atomic<Int32>(0)
    }

    private static func allocate(until stop: Flag) throws -> JoinableThread {
        try JoinableThread {
            while !stop.isSet.load(ordering: .relaxed) {
                let words = (0..<64).map { String(repeating: "allocate", count: $0) }
                precondition(words.count == 64)
            }
        }
    }

    /// The child has the heap's locks and the list of threads in whatever state the others had them.
    @Test(.timeLimit(.minutes(Wait.minutes(15)))) func neverHangsBesideBusyThreads() throws {
        let fixture = try ContainerFixture()
        let stop = Flag()
        let first = try StressTests.allocate(until: stop)
        let second = try StressTests.allocate(until: stop)
        let third = try JoinableThread {
            while !stop.isSet.load(ordering: .relaxed) {
                if let thread = try? JoinableThread({}) { thread.join() }
            }
        }
        var results: [Spawn.Exit: Int] = [:]
        for _ in 0..<100 {
            let user = Spec.User(uid: 1000, gid: 1000, additionalGids: [5])
            results[try fixture.run(["true"]) { $0.spec.process.user = user }.exit, default: 0] += 1
        }
        stop.isSet.store(true, ordering: .relaxed)
        first.join()
        second.join()
        third.join()
        #expect(results == [.code(0): 100])
    }

    @Test func diesWithTheLaunchingThread() throws {
        let fixture = try ContainerFixture()
        let request = try fixture.request(["/bin/sleep", "60"]) { request in
            request.diesWithParent = true
            request.stdio = StandardIO()
            request.spec.process.user = .init(uid: 1000, gid: 1000)
        }
        let plan = try Launcher.plan(request)
        let started = Flag()
        let thread = try JoinableThread {
            guard let process = try? Launcher.start(plan), let handle = try? process.pidfd.duplicate() else { return }
            started.number.store(handle.release(), ordering: .sequentiallyConsistent)
        }
        thread.join()
        let pidfd = OwnedFD(adopting: started.number.load(ordering: .sequentiallyConsistent))
        #expect(pidfd.raw > 0)
        #expect(try Pidfd.wait(pidfd.raw) == .signal(SIGKILL))
    }

    @Test func endsTheChildWhenTheParentFails() throws {
        let fixture = try ContainerFixture()
        let plan = try Launcher.plan(try fixture.request(["/bin/sleep", "60"]))
        var child: Int32 = -1
        do throws(RuntimeError) {
            _ = try Launcher.start(plan) { pidfd throws(RuntimeError) in
                child = dup(pidfd)
                throw .invalid("no network today")
            }
            Issue.record("started")
        } catch {
            #expect(error == .invalid("no network today"))
        }
        // Reaped as well, not only killed.
        try #require(child >= 0)
        let pidfd = OwnedFD(adopting: child)
        #expect(throws: Errno.noProcess) { try Pidfd.send(0, to: child) }
        _ = consume pidfd
        #expect(Scratch.mounts(below: fixture.scratch.path).isEmpty)
    }

    @Test func keepsDescriptorsOfItsOwnInOrder() throws {
        let fixture = try ContainerFixture()
        let before = try Directory.entries("/proc/self/fd").count
        for _ in 0..<20 {
            #expect(try fixture.run(["true"]).exit == .code(0))
            _ = try fixture.failure(["nothing"])
        }
        // Others of the test process open and close meanwhile; forty leaked ones would show.
        #expect(try Directory.entries("/proc/self/fd").count < before + 30)
    }

    /// Pipes belong to the container's user, so that /dev/stdout can be opened again.
    @Test func givesPipesToTheUser() throws {
        let fixture = try ContainerFixture()
        let result = try fixture.shell("echo out >/dev/stdout; echo err >/dev/stderr") { request in
            request.spec.process.user = .init(uid: 1000, gid: 1000)
        }
        #expect(result.output == "out\n", "\(result)")
        #expect(result.errors == "err\n", "\(result)")
    }
}
