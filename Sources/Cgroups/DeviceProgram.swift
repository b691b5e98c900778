/// A cgroup v2 device filter: eBPF of type BPF_PROG_TYPE_CGROUP_DEVICE that answers 1 (allowed) or 0 for an access
/// (linux/bpf.h, `struct bpf_cgroup_dev_ctx`). The last rule that speaks of an access decides; none: refused.
struct DeviceProgram: Sendable {
    /// `struct bpf_insn`: eight bytes each.
    struct Instruction: Hashable, Sendable {
        var code: UInt8
        /// Destination in the low four bits, source in the high four.
        var registers: UInt8 = 0
        var offset: Int16 = 0
        var immediate: Int32 = 0
    }

    let instructions: [Instruction]

    init(rules: [DeviceRule]) {
        var code = DeviceProgram.prologue
        var isClosed = false
        for rule in rules.reversed() where !isClosed {
            code += DeviceProgram.block(for: rule)
            isClosed = rule.isEverything
        }
        if !isClosed { code += DeviceProgram.verdict(false) }
        instructions = code
    }

    /// The program as the kernel takes it, little-endian as both of our architectures are.
    var bytes: [UInt8] {
        instructions.flatMap { instruction -> [UInt8] in
            let offset = UInt16(bitPattern: instruction.offset)
            let immediate = UInt32(bitPattern: instruction.immediate)
            return [
                instruction.code, instruction.registers, UInt8(truncatingIfNeeded: offset),
                UInt8(truncatingIfNeeded: offset >> 8), UInt8(truncatingIfNeeded: immediate),
                UInt8(truncatingIfNeeded: immediate >> 8), UInt8(truncatingIfNeeded: immediate >> 16),
                UInt8(truncatingIfNeeded: immediate >> 24),
            ]
        }
    }

    /// r2 = type, r3 = access, r4 = major, r5 = minor; the context is in r1.
    private static let prologue: [Instruction] = [
        Instruction(code: Opcode.loadWord, registers: 0x12, offset: 0),
        Instruction(code: Opcode.moveRegister, registers: 0x23),
        Instruction(code: Opcode.and, registers: 0x02, immediate: 0xffff),
        Instruction(code: Opcode.shiftRight, registers: 0x03, immediate: 16),
        Instruction(code: Opcode.loadWord, registers: 0x14, offset: 4),
        Instruction(code: Opcode.loadWord, registers: 0x15, offset: 8),
    ]

    private static func block(for rule: DeviceRule) -> [Instruction] {
        var tests: [Instruction] = []
        switch rule.kind {
        case .all: break
        case .block: tests.append(Instruction(code: Opcode.jumpNotEqual, registers: 0x02, immediate: 1))
        case .character: tests.append(Instruction(code: Opcode.jumpNotEqual, registers: 0x02, immediate: 2))
        }
        if rule.access != .all {
            tests.append(Instruction(code: Opcode.moveRegister, registers: 0x31))
            let bits = Int32(rule.access.rawValue)
            tests.append(Instruction(code: Opcode.and, registers: 0x01, immediate: bits))
            // An access is allowed when all of it is in the rule, refused when any of it is.
            if rule.allow {
                tests.append(Instruction(code: Opcode.jumpNotEqualRegister, registers: 0x31))
            } else {
                tests.append(Instruction(code: Opcode.jumpEqual, registers: 0x01, immediate: 0))
            }
        }
        if let major = rule.major {
            let number = Int32(bitPattern: major)
            tests.append(Instruction(code: Opcode.jumpNotEqual, registers: 0x04, immediate: number))
        }
        if let minor = rule.minor {
            let number = Int32(bitPattern: minor)
            tests.append(Instruction(code: Opcode.jumpNotEqual, registers: 0x05, immediate: number))
        }
        let verdict = verdict(rule.allow)
        // A failed test goes on behind the verdict: offsets count from the next instruction.
        for index in tests.indices where Opcode.isJump(tests[index].code) {
            tests[index].offset = Int16(tests.count - index - 1 + verdict.count)
        }
        return tests + verdict
    }

    private static func verdict(_ allow: Bool) -> [Instruction] {
        [
            Instruction(code: Opcode.moveImmediate, registers: 0x00, immediate: allow ? 1 : 0),
            Instruction(code: Opcode.exit),
        ]
    }

    /// linux/bpf.h and linux/bpf_common.h. Arithmetic and jumps are the 32-bit ones (BPF_JMP32: Linux 5.1).
    enum Opcode {
        static let loadWord: UInt8 = 0x61
        static let moveRegister: UInt8 = 0xbc
        static let moveImmediate: UInt8 = 0xb4
        static let and: UInt8 = 0x54
        static let shiftRight: UInt8 = 0x74
        static let jumpEqual: UInt8 = 0x16
        static let jumpNotEqual: UInt8 = 0x56
        static let jumpNotEqualRegister: UInt8 = 0x5e
        static let exit: UInt8 = 0x95

        static func isJump(_ code: UInt8) -> Bool {
            code == jumpEqual || code == jumpNotEqual || code == jumpNotEqualRegister
        }
    }
}
