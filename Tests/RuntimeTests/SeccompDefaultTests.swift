import OCI
import Testing

@testable import Runtime

@Suite struct SeccompDefaultTests {
    /// A call by name, with its arguments, and what the filter should say.
    struct Case: CustomTestStringConvertible, Sendable {
        let name: String
        let arguments: [UInt64]
        let errno: UInt32?

        init(_ name: String, _ arguments: [UInt64] = [], _ errno: UInt32? = nil) {
            self.name = name
            self.arguments = arguments
            self.errno = errno
        }

        var testDescription: String { "\(name)(\(arguments)) \(errno.map { "errno \($0)" } ?? "allowed")" }
    }

    private static let perm: UInt32 = 1
    private static let invalid: UInt32 = 22
    private static let nosys: UInt32 = 38

    static let unprivileged: [Case] = [
        Case("read"), Case("openat"), Case("futex"), Case("rseq"), Case("mseal"), Case("fchmodat2"), Case("statmount"),
        Case("getxattrat"), Case("landlock_restrict_self"), Case("ptrace"), Case("chroot"), Case("execve"),
        Case("mount", [], perm), Case("umount2", [], perm), Case("move_mount", [], perm), Case("fsopen", [], perm),
        Case("open_tree_attr", [], perm), Case("pivot_root", [], perm), Case("unshare", [0x1000_0000], perm),
        Case("unshare", [0], perm), Case("setns", [], perm), Case("bpf", [], perm), Case("keyctl", [], perm),
        Case("add_key", [], perm), Case("request_key", [], perm), Case("userfaultfd", [], perm),
        Case("io_uring_setup", [], perm), Case("io_uring_enter", [], perm), Case("io_uring_register", [], perm),
        Case("kexec_load", [], perm), Case("init_module", [], perm), Case("finit_module", [], perm),
        Case("swapon", [], perm), Case("reboot", [], perm), Case("settimeofday", [], perm),
        Case("clock_settime", [], perm), Case("perf_event_open", [], perm), Case("open_by_handle_at", [], perm),
        Case("syslog", [], perm), Case("acct", [], perm), Case("quotactl", [], perm), Case("vhangup", [], perm),
        Case("sethostname", [], perm), Case("mbind", [], perm), Case("kcmp", [], perm), Case("pidfd_getfd", [], perm),
        Case("clone3", [], nosys), Case("lsm_list_modules", [], nosys), Case("file_getattr", [], nosys),
        Case("listns", [], nosys),
        Case("clone", [0x11]), Case("clone", [0x003d_0f00]), Case("clone", [0x1000_0011], perm),
        Case("clone", [0x0002_0000], perm), Case("clone", [0x4000_0000], perm), Case("clone", [0x0200_0000], perm),
        Case("clone", [0x7e02_0000], perm),
        Case("personality", [0]), Case("personality", [0xffff_ffff]), Case("personality", [0x20008]),
        Case("personality", [0x0004_0000], perm), Case("personality", [0x0040_0000], perm),
        Case("personality", [0x0c06_0008], perm), Case("personality", [6], perm),
        Case("personality", [0x1_0004_0000], perm),
        Case("socket", [1, 1, 0]), Case("socket", [2, 1, 6]), Case("socket", [10, 3, 58]), Case("socket", [17, 3, 0]),
        Case("socket", [16, 3, 0]), Case("socket", [16, 3, 9], invalid), Case("socket", [38, 5, 0], perm),
        Case("socket", [40, 1, 0], perm), Case("socket", [12, 1, 0], perm), Case("socket", [46, 1, 0], perm),
        Case("socket", [45, 1, 0]), Case("socket", [0xffff_ffff, 1, 0], perm), Case("socketpair", [1, 1, 0]),
    ]

    private func evaluator(
        _ mask: CapabilityMask = CapabilityProfile.runimg.mask, _ native: SeccompArchitecture = .x86_64,
        kernel: KernelVersion = KernelVersion(6, 1), compat32: Bool = false
    ) throws -> SeccompEvaluator {
        let profile = SeccompDefault.profile(
            capabilities: mask, architecture: native, kernel: kernel, compat32: compat32)
        return try SeccompEvaluator(SeccompCompiler.compile(profile, native: native))
    }

    private func answer(
        _ evaluator: SeccompEvaluator, _ name: String, _ arguments: [UInt64] = [], on architecture: SeccompArchitecture
    ) throws -> SeccompEvaluator.Answer {
        let number = try #require(SyscallNumbers(of: name).number(on: architecture), "\(name) on \(architecture)")
        return try evaluator.answer(.init(number: number, audit: architecture.audit, arguments: arguments))
    }

    @Test("R20: the profile answers every ABI alike", arguments: unprivileged)
    func answersOnEveryABI(_ call: Case) throws {
        for native in [SeccompArchitecture.x86_64, .aarch64] {
            let evaluator = try evaluator(CapabilityProfile.runimg.mask, native)
            for architecture in [native] + native.companions {
                guard SyscallNumbers(of: call.name).number(on: architecture) != nil else { continue }
                let expected = call.errno.map { SeccompEvaluator.Answer.errno($0) } ?? .allow
                let answer = try answer(evaluator, call.name, call.arguments, on: architecture)
                #expect(answer == expected, "\(call.name) on \(architecture)")
            }
        }
    }

    @Test func unknownCallsAreMissingNotForbidden() throws {
        let evaluator = try evaluator()
        for number in [480, 999, 0x3fff_ffff] as [UInt32] {
            for audit in [SeccompArchitecture.x86_64.audit, SeccompArchitecture.x86.audit] {
                #expect(try evaluator.answer(.init(number: number, audit: audit)) == .errno(38))
            }
        }
    }

    @Test func x32AndForeignArchitecturesAreMissing() throws {
        let evaluator = try evaluator()
        for number in [0, 1, 39, 59, 512, 0x3fff_ffff] as [UInt32] {
            let x32 = SeccompEvaluator.Call(number: number | 0x4000_0000, audit: SeccompArchitecture.x86_64.audit)
            #expect(try evaluator.answer(x32) == .errno(38))
        }
        for audit in [SeccompArchitecture.aarch64.audit, SeccompArchitecture.arm.audit, 0, 0xffff_ffff] {
            #expect(try evaluator.answer(.init(number: 0, audit: audit)) == .errno(38))
        }
    }

    /// 64-bit programs can enter the 32-bit ABI with anything in the high halves, which the kernel then ignores.
    @Test("R20: high halves do not hide arguments") func highHalvesDoNotHideArguments() throws {
        let evaluator = try evaluator()
        for junk in [0, 0x1_0000_0000, 0xffff_ffff_0000_0000] as [UInt64] {
            #expect(try answer(evaluator, "socket", [38 | junk], on: .x86) == .errno(1))
            #expect(try answer(evaluator, "clone", [0x1000_0011 | junk], on: .x86) == .errno(1))
            #expect(try answer(evaluator, "clone", [0x1000_0011 | junk], on: .x86_64) == .errno(1))
            #expect(try answer(evaluator, "socketcall", [1 | junk], on: .x86) == .errno(38))
        }
        // The kernel takes the low half of a family on x86_64 too: a high half must not make it an allowed one.
        #expect(try answer(evaluator, "socket", [0x1_0000_0002], on: .x86_64) == .errno(1))
        #expect(try answer(evaluator, "socket", [0x1_0000_0026], on: .x86_64) == .errno(1))
    }

    /// The i386 multiplexer makes no sockets, since the family cannot be seen; what it does on existing ones is free.
    @Test("R20: socketcall makes no sockets") func socketcallIsClosedForNewSockets() throws {
        let strict = try evaluator()
        #expect(try answer(strict, "socketcall", [1], on: .x86) == .errno(38))
        for call in 2...20 as ClosedRange<UInt64> {
            #expect(try answer(strict, "socketcall", [call], on: .x86) == .allow)
        }
        #expect(try answer(strict, "ipc", [24], on: .x86) == .allow)
        #expect(try answer(try evaluator(compat32: true), "socketcall", [1], on: .x86) == .allow)
    }

    static let grants: [(CapabilityMask, [String])] = SeccompDefaultTables.byCapability.map {
        ($0.capability, $0.names)
    }

    @Test(arguments: grants.indices)
    func capabilitiesGrantTheirCalls(_ index: Int) throws {
        let (capability, names) = Self.grants[index]
        let without = try evaluator([])
        let with = try evaluator(capability)
        for name in names where SyscallNumbers(of: name).number(on: .x86_64) != nil {
            #expect(try answer(with, name, on: .x86_64) == .allow, "\(name) with \(capability.names)")
            if !SeccompDefaultTables.sinceLinux4_8.contains(name) {
                #expect(try answer(without, name, on: .x86_64) == .errno(1), "\(name) without")
            }
        }
    }

    @Test func administratorsMakeNamespaces() throws {
        let evaluator = try evaluator([.sysAdmin])
        #expect(try answer(evaluator, "clone", [0x1000_0011], on: .x86_64) == .allow)
        #expect(try answer(evaluator, "clone3", on: .x86_64) == .allow)
        #expect(try answer(evaluator, "unshare", [0x1000_0000], on: .x86_64) == .allow)
        // Kernel keys and io_uring stay shut.
        #expect(try answer(evaluator, "keyctl", on: .x86_64) == .errno(1))
        #expect(try answer(evaluator, "io_uring_setup", on: .x86_64) == .errno(1))
    }

    @Test func auditSocketsNeedTheirCapability() throws {
        let evaluator = try evaluator(CapabilityProfile.docker.mask)
        #expect(try answer(evaluator, "socket", [16, 3, 9], on: .x86_64) == .allow)
    }

    @Test func oldKernelsDoNotTrace() throws {
        let evaluator = try evaluator(kernel: KernelVersion(4, 7))
        #expect(try answer(evaluator, "ptrace", on: .x86_64) == .errno(1))
    }

    @Test func isShortAndWellFormed() throws {
        let evaluator = try evaluator()
        #expect(evaluator.count < 450)
        let all = try self.evaluator(.all)
        #expect(all.count < 450)
    }

    /// Nothing is allowed and denied at once: other runtimes would choose differently.
    @Test(arguments: [CapabilityMask([]), CapabilityProfile.runimg.mask, .all])
    func plainRulesAreDisjoint(_ mask: CapabilityMask) throws {
        let rules = try #require(SeccompDefault.profile(capabilities: mask).syscalls)
        var seen: [String: String] = [:]
        for rule in rules where rule.args == nil {
            for name in rule.names {
                #expect(seen[name] == nil || seen[name] == rule.action, "\(name)")
                seen[name] = rule.action
            }
        }
        for rule in rules where rule.args != nil {
            for name in rule.names { #expect(seen[name] == nil, "\(name) has rules with and without arguments") }
        }
    }
}
