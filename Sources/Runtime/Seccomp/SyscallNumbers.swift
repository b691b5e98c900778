internal import CSeccomp

/// System call numbers by name and ABI.
struct SyscallNumbers {
    /// `__X32_SYSCALL_BIT` (asm/unistd.h).
    static let x32Bit: UInt32 = 0x4000_0000

    private let name: String
    private let row: UnsafePointer<cseccomp_numbers>?

    init(of name: String) {
        self.name = name
        row = cseccomp_find(name)
    }

    /// nil when the ABI has no such call, or nobody knows the name.
    func number(on architecture: SeccompArchitecture) -> UInt32? {
        guard let numbers = row?.pointee else { return SyscallNumbers.resolved(name, on: architecture) }
        let number =
            switch architecture {
            case .x86_64: numbers.x86_64
            case .x86: numbers.x86
            case .aarch64: numbers.aarch64
            case .arm: numbers.arm
            case .x32, .riscv64: SyscallNumbers.resolved(name, on: architecture).map { Int32(bitPattern: $0) } ?? -1
            }
        return number >= 0 ? UInt32(bitPattern: number) : nil
    }

    /// i386's other way to the same call: the number of `socketcall` or `ipc` and its first argument.
    var multiplexed: (number: UInt32, call: UInt64)? {
        guard let call = row?.pointee.x86_multiplexed, call != 0 else { return nil }
        return (number: call > 0 ? 102 : 117, call: UInt64(call.magnitude))
    }

    /// By libseccomp, for names and ABIs that our table lacks; calls that only other ABIs have are negative there.
    static func resolved(_ name: String, on architecture: SeccompArchitecture) -> UInt32? {
        let number = seccomp_syscall_resolve_name_arch(architecture.token, name)
        return number >= 0 ? UInt32(bitPattern: number) : nil
    }

    /// All names of our table.
    static var names: [String] {
        var count = 0
        guard let table = cseccomp_table(&count) else { return [] }
        return (0..<count).map { index in
            withUnsafeBytes(of: table[index].name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        }
    }
}
