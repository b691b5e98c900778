internal import CSeccomp

/// A system call ABI that a filter can speak of. Big-endian ones are left out: no machine we run on has them.
package enum SeccompArchitecture: String, Sendable, Hashable, CaseIterable {
    case x86 = "SCMP_ARCH_X86"
    case x86_64 = "SCMP_ARCH_X86_64"
    case x32 = "SCMP_ARCH_X32"
    case arm = "SCMP_ARCH_ARM"
    case aarch64 = "SCMP_ARCH_AARCH64"
    case riscv64 = "SCMP_ARCH_RISCV64"

    /// Names of the runtime spec that are right but never run here: their rules would match nothing.
    static let foreign: Set<String> = [
        "SCMP_ARCH_LOONGARCH64", "SCMP_ARCH_M68K", "SCMP_ARCH_MIPS", "SCMP_ARCH_MIPS64", "SCMP_ARCH_MIPS64N32",
        "SCMP_ARCH_MIPSEL", "SCMP_ARCH_MIPSEL64", "SCMP_ARCH_MIPSEL64N32", "SCMP_ARCH_PARISC", "SCMP_ARCH_PARISC64",
        "SCMP_ARCH_PPC", "SCMP_ARCH_PPC64", "SCMP_ARCH_PPC64LE", "SCMP_ARCH_S390", "SCMP_ARCH_S390X", "SCMP_ARCH_SH",
        "SCMP_ARCH_SHEB",
    ]

    #if arch(x86_64)
        package static let native = SeccompArchitecture.x86_64
    #elseif arch(arm64)
        package static let native = SeccompArchitecture.aarch64
    #elseif arch(riscv64)
        package static let native = SeccompArchitecture.riscv64
    #endif

    /// AUDIT_ARCH_* (linux/audit.h), as `seccomp_data.arch` has it; x32 shares x86_64's.
    var audit: UInt32 {
        switch self {
        case .x86: 0x4000_0003
        case .x86_64, .x32: 0xc000_003e
        case .arm: 0x4000_0028
        case .aarch64: 0xc000_00b7
        case .riscv64: 0xc000_00f3
        }
    }

    /// libseccomp's token.
    var token: UInt32 {
        self == .x32 ? UInt32(SCMP_ARCH_X32_TOKEN) : audit
    }

    /// Whether arguments are 64 bits wide. On the others only the low half counts: a 64-bit program that enters the
    /// 32-bit ABI (int 0x80) leaves what it likes in the high half.
    var is64Bit: Bool { audit & 0x8000_0000 != 0 }

    /// The name that moby's profiles use in `arches`.
    var goName: String {
        switch self {
        case .x86: "x86"
        case .x86_64: "amd64"
        case .x32: "x32"
        case .arm: "arm"
        case .aarch64: "arm64"
        case .riscv64: "riscv64"
        }
    }

    /// ABIs of the same machine that the default profile covers beside the native one. Not x32: nobody uses it, and it
    /// has had its own kernel bugs.
    var companions: [SeccompArchitecture] {
        switch self {
        case .x86_64: [.x86]
        case .aarch64: [.arm]
        default: []
        }
    }
}
