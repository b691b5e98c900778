import Cgroups
import Glibc
import OCI
import Rootfs
import Sys
import TestSupport
import Testing

@testable import Runtime

/// Filters of which somebody outside is told: the listener's way from the child to who answers.
@Suite(.enabled(if: ContainerFixture.isPossible, ContainerFixture.requirement))
struct SeccompNotifyTests {
    /// struct seccomp_notif and its response (linux/seccomp.h), and their requests of ioctl(2).
    private static let receive = UInt(0xc050_2100)
    private static let send = UInt(0xc018_2101)

    private func profile(_ path: String, _ names: [String], flags: [String] = []) -> Spec.Seccomp {
        var rule = Spec.Seccomp.Rule(names: names, action: "SCMP_ACT_NOTIFY")
        rule.errnoRet = nil
        var profile = Spec.Seccomp(defaultAction: "SCMP_ACT_ALLOW")
        profile.syscalls = [rule]
        profile.flags = flags
        profile.listenerPath = path
        return profile
    }

    /// Answers as many notifications: each with this error, or by letting the call go on.
    private func answer(_ listener: Int32, _ count: Int, error: Int32?) throws -> [(pid: UInt32, call: Int32)] {
        var seen: [(pid: UInt32, call: Int32)] = []
        for _ in 0..<count {
            var notice = [UInt64](repeating: 0, count: 10)
            try check { ioctl(listener, Self.receive, &notice) }
            seen.append((UInt32(truncatingIfNeeded: notice[1]), Int32(truncatingIfNeeded: notice[2])))
            // id, value, error, flags: 1 is SECCOMP_USER_NOTIF_FLAG_CONTINUE.
            let last = error.map { UInt64(UInt32(bitPattern: -$0)) } ?? 1 << 32
            var response: [UInt64] = [notice[0], 0, last]
            try check { ioctl(listener, Self.send, &response) }
        }
        return seen
    }

    /// Listens at `path`, and hands over what the runtime sends there: the state, and the listener.
    private func agent(
        _ path: String, _ body: @escaping @Sendable (String, Int32) throws -> Void
    ) throws -> JoinableThread {
        let listening = try UnixListener(path)
        return try JoinableThread {
            guard let connection = try? listening.accept(),
                let (bytes, passed) = try? StreamSocket.receiveDescriptor(connection.raw, limit: 4096), let passed
            else {
                Issue.record("no listener came")
                return
            }
            do { try body(String(decoding: bytes, as: UTF8.self), passed.raw) } catch { Issue.record("\(error)") }
        }
    }

    @Test(arguments: [true, false], [[], ["SECCOMP_FILTER_FLAG_TSYNC"], ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]])
    func handsTheListenerOver(noNewPrivileges: Bool, flags: [String]) throws {
        let fixture = try ContainerFixture()
        let path = fixture.scratch("agent.sock")
        let profile = profile(path, ["mkdir", "mkdirat"], flags: flags)
        let agent = try agent(path) { state, listener in
            #expect(state == "{\"state\":1}")
            _ = try self.answer(listener, 1, error: 42)
        }
        let output = try PipeEnds()
        let request = try fixture.request(["/bin/sh", "-c", "mkdir /made 2>&1; echo $?"]) { request in
            request.stdio = StandardIO(input: -1, output: output.writer, error: -1)
            request.spec.process.noNewPrivileges = noNewPrivileges
            request.spec.linux.seccomp = profile
        }
        var named: Int32 = 0
        let process = try Launcher.start(
            try Launcher.plan(request),
            listener: { descriptor, pid, place throws(RuntimeError) in
                named = pid
                try SeccompListener.send(descriptor, to: place, state: Array("{\"state\":1}".utf8))
            })
        #expect(named == process.pid)
        let text = String(decoding: try output.readAll(), as: UTF8.self)
        // ENOMSG, which mkdir(2) never says.
        #expect(text.contains("No message of desired type") && text.hasSuffix("1\n"), "\(text)")
        #expect(try Pidfd.wait(process.pidfd.raw) == .code(0))
        agent.join()
    }

    /// The runtime's own last calls wait for the answer as any other.
    @Test func lastCallsMayBeNotified() throws {
        let fixture = try ContainerFixture()
        let path = fixture.scratch("agent.sock")
        let agent = try agent(path) { _, listener in
            let seen = try self.answer(listener, 2, error: nil)
            #expect(
                seen.map(\.call)
                    == ["execveat", "execve"].compactMap { SyscallNumbers(of: $0).number(on: .native).map(Int32.init) })
        }
        let result = try fixture.request(["/bin/true"]) { request in
            request.stdio = StandardIO()
            request.spec.linux.seccomp = profile(path, ["execve", "execveat"])
        }
        let process = try Launcher.start(
            try Launcher.plan(result),
            listener: { descriptor, _, place throws(RuntimeError) in
                try SeccompListener.send(descriptor, to: place, state: [1])
            })
        #expect(try Pidfd.wait(process.pidfd.raw) == .code(0))
        agent.join()
    }

    @Test func namesAFurtherProcess() throws {
        let fixture = try ContainerFixture()
        let path = fixture.scratch("agent.sock")
        let owner = try RunningContainer(fixture)
        let agent = try agent(path) { _, listener in _ = try self.answer(listener, 1, error: 42) }
        var named: Int32 = 0
        let request = owner.request(["/bin/mkdir", "/made"]) { request in
            request.stdio = StandardIO()
            request.seccomp = profile(path, ["mkdir", "mkdirat"])
        }
        let process = try Launcher.start(
            try Launcher.plan(request), cgroup: owner.cgroup, joining: [owner.pidfd.raw],
            listener: { descriptor, pid, place throws(RuntimeError) in
                named = pid
                try SeccompListener.send(descriptor, to: place, state: [1])
            })
        #expect(named == process.pid)
        #expect(try Pidfd.wait(process.pidfd.raw) == .code(1))
        agent.join()
    }

    @Test func failsWhereNobodyListens() throws {
        let fixture = try ContainerFixture()
        let path = fixture.scratch("absent.sock")
        let request = try fixture.request(["/bin/true"]) { request in
            request.spec.linux.seccomp = profile(path, ["mkdir"])
        }
        do throws(RuntimeError) {
            let plan = try Launcher.plan(request)
            _ = try Launcher.start(
                plan,
                listener: { descriptor, _, place throws(RuntimeError) in
                    try SeccompListener.send(descriptor, to: place, state: [1])
                })
            Issue.record("started")
        } catch {
            #expect(
                "\(error)"
                    == "send the seccomp listener to \(path): no such file or directory (ENOENT)")
        }
        let error = try fixture.failure(["/bin/true"]) { $0.spec.linux.seccomp = profile(path, ["mkdir"]) }
        #expect("\(error)" == "seccomp: nothing here hands a listener to \(path)")
    }

    @Test func refusesWhatWouldStopTheRuntime() throws {
        func message(_ change: @escaping (inout Spec.Seccomp) -> Void) throws -> String {
            let error = try ContainerFixture().failure(["true"]) { request in
                var profile = profile("/run/agent.sock", ["mkdir"])
                change(&profile)
                request.spec.linux.seccomp = profile
            }
            return "\(error)"
        }
        #expect(try message { $0.defaultAction = "SCMP_ACT_NOTIFY" }.contains("name the calls in syscalls"))
        #expect(try message { $0.listenerPath = nil }.contains("without listenerPath"))
        #expect(try message { $0.listenerPath = "agent" }.contains("not an absolute path"))
        #expect(
            try message { $0.syscalls?[0].names = ["mkdir", "sendmsg"] }.contains("for sendmsg, which the runtime"))
        #expect(try message { $0.syscalls?[0].names = ["capset"] }.contains("with noNewPrivileges it is loaded last"))
        #expect(
            try message { profile in
                profile.syscalls = []
                profile.flags = ["SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"]
            }.contains("without a rule"))
    }
}
