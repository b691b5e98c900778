import OCI
import Sys
import Testing

@testable import Runtime

@Suite struct SeccompProfileFileTests {
    private func parse(
        _ text: String, _ mask: CapabilityMask = [], _ native: SeccompArchitecture = .x86_64,
        kernel: KernelVersion = KernelVersion(6, 1)
    ) throws -> Spec.Seccomp? {
        try SeccompProfileFile.parse(Array(text.utf8), capabilities: mask, architecture: native, kernel: kernel)
    }

    private func message(_ text: String) -> String {
        do {
            _ = try parse(text)
            return "no error"
        } catch {
            return "\(error)"
        }
    }

    private static let moby = """
        {
          "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1,
          "archMap": [
            {"architecture": "SCMP_ARCH_X86_64", "subArchitectures": ["SCMP_ARCH_X86", "SCMP_ARCH_X32"]},
            {"architecture": "SCMP_ARCH_AARCH64", "subArchitectures": null},
            {"architecture": "SCMP_ARCH_S390X", "subArchitectures": ["SCMP_ARCH_S390"]}
          ],
          "syscalls": [
            {"names": ["read", "write"], "action": "SCMP_ACT_ALLOW"},
            {"name": "chroot", "action": "SCMP_ACT_ALLOW", "includes": {"caps": ["CAP_SYS_CHROOT"]}},
            {"names": ["clone"], "action": "SCMP_ACT_ALLOW", "excludes": {"caps": ["CAP_SYS_ADMIN"]},
             "args": [{"index": 0, "value": 2114060288, "valueTwo": 0, "op": "SCMP_CMP_MASKED_EQ"}]},
            {"names": ["ptrace"], "action": "SCMP_ACT_ALLOW", "includes": {"minKernel": "4.8"}, "comment": "since"},
            {"names": ["arch_prctl"], "action": "SCMP_ACT_ALLOW", "includes": {"arches": ["amd64", "x32"]}},
            {"names": ["set_tls"], "action": "SCMP_ACT_ALLOW", "excludes": {"arches": ["amd64"]}},
            {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38, "excludes": {}, "includes": null}
          ]
        }
        """

    @Test func readsMobysConditions() throws {
        let plain = try #require(try parse(Self.moby))
        #expect(plain.defaultAction == "SCMP_ACT_ERRNO")
        #expect(plain.defaultErrnoRet == 1)
        #expect(plain.architectures == ["SCMP_ARCH_X86_64", "SCMP_ARCH_X86", "SCMP_ARCH_X32"])
        #expect(
            plain.syscalls?.map { $0.names } == [["read", "write"], ["clone"], ["ptrace"], ["arch_prctl"], ["clone3"]])
        #expect(plain.syscalls?.last?.errnoRet == 38)
        #expect(plain.syscalls?[1].args?.first?.value == 2_114_060_288)
        let admin = try #require(try parse(Self.moby, [.sysAdmin, .sysChroot], .aarch64, kernel: KernelVersion(4, 7)))
        #expect(admin.architectures == ["SCMP_ARCH_AARCH64"])
        #expect(admin.syscalls?.map { $0.names } == [["read", "write"], ["chroot"], ["set_tls"], ["clone3"]])
    }

    @Test func readsPodmansErrnoNames() throws {
        let profile = try #require(
            try parse(
                """
                {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrno": "ENOSYS", "syscalls": [
                  {"names": ["mount"], "action": "SCMP_ACT_ERRNO", "errno": "EPERM", "args": null},
                  {"names": ["bpf"], "action": "SCMP_ACT_ERRNO", "errnoRet": "EACCES"}]}
                """))
        #expect(profile.defaultErrnoRet == 38)
        #expect(profile.syscalls?.map { $0.errnoRet } == [1, 13])
    }

    @Test(.enabled(if: File.exists("/usr/share/containers/seccomp.json"), "needs podman's profile"))
    func readsTheProfileThatPodmanShips() throws {
        let bytes = try File.readAll("/usr/share/containers/seccomp.json", limit: 1 << 20)
        let mask = CapabilityProfile.podman.mask
        let profile = try #require(
            try SeccompProfileFile.parse(bytes, capabilities: mask, architecture: .x86_64, kernel: KernelVersion(6, 1)))
        let evaluator = try SeccompEvaluator(SeccompCompiler.compile(profile, native: .x86_64))
        func answer(_ number: UInt32, _ arguments: [UInt64] = []) throws -> SeccompEvaluator.Answer {
            try evaluator.answer(.init(number: number, audit: 0xc000_003e, arguments: arguments))
        }
        #expect(try answer(0) == .allow)
        #expect(try answer(41, [16, 3, 9]) == .errno(22))
        #expect(try answer(41, [16, 3, 0]) == .allow)
        #expect(try answer(246) == .errno(1), "kexec_load")
        #expect(try answer(425) == .errno(38), "io_uring_setup")
        #expect(try answer(999) == .errno(38))
    }

    @Test func readsThePlainForm() throws {
        let profile = try #require(
            try parse(
                """
                {"defaultAction": "SCMP_ACT_ALLOW", "architectures": ["SCMP_ARCH_X86_64"],
                 "flags": ["SECCOMP_FILTER_FLAG_LOG"], "syscalls": [{"names": ["mkdir"], "action": "SCMP_ACT_ERRNO"}]}
                """))
        #expect(profile.architectures == ["SCMP_ARCH_X86_64"])
        #expect(try SeccompCompiler.flags(profile) == 2)
    }

    @Test func readsAnyJSON() throws {
        let value = try JSONDocument.parse(
            Array("{\"k\": [\"\\u00e9\\ud83d\\ude00\\n\", -1.5e3, true, null, {}]}".utf8))
        guard case .object(let members) = value.content, case .array(let list) = members["k"]?.content,
            case .string(let text) = list.first?.content, case .number(let number) = list[1].content
        else {
            Issue.record("not the structure written")
            return
        }
        #expect(text == "é😀\n")
        #expect(number == "-1.5e3")
        #expect(list.count == 5)
    }

    @Test func anEmptyProfileIsNone() throws { #expect(try parse("{}") == nil) }

    static let faults: [(String, String)] = [
        ("{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [}", "line 1"),
        ("[]", "line 1: it should be an object"),
        ("", "line 1: not JSON: expected a value"),
        ("{\"defaultAction\": \"SCMP_ACT_ALLOW\",\n\n \"syscalls\" []}", "line 3: not JSON: expected ':'"),
        ("{\"a\": \"x\ny\"}", "line 1: not JSON"), ("{\"a\": 1} x", "expected the end of the file"),
        ("{\"a\": \"\\ud83d\"}", "expected a character"), (String(repeating: "[", count: 100_000), "levels"),
        ("{\"a\": -}", "expected a value"), ("{\"a\": \"b", "end of the string"),
        ("{\"syscalls\": [{\"names\": [\"read\"], \"action\": \"SCMP_ACT_ALLOW\"}]}", "defaultAction: it is missing"),
        ("{\"defaultAction\": 7}", "defaultAction"),
        ("{\"defaultAction\": \"ALLOW\"}", "unknown action \"ALLOW\""),
        (
            "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"action\": \"SCMP_ACT_ALLOW\"}]}",
            "syscalls[0].names: no system call is named"
        ),
        (
            "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"name\": \"a\", \"names\": [\"b\"]}]}",
            "syscalls[0].name: both"
        ),
        (
            "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"read\"]}]}",
            "syscalls[0].action: it is missing"
        ),
        (
            "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"read\"], \"action\": "
                + "\"SCMP_ACT_ERRNO\", \"args\": [{\"index\": 0, \"value\": -1, \"op\": \"SCMP_CMP_EQ\"}]}]}",
            "syscalls[0].args[0].value"
        ),
        (
            "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"read\"], \"action\": "
                + "\"SCMP_ACT_ERRNO\", \"args\": [{\"index\": 0, \"op\": \"SCMP_CMP_EQ\"}]}]}",
            "syscalls[0].args[0].value: it is missing"
        ),
        (
            "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"read\"], \"action\": "
                + "\"SCMP_ACT_ERRNO\", \"errno\": \"EWHAT\"}]}",
            "line 1: syscalls[0].errno: \"EWHAT\" is no errno"
        ),
        (
            "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"syscalls\": [{\"names\": [\"read\"], \"action\": "
                + "\"SCMP_ACT_ALLOW\", \"includes\": {\"minKernel\": \"4\"}}]}",
            "syscalls[0].includes.minKernel"
        ),
        (
            "{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"architectures\": [\"SCMP_ARCH_X86\"], "
                + "\"archMap\": [{\"architecture\": \"SCMP_ARCH_X86_64\"}]}",
            "use one of them"
        ),
        ("{\"defaultAction\": \"SCMP_ACT_ALLOW\", \"listenerPath\": \"/run/x\"}", "listenerPath"),
    ]

    @Test(arguments: faults)
    func errorsNameLineOrField(_ text: String, _ expected: String) {
        #expect(message(text).contains(expected), "\(message(text))")
    }
}
