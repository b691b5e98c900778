import Testing

@testable import Runtime

@Suite struct CapabilitiesTests {
    @Test func namesAndBitsAgree() throws {
        #expect(CapabilityMask.table.count == 41)
        #expect(try CapabilityMask(name: "CAP_CHOWN").rawValue == 1)
        #expect(try CapabilityMask(name: "sys_admin") == .sysAdmin)
        #expect(try CapabilityMask(name: "Cap_Checkpoint_Restore").rawValue == 1 << 40)
        #expect(CapabilityMask.sysAdmin.names == ["CAP_SYS_ADMIN"])
        #expect(CapabilityMask.bpf.names == ["CAP_BPF"])
        #expect(CapabilityMask.sysTTYConfig.names == ["CAP_SYS_TTY_CONFIG"])
        #expect(CapabilityMask.auditWrite.names == ["CAP_AUDIT_WRITE"])
        #expect(CapabilityMask.all.rawValue == 0x1ff_ffff_ffff)
        #expect(try CapabilityMask(names: CapabilityMask.all.names) == .all)
    }

    @Test func profilesAreTheirEnginesLists() {
        #expect(
            CapabilityProfile.docker.mask.names == [
                "CAP_CHOWN", "CAP_DAC_OVERRIDE", "CAP_FOWNER", "CAP_FSETID", "CAP_KILL", "CAP_SETGID", "CAP_SETUID",
                "CAP_SETPCAP", "CAP_NET_BIND_SERVICE", "CAP_NET_RAW", "CAP_SYS_CHROOT", "CAP_MKNOD", "CAP_AUDIT_WRITE",
                "CAP_SETFCAP",
            ])
        let docker = CapabilityProfile.docker.mask
        #expect(docker.subtracting(CapabilityProfile.runimg.mask).names == ["CAP_MKNOD", "CAP_AUDIT_WRITE"])
        #expect(
            docker.subtracting(CapabilityProfile.podman.mask).names == ["CAP_NET_RAW", "CAP_MKNOD", "CAP_AUDIT_WRITE"])
        #expect(CapabilityProfile.podman.mask.isSubset(of: docker))
    }

    struct Case: Sendable {
        let add: [String]
        let drop: [String]
        var privileged = false
        /// Against the profile's own list.
        var gained: [String] = []
        var lost: [String] = []
        var exactly: [String]?
    }

    /// moby, pkg oci/caps TweakCapabilities and the CLI's merge of flags.
    static let cases: [Case] = [
        Case(add: [], drop: []),
        Case(add: ["SYS_ADMIN"], drop: [], gained: ["CAP_SYS_ADMIN"]),
        Case(add: ["cap_sys_time", "Net_Admin"], drop: [], gained: ["CAP_NET_ADMIN", "CAP_SYS_TIME"]),
        Case(add: [], drop: ["chown", "CAP_KILL"], lost: ["CAP_CHOWN", "CAP_KILL"]),
        Case(add: ["KILL"], drop: ["KILL"]),
        Case(add: ["SYS_TIME"], drop: ["SYS_TIME"], gained: ["CAP_SYS_TIME"]),
        Case(add: [], drop: ["SYS_TIME"]),
        Case(add: [], drop: ["ALL"], exactly: []),
        Case(add: ["CHOWN", "KILL"], drop: ["all"], exactly: ["CAP_CHOWN", "CAP_KILL"]),
        Case(add: ["ALL"], drop: [], exactly: CapabilityMask.all.names),
        Case(add: ["ALL"], drop: ["ALL"], exactly: CapabilityMask.all.names),
        Case(add: ["ALL"], drop: ["SYS_ADMIN"], exactly: CapabilityMask.all.subtracting(.sysAdmin).names),
        Case(add: ["ALL", "SYS_ADMIN"], drop: ["SYS_ADMIN"], exactly: CapabilityMask.all.subtracting(.sysAdmin).names),
        Case(add: [], drop: [], privileged: true, exactly: CapabilityMask.all.names),
        Case(add: [], drop: ["CHOWN"], privileged: true, exactly: CapabilityMask.all.names),
    ]

    @Test(arguments: cases.indices, CapabilityProfile.allCases)
    func resolvesAsDocker(_ index: Int, _ profile: CapabilityProfile) throws {
        let flags = Self.cases[index]
        let mask = try profile.resolve(
            adding: flags.add, dropping: flags.drop, privileged: flags.privileged, available: { .all })
        if let exactly = flags.exactly {
            #expect(mask.names == exactly)
        } else {
            let gained = try CapabilityMask(names: flags.gained)
            let lost = try CapabilityMask(names: flags.lost)
            #expect(mask == profile.mask.union(gained).subtracting(lost))
        }
    }

    @Test func unknownNamesAreNamed() {
        func message(_ add: [String], _ drop: [String] = []) -> String {
            do throws(CapabilityError) {
                _ = try CapabilityProfile.runimg.resolve(adding: add, dropping: drop, available: { .all })
                return "no error"
            } catch {
                return "\(error)"
            }
        }
        #expect(message(["SYS_ADMN"]) == "unknown capability \"SYS_ADMN\": did you mean CAP_SYS_ADMIN?")
        #expect(message([], ["NETRAW"]) == "unknown capability \"NETRAW\": did you mean CAP_NET_RAW?")
        #expect(message(["FLY"]) == "unknown capability \"FLY\"")
        #expect(message([""]).hasPrefix("unknown capability \"\""))
        #expect(message([String(repeating: "A", count: 5000)]).hasPrefix("unknown capability"))
    }

    @Test func theKernelsLastOneCounts() throws {
        #expect(CapabilityMask.kernel(lastCap: Array("37\n".utf8)).names.last == "CAP_AUDIT_READ")
        #expect(CapabilityMask.kernel(lastCap: Array("40\n".utf8)) == .all)
        #expect(CapabilityMask.kernel(lastCap: Array("62".utf8)) == .all)
        #expect(CapabilityMask.kernel(lastCap: Array("x".utf8)) == .all)
        #expect(CapabilityMask.kernel(lastCap: Array("99999999999999999999".utf8)) == .all)
        let old = CapabilityMask(rawValue: (1 << 38) - 1)
        #expect(throws: CapabilityError.unsupported(name: "CAP_BPF")) {
            try CapabilityProfile.runimg.resolve(adding: ["BPF"], available: { old })
        }
        #expect(try CapabilityProfile.runimg.resolve(privileged: true, available: { old }) == old)
        #expect(CapabilityMask.kernel().isSuperset(of: CapabilityProfile.docker.mask))
    }
}
